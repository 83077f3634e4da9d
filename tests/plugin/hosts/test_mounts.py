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

from mempage_tempest_plugin.hosts import mounts

MOUNTINFO = r'''
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /srv rw,nosuid - tmpfs tmpfs rw,size=1048576k
41 40 259:1 / /srv/memory rw shared:9 master:1 - xfs /dev/nvme0n1p1 rw
42 22 0:36 / /mnt/with\040blank rw - tmpfs with\040blank rw
43 41 0:37 / /srv/memory rw - tmpfs tmpfs rw
'''


@ddt.ddt
class MountsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.mounts = mounts.parse(MOUNTINFO)

    def test_parse(self):
        self.assertEqual(mounts.Mount(41, 40, '/srv/memory', '259:1', 'xfs',
                                      '/dev/nvme0n1p1', ('rw',)),
                         self.mounts[2])
        self.assertEqual(('rw', 'nosuid', 'size=1048576k'),
                         self.mounts[1].options)
        self.assertEqual('/mnt/with blank', self.mounts[3].point)

    @ddt.data(('/', '8:1'), ('/etc', '8:1'), ('/srv', '0:35'),
              ('/srv/memory2', '0:35'), ('/srv/memory', '0:37'),
              ('/srv/memory/a/b', '0:37'), ('/mnt/with blank/a', '0:36'))
    @ddt.unpack
    def test_holding(self, path, device):
        self.assertEqual(device, mounts.holding(self.mounts, path).device)

    def test_later_mount_hides_what_is_below_it(self):
        later = mounts.parse('50 40 0:50 / /srv rw - tmpfs tmpfs rw')
        found = mounts.holding(self.mounts + later, '/srv/memory/a')
        self.assertEqual('0:50', found.device)

    def test_nothing_mounted(self):
        self.assertIsNone(mounts.holding([], '/srv'))

    def test_root_that_is_its_own_parent(self):
        [root] = mounts.parse('1 1 0:2 / / rw - rootfs rootfs rw')
        self.assertEqual(root, mounts.holding([root], '/srv'))

    def test_real(self):
        with open('/proc/self/mountinfo', encoding='utf-8') as stream:
            found = mounts.parse(stream.read())
        self.assertEqual('proc', mounts.holding(found, '/proc/1').filesystem)

    @ddt.data(('/a/b', '/a', True), ('/a', '/a', True), ('/ab', '/a', False),
              ('/a', '/', True), ('/a', '/a/b', False))
    @ddt.unpack
    def test_is_below(self, path, directory, below):
        self.assertIs(below, mounts.is_below(path, directory))
