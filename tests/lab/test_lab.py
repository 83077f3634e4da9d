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


from unittest import mock

import ddt

from mempage_lab import errors
from mempage_lab import hugepages
from mempage_lab import lab
from mempage_lab import network
from mempage_lab import optional_pools
from mempage_lab import paths
from mempage_lab import preflight
from mempage_lab import progress
from mempage_lab import secrets
from mempage_lab import topology
from tests.lab import base

HOSTS = """\
network: 10.7.0.0/23
hosts:
  a: {pools: [{size_kib: 2048, pages: 50},
              {size_kib: 1048576, pages: 2, optional: true}]}
"""


@ddt.ddt
class ChooseTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        for name in ('check_system', 'check_kernel', 'check_resources'):
            self.patch_object(preflight, name)
        self.patch_object(network, 'used_networks').return_value = []
        self.namespaces = self.patch_object(network, 'namespaces')
        self.namespaces.return_value = []
        self.patch_object(secrets, 'load')
        self.patch_object(hugepages, 'before').return_value = {}
        self.patch_object(lab.controller, 'Controller')
        self.patch_object(lab.compute, 'Compute')
        self.settle = self.patch_object(optional_pools, 'settle')
        self.path = self.write_topology(HOSTS)
        self.wanted = topology.load(self.path, [])
        self.without = self.wanted.without_optional([1048576])

    def _choose(self, path=None):
        return lab.choose(path or self.path,
                          mock.Mock(spec=progress.Progress)).topology

    def _first(self, settled):
        self.settle.return_value = settled
        chosen = self._choose()
        self.namespaces.return_value = ['mempage-a']
        return chosen

    @ddt.data(True, False)
    def test_what_is_left_out_stays_out(self, built):
        settled = self.wanted if built else self.without
        self.assertEqual(settled, self._first(settled))
        self.assertEqual(settled, topology.load(paths.TOPOLOGY, []))
        self.assertEqual(settled, self._choose())
        self.settle.assert_called_once()

    @ddt.data(True, False)
    def test_another_topology_is_refused(self, built):
        self._first(self.wanted if built else self.without)
        other = self.directory / 'other.yaml'
        other.write_text(HOSTS.replace('pages: 50', 'pages: 51'))
        error = self.assertRaises(errors.LabError, self._choose, other)
        self.assertIn('up with another topology', str(error))
