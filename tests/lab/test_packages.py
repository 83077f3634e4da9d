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
import shutil

import ddt
import fixtures

from mempage_lab import errors
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import shell
from tests.lab import base

DPKG = """\
#!/bin/sh
echo a installed
echo b config-files
echo c not-installed
echo 'dpkg-query: no packages found matching d' >&2
exit 1
"""


@ddt.ddt
class PackagesTest(base.LabTestCase):

    def _path(self, name, script):
        path = self.directory / 'bin' / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
        self.useFixture(fixtures.EnvironmentVariable(
            'PATH', '%s:/usr/bin:/bin' % path.parent))

    def test_missing(self):
        self._path('dpkg-query', DPKG)
        self.assertEqual(['b', 'c', 'd'],
                         packages.missing(('d', 'c', 'b', 'a', 'b')))

    def _openstack(self, text):
        self.patch_object(packages, 'venv').return_value = self.directory
        self.patch_object(packages, 'PATCHES', (('a/b.py', 'old\n', 'new\n'),))
        self.patch_object(shutil, 'rmtree')
        self.module = (self.directory / 'lib' / 'python3.11' / 'site-packages'
                       / 'a' / 'b.py')
        self.module.parent.mkdir(parents=True)
        self.patch_object(packages, 'make_venv',
                          lambda *arguments: self.module.write_text(text))

    def test_openstack_is_patched(self):
        self._openstack('a\nold\nb\n')
        packages.install_openstack()
        self.assertEqual('a\nnew\nb\n', self.module.read_text())

    @ddt.data('a\nb\n', 'old\na\nold\n')
    def test_openstack_that_the_patch_was_not_made_for(self, text):
        self._openstack(text)
        error = self.assertRaises(errors.LabError,
                                  packages.install_openstack)
        self.assertIn("'old\\n'", str(error))
        self.assertFalse((self.directory / 'complete').exists())

    def test_nothing_is_installed_twice(self):
        self.patch_object(packages, 'missing').return_value = []
        run = self.patch_object(shell, 'run')
        packages.install_debian(['a'])
        run.assert_not_called()

    def test_no_service_is_started(self):
        policy = self.directory / 'policy-rc.d'
        self.patch_object(packages, 'POLICY', policy)
        self.patch_object(packages, 'missing').return_value = ['a']
        self.patch_object(packages, '_enabled_units').side_effect = [
            {'old.service'}, {'old.service', 'new.service'}]
        calls = []
        self.patch_object(shell, 'run', lambda *command, **kwargs:
                          calls.append((command, policy.exists())))
        packages.install_debian(['a'])
        install, disable = calls[1:]
        self.assertEqual('a', install[0][-1])
        self.assertTrue(install[1], 'no policy while packages install')
        self.assertEqual(('systemctl', 'disable', 'new.service'), disable[0])
        self.assertFalse(policy.exists())

    def test_a_policy_of_the_machines_own_stays(self):
        policy = self.directory / 'policy-rc.d'
        policy.write_text('#!/bin/sh\nexit 0\n')
        self.patch_object(packages, 'POLICY', policy)
        self.patch_object(packages, 'missing').return_value = ['a']
        self.patch_object(packages, '_enabled_units').return_value = set()
        self.patch_object(shell, 'run')
        packages.install_debian(['a'])
        self.assertEqual('#!/bin/sh\nexit 0\n', policy.read_text())

    def _extension(self):
        extension = self.directory / 'nova_mempage'
        (extension / 'nova_mempage').mkdir(parents=True)
        (extension / 'nova_mempage' / 'pages.py').write_text('one')
        (extension / 'pyproject.toml').write_text('[project]')
        (extension / 'build').mkdir()
        self.patch_object(paths, 'NOVA_EXTENSION', extension)
        (self.directory / 'venv').mkdir()
        self.patch_object(packages, 'venv').return_value = (
            self.directory / 'venv')
        self.installed = []
        self.patch_object(shell, 'run', self._install)
        return extension

    def _install(self, *command):
        self.installed.append(sorted(
            path.name for path in command[-1].iterdir()))

    def test_extension_is_installed_once(self):
        self._extension()
        packages.install_extension()
        packages.install_extension()
        # What an earlier build left is not built in again.
        self.assertEqual([['nova_mempage', 'pyproject.toml']],
                         self.installed)

    def test_other_extension_is_installed(self):
        extension = self._extension()
        packages.install_extension()
        (extension / 'nova_mempage' / 'pages.py').write_text('two')
        packages.install_extension()
        self.assertEqual(2, len(self.installed))

    def test_extension_is_installed_again_after_a_failure(self):
        self._extension()
        packages.install_extension()
        (paths.NOVA_EXTENSION / 'nova_mempage' / 'new.py').touch()
        self.patch_object(shell, 'run').side_effect = ValueError
        self.assertRaises(ValueError, packages.install_extension)
        (paths.NOVA_EXTENSION / 'nova_mempage' / 'new.py').unlink()
        self.patch_object(shell, 'run', self._install)
        packages.install_extension()
        self.assertEqual(2, len(self.installed))

    def test_other_constraints_are_another_environment(self):
        constraints = self.directory / 'constraints.txt'
        self.patch_object(packages, 'CONSTRAINTS', constraints)
        constraints.write_text('nova==34.0.0\n')
        packages.fingerprint.cache_clear()
        self.addCleanup(packages.fingerprint.cache_clear)
        first = packages.venv()
        constraints.write_text('nova==34.0.1\n')
        packages.fingerprint.cache_clear()
        self.assertNotEqual(first, packages.venv())
        self.assertIsInstance(first, pathlib.Path)
