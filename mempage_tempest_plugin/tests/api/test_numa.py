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

"""Large pages of hosts with several NUMA nodes, each of which has its own."""

from tempest.lib import decorators

from mempage_tempest_plugin.declared import node_pools
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import node_pages
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import nodes


class TestNumaNodes(nodes.BaseNodeTest):
    """Hosts with large pages for guests on several NUMA nodes."""

    about = which.pages_on_nodes

    @decorators.idempotent_id('2d649dc4-14c2-4898-8829-08d5d57e9270')
    def test_fill(self):
        """Each node is handed out to its last page, and not one more"""
        self.check_refused(self.request_by_nodes(
            node_pools.NodePools.more_than_a_node))
        self.fill()
        self.check_refused(self.request_by_nodes(
            lambda left: left.unit_mib))
        self.delete_servers()

    @decorators.idempotent_id('b8ac296c-2a3f-41b5-a878-4622c97ad280')
    def test_two_cells(self):
        """A guest of two cells has the pages of each on a node of its own"""
        self.place([(host, left, left.two_cells())
                    for host, left in self.all_nodes()])
        self.delete_servers()


class TestUnevenNodes(nodes.BaseNodeTest):
    """Hosts one of whose nodes has more pages for guests than another."""

    about = which.pages_on_nodes & which.uneven_nodes

    @decorators.idempotent_id('d8381139-5d55-4553-b659-b6f4e6d1265e')
    def test_guest_finds_its_node(self):
        """A guest that is too large for a node gets another one's pages"""
        self.place([(host, left, [left.more_than_the_least()])
                    for host, left in self.all_nodes() if left.uneven])
        self.delete_servers()


class TestReservedOnNode(nodes.BaseNodeTest):
    """Hosts whose largest node has pages that guests may not have."""

    about = which.pages_on_nodes & which.reserved_on_node

    @decorators.idempotent_id('f6bbc51c-003b-4b2c-a7ca-d49e8f8788c2')
    def test_reserved_pages_stay(self):
        """A guest that needs a node's reserved pages is refused

        One that needs all others runs there before: a host that is disabled,
        down or full refuses as well.
        """
        self.on_each_host(self._check_pages_are_there)
        self.place([(host, left, [left.nodes_mib[0]])
                    for host, left in self.all_nodes()])
        self.delete_servers()
        self.on_each_host(self.wait_until_counted)
        self.check_refused(self.request_by_nodes(
            node_pools.NodePools.more_than_a_node))

    def _check_pages_are_there(self, host):
        for where, left in self.all_nodes():
            if where == host and left.reserved_node is not None:
                self.assert_agrees(node_pages.compare_reserved(
                    host.declared, left, self.before(host),
                    left.more_than_a_node()))


class TestNodeLiveMigration(nodes.BaseNodeTest, base.BaseMoveTest):
    """From one host with pages on several nodes to another one."""

    request = page_sizes.LARGE
    features = ('live_migration',)
    start_on = which.pages_on_nodes
    go_to = which.common_nodes
    take = which.first
    RAM_MIB = 64

    @classmethod
    def resource_setup(cls):
        here, there = node_pools.in_common(*cls.declared)
        cls.size_kib = here.size_kib
        cls.flavor_ram_mib = min(here.nodes_mib[0], there.nodes_mib[1],
                                 max(cls.RAM_MIB, here.unit_mib))
        super().resource_setup()

    @decorators.idempotent_id('607d472d-28aa-44bb-9e45-cd100f2a0abe')
    def test_to_another_node(self):
        """A guest gets pages of another node there if its own one is full"""
        [destination] = self.destinations
        here, there = self._pools(self.source), self._pools(destination)
        self.fill([destination])
        fillers = list(self.servers)
        [guest] = self.place([(self.source, here, [self.flavor['ram']])])
        filler = self._filler_elsewhere(fillers, guest)
        self.give_back(filler, destination)
        self.migrate_live(destination)
        self.check_moved(self.source, destination)
        pages = there.to_pages(guest.ram_mib)
        self.check_placed([
            (guest, destination, self._pools(destination),
             [{node: pages} for node in self.nodes_of(filler)])])

    def page_kib(self, host):
        return self.size_kib

    def _pools(self, host):
        return next(left for where, left in self.all_nodes()
                    if where == host and left.size_kib == self.size_kib)

    def _filler_elsewhere(self, fillers, guest):
        """Choose a server on a node whose number is not that of the guest's.

        A guest that kept the number of its node would find no pages.
        """
        return next(
            filler for filler in fillers if filler.size_kib == self.size_kib
            and filler.ram_mib >= guest.ram_mib
            and self.nodes_of(filler).keys() != self.nodes_of(guest).keys())
