# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

from oslotest import base

from mempage_tempest_plugin.hosts import smaps

SMAPS = '''
55e0c0a00000-55e0c0a21000 r-xp 00000000 08:01 131 /usr/bin/qemu-system-x86_64
Size:                132 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:                 100 kB
VmFlags: rd ex mr mw me
7f1a00000000-7f1a0c000000 rw-s 00000000 00:28 5    /srv/a b/pc.ram
KernelPageSize:        4 kB
Rss:              196608 kB
7f1b00000000-7f1b04000000 rw-s 00000000 00:0f 99   /dev/hugepages/x (deleted)
KernelPageSize:     2048 kB
Rss:                   0 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:   65536 kB
7f1c00000000-7f1c00002000 rw-p 00000000 00:00 0
KernelPageSize:        4 kB
Rss:                   8 kB
'''


class SmapsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.mappings = smaps.parse(SMAPS)

    def test_file(self):
        self.assertEqual(smaps.Mapping(
            size_kib=196608, shared=True, device='0:40', inode=5,
            path='/srv/a b/pc.ram', page_kib=4, resident_kib=196608),
            self.mappings[1])

    def test_deleted_hugepages(self):
        found = self.mappings[2]
        self.assertEqual(('/dev/hugepages/x', 2048, 65536), (
            found.path, found.page_kib, found.resident_kib))

    def test_private(self):
        self.assertEqual([False, True, True, False],
                         [found.shared for found in self.mappings])

    def test_anonymous(self):
        self.assertEqual([False, False, False, True],
                         [found.anonymous for found in self.mappings])

    def test_real(self):
        with open('/proc/self/smaps', encoding='utf-8') as stream:
            self.assertTrue(any(found.path == '[heap]' and found.resident_kib
                                for found in smaps.parse(stream.read())))
