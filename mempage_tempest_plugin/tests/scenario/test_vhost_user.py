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

"""Guests whose memory a switch maps, and what goes over the network."""

import ddt
from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import memory_holders
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import connected
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import live
from mempage_tempest_plugin.tests.bases import steps

OPERATIONS = {name: steps.OPERATIONS[name]
              for name in ('hard_reboot', 'stop_start')}


class _BaseConnectedTest(base.BaseMemoryTest):
    """Guests that reach others, and are reached."""

    promises = ('vhost_user',)
    needs_network = True
    servers_on_host = 1

    def setUp(self):
        super().setUp()
        self.net = connected.Connected(self)


class _BaseGuestsTest(_BaseConnectedTest):
    """Guests with one kind of memory."""

    def check_network(self):
        """Assert that guests have a network, and who has their memory."""
        self.on_each_host(self.net.boot, self.wait_until_active,
                          self.net.check_connected)

    def check_after(self, operation):
        """Assert the same of guests with another QEMU process than before.

        :param operation: a steps.Operation
        """
        self.check_network()
        for step in operation.steps:
            self.on_each_host(*step.calls(self))
        self.on_each_host(self.net.check_connected)


@ddt.ddt
class TestVhostUserInFiles(_BaseGuestsTest):
    """File-backed hosts, one of each file system."""

    about = which.vhost_user & which.file_backed
    take = which.one_of_each_file_system

    @decorators.idempotent_id('d74849c5-f6fe-4bdd-ae62-44258ce01d6c')
    @utils.services('compute', 'network')
    def test_network(self):
        """DHCP, pings and ssh; switch and QEMU alone have its memory"""
        self.check_network()

    @decorators.idempotent_id('fe700c4d-49b0-4b93-b264-683e75f6c1b2')
    @ddt.data(*OPERATIONS)
    @utils.services('compute', 'network')
    def test_after(self, name):
        """The new QEMU process has a network, and the switch its memory"""
        self.check_after(OPERATIONS[name])


@ddt.ddt
class TestVhostUserInPages(_BaseGuestsTest):
    """Hosts with large pages for guests, one of each policy."""

    about = which.vhost_user & which.large_pages
    take = which.one_of_each_policy
    pools = leased.TAKES
    request = page_sizes.LARGE

    @decorators.idempotent_id('170821b0-9d48-419a-be50-0275f1946048')
    @utils.services('compute', 'network')
    def test_network(self):
        """DHCP, pings and ssh; switch and QEMU alone have its memory"""
        self.check_network()

    @decorators.idempotent_id('3157dc8d-dd99-4224-a848-d99cd98bcc62')
    @ddt.data(*OPERATIONS)
    @utils.services('compute', 'network')
    def test_after(self, name):
        """The new QEMU process has a network, and the switch its memory"""
        self.check_after(OPERATIONS[name])


#: Hosts that differ in what guests' memory is, or what may have it.
DIFFERENT = (which.among(which.file_backed, which.one_of_each_file_system)
             + which.among(~which.file_backed, which.one_of_each_policy))


class _BaseMixedTest(_BaseConnectedTest):
    """Guests with the kind of memory that others can map on their host."""

    about = which.vhost_user & which.shared_memory
    take = DIFFERENT
    pools = leased.TAKES

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.flavor_with_pages = cls.create_flavor(
            {}, request=page_sizes.LARGE)

    def boot_mixed(self, host):
        """Request the host's server."""
        self.net.boot(host, flavor=(
            self.flavor if host.declared.file_backed
            else self.flavor_with_pages))

    def page_kib(self, host):
        if host.declared.file_backed:
            return None
        return page_sizes.granted(host.declared, page_sizes.LARGE,
                                  self.server_on(host).ram_mib)


class TestTraffic(_BaseMixedTest):
    """Hosts of each kind whose guests have memory that others can map."""

    @decorators.idempotent_id('0a083bfc-e969-4030-b566-d503fff4169f')
    @utils.services('compute', 'network')
    def test_between_all(self):
        """What each guest sends gets to each other one unharmed"""
        if len(self.hosts) < 2:
            joined.skip(self, 'other %s beside %s' % (
                which.vhost_user & which.shared_memory, self.hosts[0].name))
        self.on_each_host(self.boot_mixed, self.wait_until_active,
                          self.net.check_connected)
        self.net.check_traffic(self.hosts)


class TestSwitchRestarted(_BaseMixedTest):
    """The same hosts, where the switch can be restarted."""

    about = which.switch_restartable
    promises = ('fault_injection',)
    harmful = True
    alone_on = which.each

    @decorators.idempotent_id('9a22bbfc-bed6-448a-93e0-0abda5a62fa1')
    @utils.services('compute', 'network')
    def test_guests_go_on(self):
        """Another switch maps the memory, and guests reach each other"""
        self.on_each_host(self.boot_mixed, self.wait_until_active,
                          self.net.check_connected, self._note, self._restart,
                          self._check_restarted)
        self.net.check_traffic(self.hosts)

    def setUp(self):
        super().setUp()
        self._before = {}

    def _note(self, host):
        uuid = self.server_on(host).uuid
        self._before[host.name] = (
            host.pids(uuid), self.net.states[uuid].boot, self._switches(host))

    def _switches(self, host):
        """The processes that have the guest's memory mapped, beside QEMU."""
        uuid = self.server_on(host).uuid
        pids = host.pids(uuid)
        return {holder.pid for holder in memory_holders.find(host, uuid)
                if holder.pid not in pids}

    def _restart(self, host):
        host.ssh.execute(
            ['sh', '-c', 'exec >&2; ' + host.declared.switch.restart],
            root=True)

    def _check_restarted(self, host):
        """Assert that just the switch is another one."""
        self.net.check_network(host)
        self.net.check_holders(host)
        self.check_evidence(host)
        server = self.server_on(host)
        pids, boot, switches = self._before[host.name]
        comparison = facts.Comparison(
            'host %s, server %s, the switch has restarted' % (
                host.name, server.uuid), host.name, server.uuid)
        comparison.equal('kernel', 'QEMU processes', pids,
                         host.pids(server.uuid))
        comparison.equal('guest', 'boot ID', boot,
                         self.net.states[server.uuid].boot)
        comparison.equal('kernel', 'switches of before that have the memory',
                         set(), switches & self._switches(host))
        self.assert_agrees(comparison)


class _BaseTrafficMigrationTest(base.BaseMoveTest):
    """A guest that moves while it runs, and one that stays."""

    promises = ('vhost_user',)
    needs_network = True
    needs_system = True
    features = ('live_migration',)
    start_on = which.vhost_user
    go_to = which.vhost_user & which.alike
    take = which.first
    servers_on_host = 2
    room = leased.Room(in_files=2, with_pages=2)

    def setUp(self):
        super().setUp()
        self.net = connected.Connected(self)

    def check_round_trip(self):
        """Assert that a guest keeps its network on another host, and back."""
        stays = self.net.boot(self.source)
        self.net.boot(self.source)
        for server in stays, self.server:
            self.nova.wait_until_active(server.uuid)
            self.net.check_connected(self.source, server)
        self._check_both_ways(stays)
        here = self.source
        for host in [*self.destinations, self.source]:
            self._migrate(here, host)
            self._check_both_ways(stays)
            here = host

    def _migrate(self, departed, host):
        before = self.net.states[self.server.uuid].boot
        live.migrate(self, self.net.clients[self.server.uuid].ip_address,
                     departed, host)
        self.check_moved(departed, host)
        self.net.check_port(host, self.server)
        self.net.check_network(host, self.server)
        self.net.check_holders(host, self.server)
        self.assertEqual(before, self.net.states[self.server.uuid].boot,
                         'the guest has booted')

    def _check_both_ways(self, stays):
        self.net.check_transfer(stays, self.server)
        self.net.check_transfer(self.server, stays)


class TestTrafficInFilesMigrated(_BaseTrafficMigrationTest):
    """From a file-backed host to another one."""

    start_on = which.file_backed

    @decorators.idempotent_id('cb6443d3-cd55-409e-9901-c57e49d09593')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """The other switch has its memory, and packets get through"""
        self.check_round_trip()


class TestTrafficInPagesMigrated(_BaseTrafficMigrationTest):
    """From a host with large pages for guests to another one."""

    request = page_sizes.LARGE
    pools = leased.TAKES
    go_to = which.common_large_pages

    @decorators.idempotent_id('677eb587-101e-4813-ab36-6fe9e6828639')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """The other switch has its memory, and packets get through"""
        self.check_round_trip()
