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

"""What tests share that count the pages of each NUMA node."""

import collections

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import node_pools
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.evidence import node_pages
from mempage_tempest_plugin.evidence import server_memory
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.tests.bases import pools


class BaseNodeTest(pools.BasePoolTest):
    """Tests that know on which NUMA nodes guests may have their pages.

    Their hosts have to be which.pages_on_nodes. Guests take all pages of a
    node, or nearly so.
    """

    promises = ('fill_pools',)

    def setUp(self):
        super().setUp()
        # What is left for guests: node_pools.NodePools by host and size.
        self._left = {}
        # Dicts of pages by node, by UUID of the guest that has them.
        self._placed = {}
        self.on_each_host(self.check_host, self.note_pools)
        self._note_left()

    def _note_left(self):
        for host in self.hosts:
            for found in node_pools.of_host(host.declared):
                self._left[host, found.size_kib] = found

    def all_nodes(self):
        """Return what is left for guests on all hosts.

        :returns: list of (compute_host.ComputeHost, node_pools.NodePools)
        """
        return [(host, left) for (host, _), left in self._left.items()]

    def nodes_of(self, server):
        """Return on which nodes a server was seen to have its pages.

        :param server: the servers.RequestedServer
        :returns: dict of pages by node
        """
        return self._placed[server.uuid]

    def request_by_nodes(self, size):
        """Request a server for each page size of every host.

        :param size: function of a node_pools.NodePools that returns MiB
        :returns: list of servers.RequestedServer
        """
        return self.request_at_once([
            (size(left), left.size_kib, host)
            for host, left in self.all_nodes()])

    def place(self, wanted):
        """Boot servers, and assert that their pages are where they may be.

        :param wanted: list of (compute_host.ComputeHost,
            node_pools.NodePools, list of the RAM in MiB of each NUMA cell)
        :returns: list of servers.RequestedServer
        """
        flavors = [self._flavor(left, cells) for _, left, cells in wanted]
        booted = servers.at_once(
            lambda each, flavor: self.boot(each[0], flavor=flavor),
            wanted, flavors)
        for server, (_, left, _) in zip(booted, wanted):
            server.size_kib = left.size_kib
        self.check_placed([
            (server, host, left, left.placements(*cells))
            for server, (host, left, cells) in zip(booted, wanted)])
        return booted

    def _flavor(self, left, cells):
        if len(cells) == 1:
            return self.flavor_of(cells[0], left.size_kib)
        specs = {'hw:numa_nodes': str(len(cells))}
        for number, ram_mib in enumerate(cells):
            specs['hw:numa_mem.%d' % number] = str(ram_mib)
            specs['hw:numa_cpus.%d' % number] = str(number)
        return self.create_flavor(specs, sum(cells), request=left.size_kib,
                                  vcpus=len(cells))

    def fill(self, hosts=None):
        """Have a server take all of each node, on one node after the other.

        The largest come first: they fit on one node only.

        :param hosts: list of compute_host.ComputeHost, if not all
        """
        turns = collections.defaultdict(list)
        for host, left in self.all_nodes():
            if host in (hosts or self.hosts):
                for turn, ram_mib in enumerate(filter(None, left.nodes_mib)):
                    turns[turn].append((host, left.size_kib, ram_mib))
        for turn in turns.values():
            self.place([(host, self._left[host, size_kib], [ram_mib])
                        for host, size_kib, ram_mib in turn])

    def check_placed(self, guests):
        """Assert that servers run, with their pages where these may be.

        :param guests: list of (servers.RequestedServer,
            compute_host.ComputeHost, node_pools.NodePools, list of dicts of
            pages by node: where its pages may be)
        """
        self.nova.settle(self.servers)
        for server, host, left, possible in guests:
            if (server.status, server.host) != ('ACTIVE', host.name):
                self.fail(
                    'host %s has %s pages of %d KiB for guests, by node, and '
                    'had to take one that needs %s: %s' % (
                        host.name, left.pages, left.size_kib,
                        ' or '.join(map(str, possible)), server))

        def check_nodes(host):
            for server, where, left, possible in guests:
                if where == host:
                    self._check_nodes(server, host, left, possible)

        self.on_each_host(check_nodes, self.check_taken)

    def _check_nodes(self, server, host, left, possible):
        found = collect.collect(host, server.uuid, server.ram_mib, self.cloud)
        self.assert_agrees(server_memory.compare(
            host.declared, found, left.size_kib, system=self.needs_system))
        nova_mib = self.cloud.node_memory(server.uuid)
        self.assert_agrees(node_pages.compare(
            host.declared, server.uuid, left, possible, nova_mib,
            domain_xml.node_memory(host.libvirt.xml(server.uuid)),
            found.survey))
        self._placed[server.uuid] = {
            node: left.to_pages(ram_mib) for node, ram_mib in nova_mib.items()}
        self._left[host, left.size_kib] = left.without(
            self._placed[server.uuid])

    def check_taken(self, host):
        """Assert that just the pages of the running guests are taken.

        On each node: Nova told on which ones they are.
        """
        super().check_taken(host)
        self.assert_agrees(node_pages.compare_free(
            host.declared, self.before(host), host.survey(),
            self._taken(host)))

    def _taken(self, host):
        # Hosts may be containers of one machine, and have its nodes in common.
        alike = {other.name for other in self.hosts
                 if self.before(other).boot == self.before(host).boot}
        taken = collections.Counter()
        for server in self.servers:
            if server.host in alike:
                for node, pages in self._placed.get(server.uuid, {}).items():
                    taken[server.size_kib, node] += pages
        return taken

    def give_back(self, server, host):
        """Delete a server, and wait until its pages are for others.

        :param server: the servers.RequestedServer
        :param host: the compute_host.ComputeHost that it is on
        """
        self.servers.remove(server)
        self.nova.delete([server.uuid])
        left = self._left[host, server.size_kib]
        self._left[host, server.size_kib] = left.without({
            node: -pages for node, pages in self.nodes_of(server).items()})
        self.on_each_host(self.check_taken, self.wait_until_counted,
                          hosts=[host])

    def delete_servers(self):
        super().delete_servers()
        self._note_left()
