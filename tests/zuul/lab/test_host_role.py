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

"""Applies the role that prepares hosts, and takes it back."""

import re

from tests.zuul.lab import base

# Pages, of 2 MiB, and MiB: the machine has better uses for its memory.
PAGES = 8
RAMDISK_MIB = 16

# Everything on the host that the role may touch
STATE = r"""
cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
findmnt --raw --noheadings --output TARGET,FSTYPE,SOURCE,OPTIONS |
    grep '^/\(run\|tmp\)/'
ls -d /run/* /tmp/mempage-* || true
"""


class HostRoleTest(base.RoleTest):

    role = 'mempage_host'
    # The one that has nothing enabled
    host = 'plain1'

    def setUp(self):
        super().setUp()
        self.directory = self.scratch + '/deep/ramdisk'
        self.before = self.ssh(STATE)
        self.addCleanup(self._apply, state='absent')

    def test_apply_twice_and_restore_twice(self):
        self.assertNotEqual(0, self._apply())
        self._assert_prepared()
        self.assertEqual(0, self._apply())
        self._assert_prepared()

        self.assertNotEqual(0, self._apply(state='absent'))
        self.assertEqual(self.before, self.ssh(STATE))
        self.assertEqual(0, self._apply(state='absent'))

    def test_only_what_was_added_last_is_taken_back(self):
        before = self._pages()
        self._apply()
        self._apply(pages=PAGES - 3)
        self.assertEqual(before + PAGES - 3, self._pages())

        self._add_pages(1)
        self.addCleanup(self._add_pages, -1)
        self._apply(state='absent')
        self.assertEqual(before + 1, self._pages())

    def test_mount_of_somebody_else_stays(self):
        self.ssh('sudo mkdir -p {0}; sudo mount -t tmpfs other {0}'.format(
            self.directory))
        self.addCleanup(self.ssh, 'sudo umount %s; sudo rm -r %s' % (
            self.directory, self.scratch))
        result = self._play()
        self.assertNotEqual(0, result.returncode, result.stdout)
        self.assertIn('tmpfs other is mounted there', result.stdout)
        self._apply(state='absent')
        self.assertEqual('tmpfs other', self._mounted())

    def _assert_prepared(self):
        self.assertEqual('tmpfs mempage', self._mounted())
        size = self.ssh('findmnt -bno SIZE --mountpoint ' + self.directory)
        self.assertEqual(RAMDISK_MIB * 1024 ** 2, int(size))
        self.assertEqual(int(self.before.split(maxsplit=1)[0]) + PAGES,
                         self._pages())

    def _apply(self, **changes):
        result = self._play(**changes)
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        return int(re.search(r'changed=(\d+)', result.stdout).group(1))

    def _play(self, state='present', pages=PAGES):
        return self.play(mempage_host_state=state,
                         mempage_host_hugepages='2048:%d' % pages,
                         mempage_host_ramdisk_directory=self.directory,
                         mempage_host_ramdisk_size=RAMDISK_MIB)

    def _pages(self):
        return int(self.ssh(STATE).split(maxsplit=1)[0])

    def _add_pages(self, pages):
        self.ssh('echo %d | sudo tee /sys/kernel/mm/hugepages/'
                 'hugepages-2048kB/nr_hugepages' % (self._pages() + pages))

    def _mounted(self):
        return self.ssh('findmnt -rno FSTYPE,SOURCE --mountpoint %s' %
                        self.directory).strip()
