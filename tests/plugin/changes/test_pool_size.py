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
        self._write(10)
        self.useFixture(fixtures.MockPatchObject(
            pool_size, 'KEPT',
            self.useFixture(fixtures.TempDir()).join('kept')))
        self.paths = [self.path, '/nonexistent/a']
        self.host = mock.Mock(ssh=mock.Mock(spec=ssh.SSHConnection))
        self.host.ssh.execute.side_effect = self._execute

    def _write(self, pages):
        with open(self.path, 'w') as stream:
            stream.write('%d\n' % pages)

    def _read(self):
        with open(self.path) as stream:
            return int(stream.read())

    def _execute(self, command, root, check=True):
        self.assertTrue(root)
        if command[-1].startswith('/sys'):
            *command, by_node, without_node = command
            self.assertEqual('/sys/devices/system/node/node1/hugepages/'
                             'hugepages-2048kB/nr_hugepages', by_node)
            self.assertEqual('/sys/kernel/mm/hugepages/hugepages-2048kB/'
                             'nr_hugepages', without_node)
            command += self.paths
        done = subprocess.run(command, check=check, capture_output=True,
                              text=True)
        return mock.Mock(stdout=done.stdout, status=done.returncode)

    @ddt.data(True, False)
    def test_the_kernel_is_asked_and_answers(self, knows_nodes):
        self.paths = ([self.path, '/nonexistent/a'] if knows_nodes
                      else ['/nonexistent/a', self.path])
        self.assertEqual(12, pool_size.change(self.host, POOL, 12))
        self.assertEqual(12, self._read())

    def test_put_back(self):
        """Whoever changes it twice, or was killed in between"""
        self.assertFalse(pool_size.is_left(self.host))
        for pages in 12, 14:
            pool_size.change(self.host, POOL, pages)
            self.assertTrue(pool_size.is_left(self.host))
        pool_size.put_back(self.host)
        self.assertEqual(10, self._read())
        self.assertFalse(pool_size.is_left(self.host))
        self._write(20)
        pool_size.put_back(self.host)
        self.assertEqual(20, self._read())

    def test_surplus_is_no_pool(self):
        """The kernel would make pages of the pool of it"""
        pool_size.change(self.host, pools.NodePool(1, 2048, 10, 10, 3), 12)
        pool_size.put_back(self.host)
        self.assertEqual(7, self._read())

    def test_what_cannot_be_put_back_stays_known(self):
        pool_size.change(self.host, POOL, 12)
        os.rename(self.path, self.path + '.gone')
        os.mkdir(self.path)
        self.assertRaises(subprocess.CalledProcessError, pool_size.put_back,
                          self.host)
        self.assertTrue(pool_size.is_left(self.host))
