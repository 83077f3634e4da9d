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

"""Play a role as a job does, with stand-ins for Tempest's environment."""

import json
import os
import pathlib
import subprocess
import sys

import fixtures
import testtools

ROOT = pathlib.Path(__file__).parents[3]
_PLAYBOOK = """
- name: Play a role
  hosts: all
  gather_facts: false
  roles:
    - %s
"""

# Stands for that of Zuul's executor.
_ZUUL_RETURN = """
import json
from ansible.plugins import action


class ActionModule(action.ActionBase):
    def run(self, *arguments, **kwargs):
        with open(%r, 'a') as stream:
            print(json.dumps(self._task.args['data']['zuul']), file=stream)
        return {'changed': False}
"""


class RoleTestCase(testtools.TestCase):
    """Tests of one role, in a directory of their own.

    :ivar playbook: pathlib.Path of what is played: the role, and no more
    """

    #: The name of the role.
    role = None
    #: The name of the node.
    node = 'controller'
    #: Seconds that it may take.
    limit = 120

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.playbook = self.directory / 'playbook.yaml'
        self.playbook.write_text(_PLAYBOOK % self.role)
        self._returned = self.directory / 'returned'
        (self.directory / 'zuul_return.py').write_text(
            _ZUUL_RETURN % str(self._returned))

    def install(self, **texts):
        """Put programs into Tempest's environment.

        :param texts: what is in them by their names, _ standing for -
        """
        path = self.directory / 'stack/tempest/.tox/tempest/bin'
        path.mkdir(parents=True)
        for name, text in texts.items():
            program = path / name.replace('_', '-')
            program.write_text(text)
            program.chmod(0o755)

    def returns(self):
        """List what the role has returned to Zuul of the build."""
        if not self._returned.exists():
            return []
        return [json.loads(line)
                for line in self._returned.read_text().splitlines()]

    def play(self, **variables):
        """Play the playbook, on the machine that the tests run on.

        :param variables: of the job
        :returns: a :class:`subprocess.CompletedProcess`
        """
        variables.update(
            stage_dir=str(self.directory), ansible_become=False,
            ansible_python_interpreter=sys.executable,
            devstack_base_dir=str(self.directory / 'stack'))
        return subprocess.run(
            ['ansible-playbook', '--connection', 'local', '--inventory',
             self.node + ',', '--extra-vars', json.dumps(variables),
             str(self.playbook)],
            # A job may be told to say all that there is to say.
            env=dict(os.environ, ANSIBLE_VERBOSITY='3',
                     ANSIBLE_DIFF_ALWAYS='true',
                     ANSIBLE_ROLES_PATH=str(ROOT / 'roles'),
                     ANSIBLE_ACTION_PLUGINS=str(self.directory)),
            capture_output=True, text=True, timeout=self.limit)
