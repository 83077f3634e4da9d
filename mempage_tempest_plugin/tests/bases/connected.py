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

"""Guests whose network is a switch that has mapped their memory."""

import itertools

from tempest import config
from tempest.lib.common.utils import data_utils

from mempage_tempest_plugin.evidence import consumers
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.guests import network
from mempage_tempest_plugin.guests import reachability
from mempage_tempest_plugin.guests import traffic
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import memory_holders
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import reachable

CONF = config.CONF

#: Seconds in which a guest has to answer that did so before.
ANSWER_TIMEOUT = 60
# Seconds that a pattern may need from guest to guest.
TRANSFER_TIMEOUT = 120
# How much that is, in each direction.
MIB = 4
# Guests listen at these ports, one for each transfer to them.
PORTS = (50100, 50199)


def check_holders(test, host, uuid, programs):
    """Assert who has mapped a guest's memory beside QEMU.

    :param test: a base.BaseMemoryTest
    :param host: the compute_host.ComputeHost
    :param uuid: UUID of the guest
    :param programs: names of those who have to, and nobody else
    """
    test.assert_soon_agrees(host, lambda host: consumers.compare_holders(
        host.declared, uuid, memory_holders.find(host, uuid),
        host.pids(uuid), programs), ANSWER_TIMEOUT)


class Connected:
    """Servers of a test whose guests have vhost-user ports.

    :param test: a base.BaseMemoryTest with ``needs_network``
    :ivar clients: by UUID of a server: Tempest's RemoteClient
    :ivar states: the same: what its guest said last, a network.State
    """

    def __init__(self, test):
        self._test = test
        self._guests = reachable.Guests(test)
        self.clients = {}
        self.states = {}
        # Between many hosts there are more transfers than ports.
        self._ports = itertools.cycle(range(PORTS[0], PORTS[1] + 1))

    def boot(self, host, **kwargs):
        """Request a server whose guest takes what other guests send.

        :param host: the compute_host.ComputeHost; None if the scheduler
            chooses
        :param kwargs: as of base.BaseMemoryTest.boot
        :returns: the servers.RequestedServer
        """
        server = self._guests.boot(host, **kwargs)
        group = self._guests.security_group(server)
        if group:
            rules = self._test.os_admin.security_group_rules_client
            rules.create_security_group_rule(
                security_group_id=group, direction='ingress',
                protocol='tcp', port_range_min=PORTS[0],
                port_range_max=PORTS[1])
        return server

    def connect(self, server):
        """Wait until a guest takes ssh connections.

        :param server: the servers.RequestedServer
        :raises GuestError: if it does not
        """
        self.clients[server.uuid] = self._guests.connect(server)

    def check_connected(self, host, server=None):
        """Assert that a guest has a network, and its memory is right.

        :param host: the compute_host.ComputeHost
        :param server: the servers.RequestedServer, if not the latest there
        """
        server = server or self._test.server_on(host)
        self.check_port(host, server)
        # Before its network, which it may lack for want of shared memory.
        self._test.assert_agrees(base.compare_memory(
            self._test, host, server, self._test.page_kib(host)))
        self.enter(host, server)
        self.check_holders(host, server)

    def check_port(self, host, server=None):
        """Assert that a server has a vhost-user port."""
        uuid = (server or self._test.server_on(host)).uuid
        self._test.assert_agrees(consumers.compare_ports(
            host.name, uuid, domain_xml.interfaces(host.libvirt.xml(uuid))))

    def enter(self, host, server=None):
        """Assert that a guest has a network, once it has booted."""
        server = server or self._test.server_on(host)
        # What is silent has no open port, either: say so.
        self._check_answers(host, server, self._guests.address(server),
                            CONF.validation.ssh_timeout)
        self.connect(server)
        self.check_network(host, server)

    def check_network(self, host, server=None):
        """Assert that a guest that was connected to has a network.

        Its address can only be from DHCP: nothing else tells it.
        """
        server = server or self._test.server_on(host)
        client = self.clients[server.uuid]
        self._check_answers(host, server, client.ip_address, ANSWER_TIMEOUT)
        self.states[server.uuid] = state = network.ask(client)
        comparison = self._of_guest(host, server)
        comparison.equal('guest', 'its addresses', [self.address(server)],
                         state.addresses)
        self._test.assert_agrees(comparison)

    def _check_answers(self, host, server, address, timeout):
        comparison = self._of_guest(host, server)
        comparison.equal('guest', 'answers pings', True, reachability.answers(
            address, host.declared.limit(timeout)))
        self._test.assert_agrees(comparison)

    @staticmethod
    def _of_guest(host, server):
        return facts.Comparison('in the guest of server %s' % server.uuid,
                                host.name, server.uuid)

    def address(self, server):
        """Look up the address that Neutron has given to a server's port.

        :param server: the servers.RequestedServer
        :raises GuestError: if it has none of IPv4, or several
        """
        shown = self._test.nova.client.show_server(server.uuid)['server']
        addresses = [each['addr'] for found in shown['addresses'].values()
                     for each in found
                     if each['OS-EXT-IPS:type'] == 'fixed'
                     and each['version'] == 4]
        if len(addresses) != 1:
            raise exceptions.GuestError(
                'server %s has to have one port with one address of IPv4, '
                'which guests send data to. It has %s: which network of '
                'Tempest\'s project, or [compute] fixed_network_name, is it '
                'in?' % (server.uuid, ', '.join(addresses) or 'none'))
        return addresses[0]

    def check_holders(self, host, server=None):
        """Assert that the switch has mapped a guest's memory, nobody else.

        :param host: the compute_host.ComputeHost
        :param server: the servers.RequestedServer, if not the latest there
        """
        check_holders(self._test, host,
                      (server or self._test.server_on(host)).uuid,
                      [host.declared.switch.program])

    def check_traffic(self, hosts):
        """Assert that each host's guest gets what each other one sends.

        :param hosts: list of compute_host.ComputeHost with a guest each
        """
        servers = map(self._test.server_on, hosts)
        for sender, receiver in itertools.permutations(servers, 2):
            self.check_transfer(sender, receiver)

    def check_transfer(self, sender, receiver):
        """Assert that a pattern gets from guest to guest unharmed.

        :param sender: the servers.RequestedServer of the one
        :param receiver: that of the other
        """
        transfer = traffic.Transfer(
            self.clients[sender.uuid], self.clients[receiver.uuid],
            self.address(receiver), next(self._ports),
            data_utils.rand_uuid_hex(), MIB)
        found = transfer.run(self._test.inventory.limit(TRANSFER_TIMEOUT))
        comparison = facts.Comparison(
            'from the guest on %s to the guest on %s' % (
                sender.host, receiver.host), receiver.host, receiver.uuid)
        comparison.equal('guest', 'bytes that have come',
                         transfer.expected_size, found.size)
        comparison.equal('guest', 'their digest', transfer.expected_digest,
                         found.digest)
        if found.size != transfer.expected_size:
            comparison.equal('guest', 'complaints of nc', '', found.errors)
        self._test.assert_agrees(comparison)
