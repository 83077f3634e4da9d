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

import subprocess
from unittest import mock

import ddt
import fixtures
from oslotest import base

from mempage_tempest_plugin.changes import pool_size
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.hosts import ssh

POOL = pools.NodePool(1, 2048, 10, 10, 0)


@ddt.ddt
class ChangeTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = self.useFixture(fixtures.TempDir()).join('nr_hugepages')
        with open(self.path, 'w') as stream:
            stream.write('10\n')
        self.ssh = mock.Mock(spec=ssh.SSHConnection)
        self.ssh.execute.side_effect = self._execute

    def _execute(self, command, root):
        self.assertTrue(root)
        *command, by_node, without_node = command
        self.assertEqual('/sys/devices/system/node/node1/hugepages/'
                         'hugepages-2048kB/nr_hugepages', by_node)
        self.assertEqual('/sys/kernel/mm/hugepages/hugepages-2048kB/'
                         'nr_hugepages', without_node)
        return mock.Mock(stdout=subprocess.run(
            [*command, *self.paths], check=True, capture_output=True,
            text=True).stdout)

    @ddt.data(True, False)
    def test_the_kernel_is_asked_and_answers(self, knows_nodes):
        self.paths = ([self.path, '/nonexistent/a'] if knows_nodes
                      else ['/nonexistent/a', self.path])
        host = mock.Mock(ssh=self.ssh)
        self.assertEqual(12, pool_size.change(host, POOL, 12))
        with open(self.path) as stream:
            self.assertEqual('12\n', stream.read())
