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

"""The tests of NUMA nodes themselves, in a cloud that is made up."""

import collections
import contextlib
import dataclasses
from unittest import mock

import ddt
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
from mempage_tempest_plugin.tests.api import test_numa
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import nodes
from mempage_tempest_plugin.tests.bases import pools
from tests.plugin.bases import cases
from tests.plugin import samples

DECLARED = {
    'numa1': ((2048, 64, 0), (2048, 192, 1, 32)),
    'numa2': ((2048, 192, 0), (2048, 192, 1))}
SIZE = 2048
RESERVED = 'reserved pages are handed out'
FIRST_NODE = 'all guests get the first node'
ONE_NODE = 'cells share a node'
LOST_PAGE = 'a page is lost on the other node'
OTHERS_PAGE = 'a page of the other node is gone, and one more is free here'
SAME_NODE = 'a guest keeps the number of its node when it moves'
NO_GUESTS = 'the hosts are disabled'
KERNEL = 'the kernel gives pages of another node than Nova says'


class Simulation:
    """Hosts with pools, and a Nova that knows them.

    :ivar fault: what is wrong with it, or None
    """

    def __init__(self):
        self.fault = None
        self.guests = {}
        self.hosts = {name: self._host(name) for name in DECLARED}

    def _host(self, name):
        declared = dataclasses.replace(samples.PLAIN, name=name, pools=tuple(
            inventory.DeclaredPool(*pool) for pool in DECLARED[name]))
        host = cases.host(name, declared=declared)
        host.survey.side_effect = lambda **kwargs: self.survey(host, **kwargs)
        host.libvirt.running.return_value = []
        host.libvirt.xml.side_effect = lambda uuid: uuid
        return host

    def _pages(self, host):
        [found] = node_pools.of_host(host.declared)
        return found

    def _free(self, host):
        found = self._pages(host)
        free = dict(found.pages)
        if self.fault == RESERVED:
            free = {node: pages + found.reserved[node]
                    for node, pages in free.items()}
        for guest in self.guests.values():
            if guest['host'] is host:
                for node, pages in guest['nodes'].items():
                    free[node] -= pages
        return dataclasses.replace(found, pages=free)

    def boot(self, uuid, host, cells):
        """Place a guest; tell whether it has found its pages."""
        free = self._free(host)
        found = free.placements(*cells)
        if self.fault == FIRST_NODE and found:
            found = [{0: free.to_pages(sum(cells))}]
        if self.fault == ONE_NODE and len(cells) > 1 and found:
            found = [{1: free.to_pages(sum(cells))}]
        if self.fault == NO_GUESTS:
            found = []
        if found:
            self.guests[uuid] = {'host': host, 'nodes': found[0],
                                 'cells': cells}
        return bool(found)

    def move(self, uuid, host):
        """Take a guest to another host."""
        guest = self.guests[uuid]
        [found] = self._free(host).placements(*guest['cells'])
        guest['host'] = host
        if self.fault != SAME_NODE:
            guest['nodes'] = found

    def told(self, uuid):
        """Tell where a guest has its RAM, by Nova's and libvirt's word."""
        return {node: pages * SIZE // 1024 for node, pages
                in self.guests[uuid]['nodes'].items()}

    def survey(self, host, guests=(), **_):
        """Tell what the kernel of a host says."""
        taken = collections.Counter()
        for guest in self.guests.values():
            if guest['host'] is host:
                taken.update(self._kernels(guest))
        if self.fault in (LOST_PAGE, OTHERS_PAGE) and taken:
            other = min({0, 1} - set(taken), default=0)
            taken[other] += 1
            taken[1 - other] -= self.fault == OTHERS_PAGE
        found = self._pages(host)
        return samples.host_survey(
            boot=host.name, pools=[
                host_pools.NodePool(
                    node, SIZE, pages + found.reserved[node],
                    pages + found.reserved[node] - taken[node], 0)
                for node, pages in found.pages.items()],
            processes={uuid: [survey.Process(1, 1, [], [
                numa_maps.NodePages(node, SIZE, pages) for node, pages
                in self._kernels(self.guests[uuid]).items()])]
                for uuid in guests})

    def _kernels(self, guest):
        if self.fault == KERNEL:
            return {1 - node: pages for node, pages in guest['nodes'].items()}
        return guest['nodes']


class _Booting:
    """What a test asks of the cloud, done by a Simulation."""

    _flavors = {}

    @classmethod
    def create_flavor(cls, extra_specs, ram_mib, request=None, vcpus=None):
        cells = [int(ram) for name, ram in sorted(extra_specs.items())
                 if name.startswith('hw:numa_mem')]
        return {'ram': ram_mib, 'cells': cells or [ram_mib]}

    def boot(self, host, flavor):
        uuid = '%s-%d' % (self.id(), len(self.simulation.requested))
        self.simulation.requested.append(uuid)
        server = servers.RequestedServer(uuid, flavor['ram'])
        if self.simulation.boot(uuid, host, flavor['cells']):
            server.status, server.host = 'ACTIVE', host.name
        else:
            server.status, server.fault = 'ERROR', 'No valid host was found.'
        self.servers.append(server)
        self._to_delete.append(uuid)
        return server

    def migrate_live(self, host):
        self.simulation.move(self.server.uuid, host)

    def check_moved(self, departed, host):
        self.server.host = host.name


@ddt.ddt
class NumaTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.simulation = Simulation()
        self.simulation.requested = []
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.useFixture(fixtures.MockPatchObject(
            page_holders, 'find', return_value=[]))
        self.useFixture(fixtures.MockPatch('time.sleep'))
        for name in ('wait_until_counted', 'check_host'):
            self.useFixture(fixtures.MockPatchObject(
                nodes.BaseNodeTest, name, mock.Mock()))
        self.useFixture(fixtures.MockPatchObject(
            pools.BasePoolTest, 'RELEASE_TIMEOUT', 0.01))
        self.useFixture(fixtures.MockPatchObject(
            page_holders, 'find', return_value=[]))
        self.useFixture(fixtures.MockPatchObject(
            domain_xml, 'node_memory', self.simulation.told))
        self.useFixture(fixtures.MockPatchObject(
            collect, 'collect', self._collect))
        self.useFixture(fixtures.MockPatch(
            'mempage_tempest_plugin.evidence.server_memory.compare',
            return_value=mock.Mock(disagreements=[], document=lambda: {
                'kind': 'facts'})))

    def _collect(self, host, uuid, ram_mib, api):
        return dataclasses.replace(samples.large_page_evidence(
            server=cloud.Server(uuid, 'ACTIVE', host.name, 'i')),
            survey=self.simulation.survey(host, [uuid]))

    def _run(self, name, method, hosts=('numa1', 'numa2'), fault=None,
             **attributes):
        self.simulation.fault = fault
        wanted = getattr(test_numa, name)
        used = [self.simulation.hosts[host] for host in hosts]
        case = cases.make(
            type(name, (_Booting, wanted), {'__doc__': wanted.__doc__}),
            method, hosts=used, nova=mock.Mock(), cloud=mock.Mock(),
            simulation=self.simulation, **attributes)
        case.cloud.node_memory.side_effect = self.simulation.told
        case.cloud.allocated_memory.return_value = {}
        case.nova.delete.side_effect = lambda uuids: [
            self.simulation.guests.pop(uuid, None) for uuid in uuids]
        with contextlib.ExitStack() as stack:
            stack.callback(case.doCleanups)
            getattr(case, method)()

    def _fails(self, *arguments, **kwargs):
        return str(cases.assert_fails(self, self._run, *arguments,
                                      **kwargs))

    @ddt.data(('TestNumaNodes', 'test_fill'),
              ('TestNumaNodes', 'test_two_cells'),
              ('TestUnevenNodes', 'test_guest_finds_its_node'))
    @ddt.unpack
    def test_passes(self, name, method):
        self._run(name, method)
        self.assertEqual({}, self.simulation.guests)

    def test_reserved_pages_stay(self):
        self._run('TestReservedOnNode', 'test_reserved_pages_stay', ['numa1'])

    @ddt.data(
        ('TestNumaNodes', 'test_fill', RESERVED, 'numa1 had to refuse'),
        ('TestNumaNodes', 'test_fill', FIRST_NODE, 'expected {1: 192}'),
        ('TestNumaNodes', 'test_fill', LOST_PAGE,
         'free pages of 2048 KiB: expected 96'),
        ('TestNumaNodes', 'test_fill', OTHERS_PAGE,
         'free pages of 2048 KiB on node 0: expected 64'),
        ('TestNumaNodes', 'test_fill', KERNEL, 'kernel says {0: 192}'),
        ('TestNumaNodes', 'test_two_cells', ONE_NODE,
         'expected {0: 16, 1: 65}'),
        ('TestNumaNodes', 'test_two_cells', KERNEL, 'kernel says'),
        ('TestUnevenNodes', 'test_guest_finds_its_node', FIRST_NODE,
         'expected {1: 65}'),
        ('TestUnevenNodes', 'test_guest_finds_its_node', LOST_PAGE,
         'free pages of 2048 KiB'),
        ('TestReservedOnNode', 'test_reserved_pages_stay', RESERVED,
         'numa1 had to refuse'),
        ('TestReservedOnNode', 'test_reserved_pages_stay', NO_GUESTS,
         'had to take one that needs {1: 192}'))
    @ddt.unpack
    def test_fails(self, name, method, fault, words):
        self.assertIn(words, self._fails(name, method, ['numa1'],
                                         fault=fault))

    def test_reserved_pages_that_are_not_there(self):
        self.simulation.hosts['numa1'].survey.side_effect = lambda **_: (
            samples.host_survey(pools=[
                host_pools.NodePool(0, SIZE, 64, 64, 0),
                host_pools.NodePool(1, SIZE, 192, 192, 0)]))
        self.assertIn('node 1: expected at least 193, kernel says 192',
                      self._fails('TestReservedOnNode',
                                  'test_reserved_pages_stay', ['numa1']))

    def _migrate(self, run, fault=None):
        source, destination = (self.simulation.hosts[name]
                               for name in ('numa1', 'numa2'))
        return run('TestNodeLiveMigration', 'test_to_another_node',
                   fault=fault, source=source, destinations=[destination],
                   size_kib=SIZE, flavor={'ram': 64})

    def test_live_migration(self):
        self._migrate(self._run)

    def test_live_migration_to_the_same_node(self):
        self.assertIn('nova says {0: 32}', self._migrate(
            self._fails, fault=SAME_NODE))
