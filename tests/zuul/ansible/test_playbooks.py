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

import os
import pathlib
import subprocess

import ddt
import fixtures
import testtools
import yaml

ROOT = pathlib.Path(__file__).parents[3]
PLAYBOOKS = sorted((ROOT / 'playbooks').glob('*.yaml'))
EXAMPLE = ROOT / 'doc' / 'source' / 'zuul' / 'prepare.yaml'


@ddt.ddt
class PlaybooksTest(testtools.TestCase):
    """Ansible finds no fault in the playbooks, and finds those put in."""

    def setUp(self):
        super().setUp()
        # ansible-lint makes up the same.
        self.elsewhere = yaml.safe_load((ROOT / '.ansible-lint').read_text())
        self.roles = self._roles_elsewhere()
        self.modules = self._modules_elsewhere()

    @ddt.data(*PLAYBOOKS, EXAMPLE)
    def test_syntax(self, playbook):
        result = self._check(playbook.read_text())
        self.assertEqual(0, result.returncode, result.stderr)

    @ddt.unpack
    @ddt.data(
        ('role: mempage_host', 'role: mempage_hosts',
         "the role 'mempage_hosts' was not found"),
        ('role: copy-build-sshkey', 'role: copy-sshkey',
         "the role 'copy-sshkey' was not found"),
        ('  hosts: all', '  host: all', "'host' is not a valid attribute"),
        ('        mempage_host_hugepages:', '       mempage_host_hugepages:',
         'YAML parsing failed'))
    def test_fault_is_found(self, right, wrong, message):
        text = (ROOT / 'playbooks' / 'pre.yaml').read_text()
        self.assertIn(right, text)
        result = self._check(text.replace(right, wrong))
        self.assertNotEqual(0, result.returncode, result.stdout)
        self.assertRegex(result.stderr, message)

    def _check(self, text):
        playbook = pathlib.Path(self.useFixture(fixtures.TempDir()).path,
                                'playbook.yaml')
        playbook.write_text(text)
        roles = '%s:%s' % (ROOT / 'roles', self.roles)
        return subprocess.run(
            ['ansible-playbook', '--syntax-check', '--inventory',
             'controller,', str(playbook)],
            env=dict(os.environ, ANSIBLE_ROLES_PATH=roles,
                     ANSIBLE_LIBRARY=str(self.modules)),
            capture_output=True, text=True, timeout=60)

    def _roles_elsewhere(self):
        directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for role in self.elsewhere['mock_roles']:
            tasks = directory / role / 'tasks'
            tasks.mkdir(parents=True)
            (tasks / 'main.yaml').write_text('[]\n')
        return directory

    def _modules_elsewhere(self):
        directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for module in self.elsewhere['mock_modules']:
            (directory / (module + '.py')).touch()
        return directory
