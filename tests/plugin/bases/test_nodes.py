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

"""Tests of what tests assert that count the pages of NUMA nodes."""

import dataclasses
from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import node_pools
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import numa_maps
from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.hosts import pools as host_pools
from mempage_tempest_plugin.hosts import survey
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import nodes
from mempage_tempest_plugin.tests.bases import pools
from tests.plugin.bases import cases
from tests.plugin import samples

DECLARED = dataclasses.replace(samples.PLAIN, name='numa1', pools=(
    inventory.DeclaredPool(2048, 64, 0), inventory.DeclaredPool(2048, 192, 1)))
FREE = {0: 64, 1: 192}


class _Case(nodes.BaseNodeTest):
    """It boots guests on the nodes that it is told."""

    _flavors = {}

    @classmethod
    def create_flavor(cls, extra_specs, ram_mib, request=None, vcpus=None):
        return {'ram': ram_mib, 'cells': extra_specs, 'vcpus': vcpus}

    def boot(self, host, flavor):
        server = servers.RequestedServer(
            'uuid-%d' % len(self.servers), flavor['ram'], host=host.name,
            status='ACTIVE')
        self.servers.append(server)
        self.booted.append(flavor)
        return server


class NodeTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.useFixture(fixtures.MockPatch('time.sleep'))
        for name in ('wait_until_counted', 'check_host'):
            self.useFixture(fixtures.MockPatchObject(_Case, name))
        self.useFixture(fixtures.MockPatchObject(
            pools.BasePoolTest, 'RELEASE_TIMEOUT', 0.01))
        self.useFixture(fixtures.MockPatchObject(
            page_holders, 'find', return_value=[]))
        self.useFixture(fixtures.MockPatchObject(
            domain_xml, 'node_memory', self._told_of))
        self.useFixture(fixtures.MockPatchObject(
            collect, 'collect', self._collect))
        self.useFixture(fixtures.MockPatch(
            'mempage_tempest_plugin.evidence.server_memory.compare',
            return_value=mock.Mock(disagreements=[], document=lambda: {
                'kind': 'facts'})))
        #: Where guests have pages: dicts of pages by node, by UUID.
        self.on_nodes = {}
        self.host = cases.host('numa1', declared=DECLARED)
        self.host.survey.side_effect = self._survey
        self.host.libvirt.xml.side_effect = lambda uuid: uuid
        self.case = cases.make(
            _Case, hosts=[self.host], nova=mock.Mock(), cloud=mock.Mock(),
            services=mock.Mock(), booted=[])
        self.case.cloud.node_memory.side_effect = self._told_of
        self.case.cloud.allocated_memory.return_value = {}

    def _told_of(self, uuid):
        return {node: 2 * pages
                for node, pages in self.on_nodes.get(uuid, {}).items()}

    def _survey(self, guests=(), **_):
        taken = {node: sum(found.get(node, 0) for found
                           in self.on_nodes.values()) for node in FREE}
        return samples.host_survey(
            pools=[host_pools.NodePool(node, 2048, free, free - taken[node], 0)
                   for node, free in FREE.items()],
            processes={guest: [survey.Process(1, 1, [], [
                numa_maps.NodePages(node, 2048, pages)
                for node, pages in self.on_nodes[guest].items()])]
                for guest in guests})

    def _collect(self, host, uuid, ram_mib, api):
        return dataclasses.replace(samples.large_page_evidence(
            server=cloud.Server(uuid, 'ACTIVE', 'numa1', 'i')),
            survey=self._survey([uuid]))

    def _place(self, *cells, **on_nodes):
        """Have a guest placed on nodes: node0=8."""
        self.on_nodes['uuid-%d' % len(self.case.servers)] = {
            int(name[-1]): pages for name, pages in on_nodes.items()}
        [(host, left)] = self.case.all_nodes()
        [server] = self.case.place([(host, left, list(cells))])
        return server

    def test_placed(self):
        server = self._place(130, node1=65)
        self.assertEqual({1: 65}, self.case.nodes_of(server))
        [(host, left)] = self.case.all_nodes()
        self.assertIs(self.host, host)
        self.assertEqual({0: 64, 1: 127}, left.pages)

    def test_placed_on_the_wrong_node(self):
        error = cases.assert_fails(self, self._place, 130, node0=65)
        for text in ('host numa1', 'uuid-0', 'expected {1: 65}',
                     'kernel says {0: 65}'):
            self.assertIn(text, str(error))

    def test_pages_of_both_nodes(self):
        cases.assert_fails(self, self._place, 130, node0=1, node1=64)

    def test_what_others_have_is_no_more_there(self):
        self._place(384, node1=192)
        # 64 pages are on node 0 only now.
        cases.assert_fails(self, self._place, 16, node1=8)

    def test_other_node_loses_pages(self):
        self.host.survey.side_effect = lambda **kwargs: dataclasses.replace(
            self._survey(**kwargs), pools=[
                host_pools.NodePool(0, 2048, 64, 63, 0),
                host_pools.NodePool(1, 2048, 192, 128, 0)])
        error = cases.assert_fails(self, self._place, 130, node1=65)
        self.assertIn('free pages of 2048 KiB on node 0: expected 64',
                      str(error))

    def test_refused(self):
        def boot(host, flavor):
            server = servers.RequestedServer(
                'uuid-0', flavor['ram'], status='ERROR', fault='No valid host')
            self.case.servers.append(server)
            return server

        self.case.boot = boot
        error = str(cases.assert_fails(self, self._place, 130))
        for text in ('host numa1', 'uuid-0', '{1: 65}', 'No valid host'):
            self.assertIn(text, error)

    def test_two_cells(self):
        self._place(130, 32, node1=65, node0=16)
        [flavor] = self.case.booted
        self.assertEqual((162, 2, {
            'hw:numa_nodes': '2', 'hw:numa_mem.0': '130',
            'hw:numa_cpus.0': '0', 'hw:numa_mem.1': '32',
            'hw:numa_cpus.1': '1'}),
            (flavor['ram'], flavor['vcpus'], flavor['cells']))

    def test_two_cells_on_one_node(self):
        cases.assert_fails(self, self._place, 130, 32, node1=81)

    def test_fill(self):
        self.on_nodes = {'uuid-0': {1: 192}}
        place = self.case.place

        def place_next(wanted):
            self.on_nodes['uuid-%d' % len(self.case.servers)] = {
                {384: 1, 128: 0}[wanted[0][2][0]]: wanted[0][2][0] // 2}
            return place(wanted)

        self.case.place = place_next
        self.case.fill()
        self.assertEqual([384, 128], [server.ram_mib for server
                                      in self.case.servers])
        [(_, left)] = self.case.all_nodes()
        self.assertEqual({0: 0, 1: 0}, left.pages)

    def test_give_back(self):
        server = self._place(384, node1=192)
        self._place(128, node0=64)
        del self.on_nodes[server.uuid]
        self.case.give_back(server, self.host)
        self.case.nova.delete.assert_called_once_with([server.uuid])
        [(_, left)] = self.case.all_nodes()
        self.assertEqual({0: 0, 1: 192}, left.pages)
        self.assertEqual(1, len(self.case.servers))

    def test_not_given_back(self):
        server = self._place(384, node1=192)
        error = cases.assert_fails(self, self.case.give_back, server,
                                   self.host)
        self.assertIn('free pages of 2048 KiB', str(error))

    def test_deleted(self):
        self._place(384, node1=192)
        self.on_nodes.clear()
        self.case.delete_servers()
        [(_, left)] = self.case.all_nodes()
        self.assertEqual(FREE, left.pages)

    def test_request_by_nodes(self):
        with mock.patch.object(self.case, 'request_at_once') as request:
            self.case.request_by_nodes(node_pools.NodePools.more_than_a_node)
        request.assert_called_once_with([(386, 2048, self.host)])
