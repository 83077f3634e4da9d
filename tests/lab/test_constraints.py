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

from mempage_lab import constraints
from mempage_lab import errors
from mempage_lab import installation
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import shell
from tests.lab import base

OLD = [release for release in releases.RELEASES.values()
       if release != releases.NEWEST]


@ddt.ddt
class ConstraintsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(installation, 'make_venv', self._make_venv)
        self.pip = self.patch_object(shell, 'run')
        self.pip.return_value = 'nova==34.0.0\n'
        self.target = self.directory / 'constraints.txt'
        self.patch_object(releases.Release, 'constraints', self.target)

    def _make_venv(self, directory, *arguments):
        directory.mkdir()
        self.venv, self.arguments = directory, arguments

    def test_renew(self):
        constraints.renew(releases.NEWEST)
        self.assertEqual('nova==34.0.0\n', self.target.read_text())
        self.assertFalse(self.venv.exists())
        self.assertEqual(self.venv / 'bin' / 'pip', self.pip.call_args.args[0])

    @ddt.data(*releases.RELEASES.values())
    def test_all_that_the_lab_installs_is_in_it(self, release):
        constraints.renew(release)
        for name in (*installation.DISTRIBUTIONS, *release.requirements):
            self.assertIn(name, self.arguments)
        files = [pathlib.Path(argument[2:]) for argument in self.arguments
                 if argument.startswith('-r')]
        for path in files:
            self.assertTrue(path.exists(), path)
        # Those of the extension, which is tested with each.
        self.assertIn('nova_mempage', [path.parent.name for path in files])

    def test_all_that_is_installed_anywhere_is_in_the_newest(self):
        constraints.renew(releases.NEWEST)
        for name in (*constraints.TOOLS, '%s[lab]' % paths.PACKAGE.parent,
                     *('-r%s' % (paths.PACKAGE.parent / name)
                       for name in constraints.REQUIREMENTS)):
            self.assertIn(name, self.arguments)

    @ddt.data(*OLD)
    def test_older_ones_are_of_openstack_alone(self, release):
        constraints.renew(release)
        self.assertNotIn('-e', self.arguments)
        self.assertEqual(set(), set(constraints.TOOLS) & set(self.arguments))

    def _upper(self):
        return [after for word, after in zip(self.arguments,
                                             self.arguments[1:])
                if word == '-c']

    def test_the_newest_is_as_new_as_can_be(self):
        constraints.renew(releases.NEWEST)
        self.assertEqual([], self._upper())

    @ddt.data(*OLD)
    def test_older_ones_are_as_they_were_tested(self, release):
        constraints.renew(release)
        [upper] = self._upper()
        self.assertRegex(upper, '^https://.*/%s$' % release.name)

    @ddt.data(OLD[0], releases.NEWEST)
    def test_as_the_user_says(self, release):
        constraints.renew(release, '/upper.txt')
        self.assertEqual(['/upper.txt'], self._upper())

    def test_outside_a_checkout(self):
        self.patch_object(paths, 'PACKAGE', self.directory / 'mempage_lab')
        error = self.assertRaises(errors.LabError, constraints.renew,
                                  releases.NEWEST)
        self.assertIn('is no checkout of this project', str(error))
        self.assertFalse(self.target.exists())
