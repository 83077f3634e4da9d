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

from mempage_lab import constraints
from mempage_lab import errors
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import shell
from tests.lab import base


class ConstraintsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(packages, 'make_venv', self._make_venv)
        self.pip = self.patch_object(shell, 'run')
        self.pip.return_value = 'nova==34.0.0\n'
        self.target = self.directory / 'constraints.txt'

    def _make_venv(self, directory, *arguments):
        directory.mkdir()
        self.venv, self.arguments = directory, arguments

    def test_renew(self):
        constraints.renew(self.target)
        self.assertEqual('nova==34.0.0\n', self.target.read_text())
        self.assertFalse(self.venv.exists())
        self.assertEqual(self.venv / 'bin' / 'pip', self.pip.call_args.args[0])

    def test_all_that_is_installed_anywhere_is_in_it(self):
        constraints.renew(self.target)
        for name in (*packages.OPENSTACK, *constraints.SERIES, 'tox',
                     '%s[lab]' % paths.PACKAGE.parent):
            self.assertIn(name, self.arguments)
        for argument in self.arguments:
            if argument.startswith('-r'):
                self.assertTrue(pathlib.Path(argument[2:]).exists())

    def test_outside_a_checkout(self):
        self.patch_object(paths, 'PACKAGE', self.directory / 'mempage_lab')
        error = self.assertRaises(errors.LabError, constraints.renew,
                                  self.target)
        self.assertIn('is no checkout of this project', str(error))
        self.assertFalse(self.target.exists())
