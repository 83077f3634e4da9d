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


import fixtures

from mempage_lab import packages
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
