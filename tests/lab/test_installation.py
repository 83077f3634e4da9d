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

import ddt

from mempage_lab import errors
from mempage_lab import installation
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import shell
from tests.lab import base

MODULE = 'lib/python3.11/site-packages/a/b.py'


class FingerprintTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.constraints = self.directory / 'constraints.txt'
        self.constraints.write_text('nova==34.0.0\n')
        self.patch_object(releases.Release, 'constraints', self.constraints)

    def test_the_same_is_found_again(self):
        first = base.openstack().venv
        self.assertIsInstance(first, pathlib.Path)
        self.assertEqual(paths.CACHE, first.parent)
        self.assertEqual(first, base.openstack().venv)

    def test_other_constraints_are_another_environment(self):
        first = base.openstack().venv
        self.constraints.write_text('nova==34.0.1\n')
        self.assertNotEqual(first, base.openstack().venv)

    def test_another_system_has_another_environment(self):
        self.assertNotEqual(base.openstack().venv,
                            base.openstack(system='debian-13').venv)

    def test_other_patches_are_another_environment(self):
        first = base.openstack().venv
        self.patch_object(installation, 'PATCHES', ())
        self.assertNotEqual(first, base.openstack().venv)

    def test_a_stock_nova_is_the_same_without_the_extension(self):
        self.assertEqual(base.openstack().venv,
                         base.openstack(stock=True).venv)

    def test_commands_are_found_in_the_environment_first(self):
        found = base.openstack()
        self.assertEqual(['%s/bin' % found.venv, *shell.PATH.split(':')],
                         found.search_path.split(':'))


@ddt.ddt
class InstallTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(installation, 'PATCHES',
                          (('a/b.py', 'old\n', 'new\n', ''),))
        self.text = 'a\nold\nb\n'
        self.calls = []
        self.patch_object(shell, 'run', self._run)
        self.openstack = base.openstack()
        self.module = self.openstack.venv / MODULE

    def _run(self, *command):
        """Stand in for venv, and for pip, which installs one module."""
        self.calls.append(command)
        if 'pip' in map(self._name, command):
            self.module.parent.mkdir(parents=True)
            self.module.write_text(self.text)

    def _name(self, word):
        return pathlib.Path(word).name

    def test_a_module_without_what_a_patch_needs_is_left_alone(self):
        self.patch_object(installation, 'PATCHES',
                          (('a/b.py', 'old\n', 'new\n', 'create_tap'),))
        self.openstack.install()
        self.assertEqual(self.text, self.module.read_text())

    def test_openstack_is_patched(self):
        self.openstack.install()
        self.assertEqual('a\nnew\nb\n', self.module.read_text())
        self.assertEqual(self.module, self.openstack.module('a/b.py'))

    @ddt.data('a\nb\n', 'old\na\nold\n')
    def test_openstack_that_the_patch_was_not_made_for(self, text):
        self.text = text
        error = self.assertRaises(errors.LabError, self.openstack.install)
        self.assertIn("'old\\n'", str(error))
        self.assertFalse((self.openstack.venv / 'complete').exists())

    def test_installed_once(self):
        self.openstack.install()
        calls = len(self.calls)
        base.openstack().install()
        self.assertEqual(calls, len(self.calls))

    def test_what_is_not_complete_is_made_anew(self):
        remains = self.openstack.venv / 'half'
        remains.mkdir(parents=True)
        self.openstack.install()
        self.assertFalse(remains.exists())

    def test_the_releases_versions_are_installed(self):
        self.openstack.install()
        make, pip = self.calls
        self.assertEqual((installation.PYTHON, '-m', 'venv',
                          self.openstack.venv), make)
        self.assertIn(self.openstack.release.constraints,
                      pip[pip.index('-c'):])
        self.assertLessEqual(set(installation.DISTRIBUTIONS), set(pip))

    def test_the_system_makes_it(self):
        other = base.openstack(system='debian-13')
        self.module = other.venv / MODULE
        run = self.patch_object(other.system, 'run')
        run.side_effect = lambda *command, visible: self._run(*command)
        other.install()
        self.assertEqual(2, len(self.calls))
        # The constraints are there.
        self.assertEqual([[paths.PACKAGE]] * 2, [
            call.kwargs['visible'] for call in run.call_args_list])


@ddt.ddt
class ExtensionTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.extension = self.directory / 'nova_mempage'
        (self.extension / 'nova_mempage').mkdir(parents=True)
        (self.extension / 'nova_mempage' / 'pages.py').write_text('one')
        (self.extension / 'pyproject.toml').write_text('[project]')
        (self.extension / 'build').mkdir()
        self.patch_object(paths, 'NOVA_EXTENSION', self.extension)
        self.openstack = base.openstack()
        self.stock = base.openstack(stock=True)
        self.openstack.venv.mkdir(parents=True)
        self.installed, self.removed = [], []
        self.patch_object(shell, 'run', self._pip)

    def _pip(self, *command):
        if 'uninstall' in command:
            self.removed.append(command[-1])
        else:
            self.installed.append(sorted(
                path.name for path in command[-1].iterdir()))

    def test_installed_once(self):
        self.openstack.settle_extension()
        self.openstack.settle_extension()
        # What an earlier build left is not built in again.
        self.assertEqual([['nova_mempage', 'pyproject.toml']],
                         self.installed)

    def test_its_sources_are_seen_by_any_system(self):
        pip = self.patch_object(shell, 'run')
        self.openstack.settle_extension()
        self.assertTrue(pip.call_args.args[-1].is_relative_to(paths.CACHE))

    @ddt.data('nova_mempage/pages.py', 'nova_mempage/new.py',
              'nova/virt/mempage.py', 'pyproject.toml')
    def test_another_one_is_installed(self, changed):
        self.openstack.settle_extension()
        path = self.extension / changed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('two')
        self.openstack.settle_extension()
        self.assertEqual(2, len(self.installed))

    def _fail_to_install(self):
        new = self.extension / 'nova_mempage' / 'new.py'
        new.touch()
        self.patch_object(shell, 'run').side_effect = ValueError
        self.assertRaises(ValueError, self.openstack.settle_extension)
        new.unlink()
        self.patch_object(shell, 'run', self._pip)

    def test_installed_again_after_a_failure(self):
        self.openstack.settle_extension()
        self._fail_to_install()
        self.openstack.settle_extension()
        self.assertEqual(2, len(self.installed))

    def test_removed_for_a_stock_nova_once(self):
        self.openstack.settle_extension()
        self.stock.settle_extension()
        self.stock.settle_extension()
        self.assertEqual(['nova-mempage'], self.removed)
        self.assertEqual(1, len(self.installed))

    def test_nothing_is_removed_where_nothing_was_installed(self):
        self.stock.settle_extension()
        self.assertEqual([], self.removed)

    def test_what_a_failure_left_is_removed(self):
        self._fail_to_install()
        self.stock.settle_extension()
        self.assertEqual(['nova-mempage'], self.removed)

    def test_removed_again_after_a_failure(self):
        self.openstack.settle_extension()
        self.patch_object(shell, 'run').side_effect = ValueError
        self.assertRaises(ValueError, self.stock.settle_extension)
        self.patch_object(shell, 'run', self._pip)
        self.stock.settle_extension()
        self.assertEqual(['nova-mempage'], self.removed)

    def test_installed_again_after_a_stock_nova(self):
        for chosen in (self.openstack, self.stock, self.openstack):
            chosen.settle_extension()
        self.assertEqual(2, len(self.installed))
