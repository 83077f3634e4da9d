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

import json
from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin.cloud import cloud


@ddt.ddt
class CloudTest(base.BaseTestCase):

    def _cloud(self, *nodes):
        manager = mock.Mock()
        manager.servers_client.get.return_value = None, json.dumps({
            'pagesize_kb': 2048, 'nodes': [
                {'host_node': node, 'memory_mb': memory, 'vcpu_set': [0]}
                for node, memory in nodes]})
        return cloud.Cloud(manager)

    @ddt.data(((), {}), (((1, 64),), {1: 64}),
              (((1, 64), (0, 32)), {0: 32, 1: 64}),
              (((1, 64), (1, 32)), {1: 96}))
    @ddt.unpack
    def test_node_memory(self, nodes, expected):
        self.assertEqual(expected, self._cloud(*nodes).node_memory('uuid'))

    def test_page_size(self):
        self.assertEqual(2048, self._cloud((0, 64)).page_size('uuid'))
