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

"""Runs the project's roles on a host of the lab, for real."""

import json
import os
import pathlib
import subprocess

import testtools

ROOT = pathlib.Path(__file__).parents[3]
SSH_CONFIG = pathlib.Path('/var/lib/mempage-lab/ssh_config')


class RoleTest(testtools.TestCase):
    """Plays role.yaml on one host.

    :cvar role: the role's name
    :cvar host: the host's name in the lab
    """

    role = None
    host = None

    def setUp(self):
        super().setUp()
        self.assertTrue(SSH_CONFIG.exists(),
                        'no lab is up: run "./lab.sh up" first')
        self.scratch = '/tmp/mempage-%s' % os.urandom(8).hex()

    def play(self, **variables):
        """Run the role.

        :param variables: of the role
        :returns: the finished ansible-playbook
        """
        variables['role'] = self.role
        return subprocess.run(
            ['ansible-playbook', '--inventory', self.host + ',',
             '--ssh-common-args', '-F %s' % SSH_CONFIG,
             '--extra-vars', json.dumps(variables),
             str(pathlib.Path(__file__).with_name('role.yaml'))],
            env=dict(os.environ, ANSIBLE_ROLES_PATH=str(ROOT / 'roles'),
                     ANSIBLE_PYTHON_INTERPRETER='/usr/bin/python3',
                     ANSIBLE_PIPELINING='true'),
            capture_output=True, text=True, timeout=300)

    def ssh(self, command):
        """Run a command on the host as the lab's user.

        :param command: for the shell
        :returns: what it wrote to standard output
        """
        return subprocess.run(
            ['ssh', '-F', str(SSH_CONFIG), self.host, command], check=True,
            capture_output=True, text=True, timeout=60).stdout
