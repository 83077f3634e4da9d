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

from mempage_tempest_plugin.hosts import files

LISTING = '''d 755 0 0 64769 2 4096 8 /
d 700 64055 64055 40 3 60 0 /srv
f 644 64055 64055 40 5 201326592 393216 /srv/a b
'''


class GuestOfTest(base.BaseTestCase):

    def test_guests(self):
        for path, guest in (
                ('/m/libvirt/qemu/7-instance-1/pc.ram', '7-instance-1'),
                ('/m/libvirt/qemu/common', 'common'),
                ('/m/7-instance-1/pc.ram', '7-instance-1'),
                ('/m/7-instance-1', None), ('/m/other', None),
                ('/m/lost+found/x', None), ('/other/7-a/x', None)):
            self.assertEqual(guest, files.guest_of(path, '/m'), path)


@ddt.ddt
class FilesTest(base.BaseTestCase):

    def test_parse(self):
        found = files.parse(LISTING)['/srv/a b']
        self.assertEqual(files.File('f', 0o644, 64055, 64055, 40, 5,
                                    201326592, 201326592, '/srv/a b'), found)

    @ddt.data((0o755, 0o644, True), (0o700, 0o644, False),
              (0o755, 0o600, False), (0o755, 0o602, True),
              (0o755, 0o601, False), (0o711, 0o604, True),
              (0o744, 0o666, False), (0o1777, 0o660, False))
    @ddt.unpack
    def test_open_to_others(self, directory, file, expected):
        known = files.parse('d 755 0 0 1 2 0 0 /\n'
                            'd %o 0 0 1 3 0 0 /a\n'
                            'f %o 0 0 1 4 0 0 /a/b\n' % (directory, file))
        self.assertEqual(expected, files.open_to_others('/a/b', known))

    @ddt.data((0o700, 0, 0o660, 27, []), (0o750, 27, 0o660, 27, [27]),
              (0o755, 0, 0o640, 27, [27]), (0o755, 0, 0o600, 27, []),
              (0o750, 27, 0o660, 108, []), (0o755, 0, 0o660, 108, []),
              # Whoever is in the group gets no more than it does.
              (0o705, 27, 0o660, 27, []),
              # Others can, too: that is told elsewhere.
              (0o755, 27, 0o666, 27, []))
    @ddt.unpack
    def test_open_to_groups(self, directory, its_group, file, group,
                            expected):
        known = files.parse('d 755 0 0 1 2 0 0 /\n'
                            'd %o 0 %d 1 3 0 0 /a\n'
                            'f %o 5 %d 1 4 0 0 /a/b\n' % (
                                directory, its_group, file, group))
        self.assertEqual(expected, files.open_to_groups('/a/b', known, 108))

    @ddt.data((0o600, [], []), (0o600, ['/a/b'], ['/a/b']),
              (0o600, ['/a'], []), (0o640, ['/a', '/'], ['/a', '/']))
    @ddt.unpack
    def test_acls(self, file, acls, expected):
        known = files.parse(
            'd 755 0 0 1 2 0 0 /\nd 700 0 0 1 3 0 0 /a\n'
            'f %o 5 5 1 4 0 0 /a/b\n' % file + ''.join(
                'acl %s\n' % path for path in acls))
        self.assertEqual(expected, files.acls('/a/b', known))

    def test_unknown_directory(self):
        known = files.parse('f 644 0 0 1 4 0 0 /a/b\n')
        self.assertRaises(KeyError, files.open_to_others, '/a/b', known)
