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


import pathlib
import platform
import subprocess
import sys

import ddt

from mempage_lab import errors
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import preflight
from mempage_lab import shell
from mempage_lab import systems
from tests.lab import base

# Tests of all else have a machine of their own choice.
machine_name = systems.machine_name.__wrapped__


@ddt.ddt
class MachineTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.system = systems.System('debian-12')
        self.run = self.patch_object(shell, 'run')

    def test_its_files_are_the_machines(self):
        self.assertTrue(self.system.is_machine)
        self.assertEqual(pathlib.Path('/etc/passwd'),
                         self.system.seen('/etc/passwd'))

    def test_its_supervisor_is_the_labs(self):
        self.assertEqual(pathlib.Path(sys.prefix, 'bin'),
                         self.system.supervisor)

    def test_there_is_nothing_to_make(self):
        self.system.make()
        self.run.assert_not_called()

    def test_extra_packages_are_installed(self):
        installed = self.patch_object(packages, 'install_debian')
        systems.System('debian-12', ['a']).make()
        installed.assert_called_once_with(('a',))

    def test_run(self):
        self.system.run('true', visible=[self.directory], cwd='/')
        self.run.assert_called_once_with('true', cwd='/')

    @ddt.data({'ID': 'debian', 'VERSION_ID': '12'}, {'ID': 'debian'})
    def test_name(self, release):
        self.patch_object(platform, 'freedesktop_os_release',
                          lambda: release)
        self.assertEqual('debian-' + release.get('VERSION_ID', '?'),
                         machine_name())

    def test_the_lab_runs_where_it_can_be_run(self):
        self.assertEqual(set(systems.DEBIANS), {
            '-'.join(known) for known in preflight.SYSTEMS})


class TreeTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.system = systems.System('debian-13')
        self.installed = self.patch_object(packages, 'install_debian')
        self.copied = self.directory / 'resolv.conf'
        self.copied.write_text('nameserver 10.0.0.1\n')
        self.patch_object(systems, '_COPIED', (
            str(self.copied), str(self.directory / 'nothing')))
        self.patch_object(systems, 'mirror').return_value = 'http://mirror'
        self.commands = []
        self.patch_object(shell, 'run', self._run)

    def _run(self, *command, **kwargs):
        """Stand in for mmdebstrap, which makes a directory."""
        command = list(map(str, command))
        self.commands.append(command)
        if 'mmdebstrap' in command:
            pathlib.Path(command[-2]).mkdir()
        if command[0] == 'rm':
            subprocess.run(command, check=True)

    def test_its_files_are_in_the_cache(self):
        self.assertFalse(self.system.is_machine)
        self.assertEqual(paths.CACHE, self.system.root.parent)
        self.assertEqual(self.system.root / 'etc' / 'passwd',
                         self.system.seen('/etc/passwd'))

    def test_each_has_its_own(self):
        self.machine.return_value = 'debian-11'
        self.assertNotEqual(systems.System('debian-12').root,
                            self.system.root)

    def test_other_packages_are_another_tree(self):
        first = self.system.root
        self.patch_object(systems, 'TREE_PACKAGES', ('a',))
        self.assertNotEqual(first, systems.System('debian-13').root)

    def test_extra_packages(self):
        extended = systems.System('debian-13', ['b'])
        self.assertNotEqual(self.system.root, extended.root)
        extended.make()
        [command] = self.commands
        self.assertIn('--include=%s,b' % ','.join(systems.TREE_PACKAGES),
                      command)

    def test_its_supervisor_is_its_own(self):
        self.assertIn('supervisor', systems.TREE_PACKAGES)
        self.assertEqual(pathlib.Path('/usr/bin'), self.system.supervisor)

    def test_made_once(self):
        self.system.make()
        self.installed.assert_called_once_with(['mmdebstrap'])
        [command] = self.commands
        self.assertEqual(['trixie', 'http://mirror'],
                         [command[-3], command[-1]])
        self.assertIn('--include=' + ','.join(systems.TREE_PACKAGES),
                      command)
        self.assertTrue(self.system.root.is_dir())
        self.system.make()
        self.assertEqual(1, len(self.commands))

    def test_it_finds_the_network(self):
        self.system.make()
        self.assertEqual(self.copied.read_text(),
                         self.system.seen(self.copied).read_text())

    def test_half_a_tree_is_none(self):
        def fail(*command):
            self._run(*command)
            raise errors.CommandFailed(command, 1, 'no space')
        self.patch_object(shell, 'run', fail)
        self.assertRaises(errors.LabError, self.system.make)
        self.assertFalse(self.system.root.exists())
        self.patch_object(shell, 'run', self._run)
        self.system.make()
        self.assertTrue(self.system.root.exists())
        self.assertEqual([self.system.root], list(paths.CACHE.iterdir()))

    def test_run(self):
        self.system.run('pip', 'a b', visible=['/seen'])
        [command] = self.commands
        script = command[command.index('-c') + 1]
        subprocess.run(['sh', '-n', '-c', script], check=True)
        for path in (paths.CACHE, '/seen'):
            self.assertIn('mount --rbind "{0}" "$root/{0}"'.format(path),
                          script)
        self.assertEqual([str(self.system.root), 'pip', 'a b'],
                         command[-3:])
        self.assertTrue(script.endswith('exec chroot "$root" "$@"'))

    def test_no_mount_is_the_machines(self):
        self.system.make()
        self.system.run('true')
        for command in self.commands:
            self.assertLess(command.index('unshare'),
                            command.index('--mount'))
            self.assertIn('private', command)

    def _passwd(self):
        passwd = self.system.seen('/etc/passwd')
        passwd.parent.mkdir(parents=True)
        passwd.write_text('root:x:0:0:root:/root:/bin/bash\n'
                          'mysql:x:101:102::/nonexistent:/bin/false\n')

    def test_uid(self):
        self._passwd()
        self.assertEqual((0, 0), self.system.uid('root'))
        self.assertEqual((101, 102), self.system.uid('mysql'))

    def test_no_such_user(self):
        self._passwd()
        error = self.assertRaises(errors.LabError, self.system.uid, 'sql')
        self.assertEqual('debian-13 has no user sql', str(error))


@ddt.ddt
class MirrorTest(base.LabTestCase):

    @ddt.data(
        (['http://a/debian bookworm main'], 'http://a/debian'),
        (['http://vendor/apt ./ ', 'http://vendor/apt nodistro main',
          'http://a/debian bookworm-security main',
          'http://a/debian bookworm contrib', 'http://b trixie main'],
         'http://b'),
        (['http://vendor/apt stable main'], systems.MIRROR),
        ([], systems.MIRROR))
    @ddt.unpack
    def test_that_of_the_machines_packages(self, lines, expected):
        self.patch_object(shell, 'run').return_value = '\n'.join(lines)
        self.assertEqual(expected, systems.mirror())
