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

from tests.devstack import base

# A pool of plain files, of which the kernel gives 5 pages at most
FAKE_POOL = """
mkdir -p pools/hugepages-2048kB pools/hugepages-1048576kB
echo 2 >pools/hugepages-2048kB/nr_hugepages
mount --bind pools /sys/kernel/mm/hugepages
touch compact; mount --bind compact /proc/sys/vm/compact_memory
function _write_hugepages {
    echo $(( $1 < 5 ? $1 : 5 )) >$2/nr_hugepages
}
"""


@ddt.ddt
class HugepagePoolTest(base.ShellTest):

    def test_pool_of_the_kernel_grows_and_shrinks_back(self):
        before = self.require_pool()
        told = self.succeed(
            f'build_hugepage_pool 2048 {before + 8}; get_hugepage_pool 2048\n'
            f'build_hugepage_pool 2048 {before + 4}; get_hugepage_pool 2048\n'
            f'restore_hugepage_pool 2048 {before}; get_hugepage_pool 2048\n')
        self.assertEqual([before + 8, before + 8, before],
                         [int(line) for line in told.split()])

    def test_pool_of_a_numa_node(self):
        self.assertEqual('3\n', self.succeed(
            'mkdir -p nodes/node1/hugepages/hugepages-2048kB\n'
            'echo 0 >nodes/node1/hugepages/hugepages-2048kB/nr_hugepages\n'
            'mount --bind nodes /sys/devices/system/node\n'
            'build_hugepage_pool 2048 3 1; get_hugepage_pool 2048 1'))

    def test_too_many_pages_are_refused_and_given_back(self):
        self.refuse('the kernel gave 5 of 6 hugepages of 2048 KiB(.|\n)*'
                    'now 2, compacted 1',
                    FAKE_POOL +
                    'trap \'echo now $(get_hugepage_pool 2048), '
                    'compacted $(<compact) >&2\' EXIT\n'
                    'build_hugepage_pool 2048 6')

    def test_too_many_pages_can_be_taken_as_given(self):
        self.assertEqual('5\n', self.succeed(
            FAKE_POOL + 'raise_hugepage_pool 2048 6; get_hugepage_pool 2048'))

    def test_memory_is_left_as_it_is_where_pages_suffice(self):
        self.succeed(FAKE_POOL +
                     'build_hugepage_pool 2048 5; [[ ! -s compact ]]')

    def test_pool_that_does_not_go_back_is_an_error(self):
        self.refuse('the pool of 2048 KiB hugepages has 5 pages, not 7',
                    FAKE_POOL + 'restore_hugepage_pool 2048 7')

    @ddt.unpack
    @ddt.data(
        ('4096 1', 'no hugepages of 4096 KiB, only: 2048 1048576'),
        ('2M 1', "page size in KiB '2M' is not a whole number"),
        ('2048 many', "number of pages 'many' is not a whole number"),
        ('2048 1 64', 'there is no NUMA node 64, only 0'))
    def test_senseless_request_is_refused(self, request, message):
        self.refuse(message, FAKE_POOL + 'build_hugepage_pool ' + request)


class FakePoolTest(base.ShellTest):

    def test_surplus_pages_are_not_the_pool(self):
        self.assertEqual('3\n8\n', self.succeed(
            'function _hugepage_pool { echo $PWD; }\n'
            'echo 10 >nr_hugepages; echo 7 >surplus_hugepages\n'
            'get_hugepage_pool 2048\n'
            'raise_hugepage_pool 2048 8; cat nr_hugepages'))


class HugetlbfsTest(base.ShellTest):

    def setUp(self):
        super().setUp()
        if not base.POOL.exists():
            self.skipTest('the kernel has no 2 MiB hugepages')

    def test_mount_and_unmount(self):
        told = self.succeed(
            'mount_hugetlbfs $PWD/huge 2048\n' * 2 +
            'findmnt -rno FSTYPE,OPTIONS $PWD/huge; stat -c %a huge\n' +
            'is_hugetlbfs_mounted 2048\n'
            '! is_hugetlbfs_mounted 1048576\n' +
            'unmount_hugetlbfs $PWD/huge\n' * 2 +
            'findmnt -rn $PWD/huge || true')
        self.assertEqual('hugetlbfs rw,nosuid,nodev,relatime,pagesize=2M\n'
                         '755\n', told)

    def test_other_mount_is_refused_and_stays(self):
        self.refuse('tmpfs other is mounted there, not a hugetlbfs',
                    'mkdir huge; mount -t tmpfs other huge\n'
                    'unmount_hugetlbfs $PWD/huge\n'
                    'mount_hugetlbfs $PWD/huge 2048')
