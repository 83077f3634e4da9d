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

import ddt
from oslotest import base

from mempage_tempest_plugin.hosts import numa_maps

MAPS = '''\
55e0c0a00000 default file=/usr/bin/qemu-system-x86_64 mapped=25 N0=25 \
kernelpagesize_kB=4
7f1a00000000 bind:1 file=/dev/hugepages/libvirt/a\\040N7=9 huge dirty=160 \
N0=32 N1=128 kernelpagesize_kB=2048
7f1b00000000 bind:0 file=/dev/hugepages/x\\040(deleted) huge dirty=8 N0=8 \
kernelpagesize_kB=2048
7f1c00000000 bind:0 file=/dev/hugepages1048576/x huge anon=1 dirty=1 N1=1 \
kernelpagesize_kB=1048576
7f1d00000000 default file=/dev/hugepages/none huge
7f1e00000000 default
'''


@ddt.ddt
class NumaMapsTest(base.BaseTestCase):

    def test_large_pages(self):
        self.assertEqual([numa_maps.NodePages(0, 2048, 40),
                          numa_maps.NodePages(1, 2048, 128),
                          numa_maps.NodePages(1, 1048576, 1)],
                         numa_maps.parse(MAPS))

    @ddt.data('', '7f1e00000000 default\n')
    def test_none(self, text):
        self.assertEqual([], numa_maps.parse(text))
