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
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.cloud import cloud


def _server(status, task=None):
    return {'status': status, 'OS-EXT-STS:task_state': task}


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

    def _of_nobody(self, server, migration):
        manager = mock.Mock()
        manager.resource_providers_client.list_resource_providers \
            .return_value = {'resource_providers': [{'uuid': 'provider'}]}
        manager.resource_providers_client.list_resource_provider_traits \
            .return_value = {'traits': []}
        manager.resource_providers_client.list_resource_provider_inventories \
            .return_value = {'inventories': {}}
        manager.resource_providers_client.get.return_value = None, json.dumps({
            'allocations': {uuid: {'resources': {'MEMORY_MB': 64}}
                            for uuid in ('here', 'other')}})
        servers = manager.servers_client
        servers.list_servers.return_value = {'servers': [{'id': 'here'}]}
        servers.show_server.side_effect = [
            {'server': server} if server else lib_exc.NotFound()]
        manager.migrations_client.list_migrations.return_value = {
            'migrations': [{'uuid': 'other', 'status': migration}]}
        return cloud.Cloud(manager).memory_of_nobody('host', 'service')

    @ddt.data(
        # A server that is elsewhere.
        (_server('ACTIVE'), None, True),
        (_server('ACTIVE', 'migrating'), None, False),
        (_server('BUILD'), None, False),
        (_server('VERIFY_RESIZE'), None, False),
        # A migration, or nobody that Nova knows.
        (None, 'completed', True),
        (None, 'error', True),
        (None, 'running', False),
        (None, 'finished', False))
    @ddt.unpack
    def test_memory_of_nobody(self, server, migration, expected):
        self.assertEqual({'other': 64} if expected else {},
                         self._of_nobody(server, migration))

    def test_page_size(self):
        self.assertEqual(2048, self._cloud((0, 64)).page_size('uuid'))
