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


import os
import pathlib

from mempage_lab import memory
from tests.lab import base

ROLLUP = """\
00400000-7ffe3f1e1000 ---p 00000000 00:00 0      [rollup]
Rss:                1616 kB
Pss:                 300 kB
Pss_Anon:            116 kB
Pss_File:             84 kB
Pss_Shmem:           100 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    8192 kB
"""
SMAPS = """\
7f0000000000-7f0000600000 rw-s 00000000 00:2b 1  /dev/hugepages/qemu
Size:               8192 kB
KernelPageSize:     2048 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    6144 kB
VmFlags: rd wr sh mr mw me ms de ht sd
7f0000800000-7f0000a00000 rw-s 00000000 00:2b 1  /dev/hugepages/qemu
KernelPageSize:     2048 kB
Shared_Hugetlb:     2048 kB
Private_Hugetlb:       0 kB
7f0001000000-7f0001001000 rw-p 00000000 00:00 0
KernelPageSize:        4 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:       0 kB
"""


class MemoryTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.proc = self.directory / 'proc'
        self.netns = self.directory / 'netns'
        self.netns.mkdir()
        self.patch_object(memory, '_PROC', self.proc)
        self.patch_object(memory, '_NETNS', self.netns)

    def _process(self, pid, **files):
        directory = self.proc / str(pid)
        directory.mkdir(parents=True)
        for name, text in files.items():
            (directory / name).write_text(text)

    def test_measure(self):
        for pid in (1, 2, 3):
            self._process(pid, smaps_rollup=ROLLUP)
        self.assertEqual(
            {'a': memory.Usage(400, 200), 'b': memory.Usage(200, 100),
             'c': memory.Usage()},
            memory.measure({'a': [1, 2], 'b': [3], 'c': []}))

    def test_a_process_that_has_ended_takes_none(self):
        self.assertEqual({'a': memory.Usage()}, memory.measure({'a': [9]}))
        self.assertEqual({}, memory.large_pages([9]))

    def test_large_pages(self):
        self._process(1, smaps_rollup=ROLLUP, smaps=SMAPS)
        self._process(2, smaps_rollup=ROLLUP, smaps=SMAPS)
        self.assertEqual({2048: 8}, memory.large_pages([1, 2]))

    def test_large_pages_of_others(self):
        self._process(1, smaps_rollup=ROLLUP, smaps=SMAPS, comm='switch\n')
        self._process(2, smaps_rollup=ROLLUP, smaps=SMAPS, comm='qemu\n')
        self.assertEqual({2048: 4}, memory.large_pages([1, 2], ['switch']))

    def test_most_processes_have_no_large_pages(self):
        self._process(1, smaps_rollup=ROLLUP.replace('8192', '0'))
        self.assertEqual({}, memory.large_pages([1]))

    def test_own_process(self):
        self.patch_object(memory, '_PROC', pathlib.Path('/proc'))
        usage = memory.measure({'a': [os.getpid()]})['a']
        self.assertGreater(usage.own, 1024)

    def test_processes_of_a_namespace(self):
        (self.netns / 'mempage-a').touch()
        (self.netns / 'mempage-b').touch()
        for pid, name in ((1, 'a'), (2, 'b'), (3, 'a')):
            self._process(pid)
            (self.proc / str(pid) / 'ns').mkdir()
            os.link(self.netns / ('mempage-' + name),
                    self.proc / str(pid) / 'ns' / 'net')
        self._process(4)
        found = memory.processes(['a', 'b', 'gone'])
        self.assertEqual({'a': [1, 3], 'b': [2], 'gone': []},
                         {name: sorted(pids) for name, pids in found.items()})
