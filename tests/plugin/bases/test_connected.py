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

"""Tests of what is asked of guests with vhost-user ports."""

import dataclasses
import unittest
from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.guests import network
from mempage_tempest_plugin.guests import traffic
from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import connected
from mempage_tempest_plugin.tests.scenario import test_vhost_user_promises
from tests.plugin.bases import cases
from tests.plugin import samples

PORT = "<domain><devices><interface type='%s'/></devices></domain>"
ADDRESSES = {'private': [
    {'addr': '10.0.0.5', 'version': 4, 'OS-EXT-IPS:type': 'fixed'},
    {'addr': 'fd00::5', 'version': 6, 'OS-EXT-IPS:type': 'fixed'},
    {'addr': '203.0.113.5', 'version': 4, 'OS-EXT-IPS:type': 'floating'}]}


def _host(name):
    host = cases.host(name, declared=samples.FILE_BACKED.__class__(
        **{**vars(samples.FILE_BACKED), 'name': name,
           'switch': inventory.Switch('ovs-vswitchd')}))
    host.pids.return_value = [samples.PID]
    host.libvirt.xml.return_value = PORT % 'vhostuser'
    return host


class ConnectedTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        for target, name, value in (
                (connected.reachability, 'answers', True),
                (connected.network, 'ask',
                 network.State('boot', ['10.0.0.5'])),
                (connected.memory_holders, 'find', [
                    page_holders.Holder(samples.PID, 'qemu-system-x86'),
                    page_holders.Holder(7, 'ovs-vswitchd')]),
                (connected.reachable, 'Guests', mock.Mock())):
            setattr(self, name, self.useFixture(fixtures.MockPatchObject(
                target, name, return_value=value)).mock)
        self.useFixture(fixtures.MockPatchObject(
            connected, 'ANSWER_TIMEOUT', 0.1))
        self.useFixture(fixtures.MockPatchObject(connected, 'CONF'))
        self.hosts = [_host('a'), _host('b')]
        self.case = cases.make(
            base.BaseMemoryTest, hosts=self.hosts, nova=mock.Mock(),
            os_admin=mock.Mock())
        self.case.nova.client.show_server.return_value = {
            'server': {'addresses': ADDRESSES}}
        self.case.servers = [servers.RequestedServer('1', 64, host='a'),
                             servers.RequestedServer('2', 64, host='b')]
        self.net = connected.Connected(self.case)

    def assert_fails(self, words, function, *arguments):
        error = cases.assert_fails(self, function, *arguments)
        self.assertIn(words, str(error))


class GuestTest(ConnectedTestCase):

    def test_guests_take_what_others_send(self):
        self.Guests.return_value.boot.return_value = 'server'
        self.Guests.return_value.security_group.return_value = 'group'
        self.assertEqual('server', self.net.boot(self.hosts[0]))
        create = self.case.os_admin.security_group_rules_client.\
            create_security_group_rule
        self.assertEqual('group',
                         create.call_args.kwargs['security_group_id'])

    def test_port(self):
        self.net.check_port(self.hosts[0])
        self.hosts[0].libvirt.xml.return_value = PORT % 'bridge'
        self.assert_fails(
            'types of interfaces: expected vhostuser, libvirt says '
            'bridge', self.net.check_port, self.hosts[0])

    def test_network(self):
        self.net.enter(self.hosts[0])
        self.assertEqual('boot', self.net.states['1'].boot)

    def test_silent_guest(self):
        self.answers.return_value = False
        self.assert_fails('answers pings: expected yes, guest says no',
                          self.net.enter, self.hosts[0])
        self.ask.assert_not_called()

    def test_address_that_is_not_of_the_port(self):
        self.ask.return_value = network.State('boot', ['169.254.0.9'])
        self.assert_fails('its addresses', self.net.enter, self.hosts[0])

    def test_server_without_ipv4(self):
        self.case.nova.client.show_server.return_value = {
            'server': {'addresses': {'private': ADDRESSES['private'][1:]}}}
        error = self.assertRaises(exceptions.GuestError, self.net.address,
                                  self.case.servers[0])
        self.assertIn('one address of IPv4', str(error))

    def test_holders(self):
        self.net.check_holders(self.hosts[0])
        self.find.return_value.append(page_holders.Holder(9, 'python3'))
        self.assert_fails(
            'memory mapped by others than QEMU: expected ovs-vswitchd, '
            'kernel says ovs-vswitchd, python3 (PID 9)',
            self.net.check_holders, self.hosts[0])


@ddt.ddt
class TrafficTest(ConnectedTestCase):

    def setUp(self):
        super().setUp()
        self.run = self.useFixture(fixtures.MockPatchObject(
            traffic, 'Transfer')).mock
        self.transfer = self.run.return_value
        self.transfer.expected_size = 9
        self.transfer.expected_digest = 'd'
        self.transfer.run.return_value = traffic.Received(9, 'd')
        self.net.clients.update({'1': 'one', '2': 'two'})

    def test_each_to_each_other(self):
        self.net.check_traffic(self.hosts)
        self.assertEqual(
            [('one', 'two'), ('two', 'one')],
            [call.args[:2] for call in self.run.call_args_list])
        ports = [call.args[3] for call in self.run.call_args_list]
        self.assertEqual(2, len(set(ports)))

    def test_more_transfers_than_ports(self):
        for _ in range(60):
            self.net.check_traffic(self.hosts)
        ports = {call.args[3] for call in self.run.call_args_list}
        self.assertEqual(set(range(50100, 50200)), ports)

    @ddt.data(
        (traffic.Received(0, 'x', 'no route'),
         "bytes that have come: expected 9, guest says 0"),
        (traffic.Received(0, 'x', 'no route'), 'no route'),
        (traffic.Received(9, 'x'), 'their digest: expected d, guest says x'))
    @ddt.unpack
    def test_what_does_not_come(self, received, words):
        self.transfer.run.return_value = received
        self.assert_fails(words, self.net.check_traffic, self.hosts)


@ddt.ddt
class OrdinaryTest(ConnectedTestCase):
    """What has to become of a guest depends on libvirt's version."""

    def setUp(self):
        super().setUp()
        [self.host] = self.hosts[:1]
        self.host.libvirt.versions.return_value = '9.0.0', '7.2.0'
        self.case = cases.make(
            test_vhost_user_promises.TestVhostUserOrdinary, '_check',
            hosts=[self.host], nova=mock.Mock(), cloud=mock.Mock())
        self.case.servers = [servers.RequestedServer('1', 64, host='a')]
        self.case.cloud.allocated_memory.return_value = {}
        self.useFixture(fixtures.MockPatchObject(
            test_vhost_user_promises.base, 'check_absent'))
        self.connect = self.case.net._guests.connect

    def test_old_libvirt(self):
        self.connect.side_effect = exceptions.GuestError('silent')
        self.case._check(self.host)

    def test_old_libvirt_and_a_guest_that_answers(self):
        self.assert_fails('no network: expected yes, guest says no',
                          self.case._check, self.host)

    @ddt.data(
        ('ERROR', "'interface' requires shared memory", None),
        ('ERROR', 'No space left', 'why libvirt refuses it'),
        ('ACTIVE', "'interface' requires shared memory",
         'status: expected ERROR, nova says ACTIVE'))
    @ddt.unpack
    def test_new_libvirt(self, status, error, words):
        self.host.libvirt.versions.return_value = '11.3.0', '10.0.0'
        self.host.errors_of.return_value = [error]
        self.case.servers[0].status = status
        self.case.servers[0].fault = 'Exceeded maximum number of retries.'
        if words:
            self.assert_fails(words, self.case._check, self.host)
        else:
            self.case._check(self.host)


@ddt.ddt
class KeptAwayTest(ConnectedTestCase):
    """Where the scheduler prefers to have a server says nothing of a host."""

    def setUp(self):
        super().setUp()
        declared = dataclasses.replace(
            samples.LARGE_PAGE, name='huge1', allowed_page_sizes=('any',),
            switch=inventory.Switch('ovs-vswitchd'))
        self.huge = cases.host('huge1', declared=declared)
        self.faults = []

    def _make(self, cls, **changes):
        self.case = cases.make(
            cls, 'test_guests_have_a_network',
            hosts=[*self.hosts, self.huge], services=mock.Mock(
                host_of=lambda name: name), os_admin=mock.MagicMock(),
            nova=mock.Mock(), kept=mock.Mock(),
            inventory=mock.Mock(hosts={}), **changes)
        self.case.net = mock.Mock()
        self.case.net.boot.side_effect = (
            lambda host, **kwargs: servers.RequestedServer(
                '3', 64, host=host and host.name))
        self.case.nova.settle.side_effect = self._settle
        self.case.check_all_connected = mock.Mock()
        list_aggregates = self.case.os_admin.aggregates_client.list_aggregates
        list_aggregates.return_value = {'aggregates': []}
        return self.case.test_guests_have_a_network

    def _settle(self, requested):
        for server in requested:
            server.fault = self.faults.pop(0)
            server.status = 'ERROR' if server.fault else 'ACTIVE'

    def _allowed(self):
        self.huge.declared = dataclasses.replace(
            self.huge.declared, allowed_page_sizes=('large',))
        return self._make(test_vhost_user_promises.TestVhostUserAllowedPages)

    @ddt.data('guests that ask for no memory page size are not allowed on '
              'this host', 'No valid host was found. ')
    def test_refused(self, fault):
        self.faults = [fault]
        self._allowed()()
        self.assertTrue(self.case.net.boot.call_args.kwargs['forced'])
        self.case.check_all_connected.assert_called_once_with()

    @ddt.data(
        ('', 'status: expected ERROR, nova says ACTIVE'),
        # It is libvirt's doing: another one would have taken it.
        ("'interface' requires shared memory", 'fault: expected guests that'))
    @ddt.unpack
    def test_not_refused(self, fault, words):
        self.faults = [fault]
        self.assert_fails(words, self._allowed())

    def _filtered(self):
        return self._make(test_vhost_user_promises.TestVhostUserFiltered)

    @ddt.data('', 'Exceeded maximum number of retries.')
    def test_filtered(self, before):
        self.faults = [before, 'No valid host was found. ']
        self._filtered()()
        self.case.check_all_connected.assert_called_once_with()

    def test_not_filtered(self):
        self.faults = ['', '']
        self.assert_fails('status: expected ERROR, nova says ACTIVE',
                          self._filtered())

    def test_host_that_takes_nobody(self):
        self.faults = ['No valid host was found. ']
        self.assert_fails('before that is in an aggregate', self._filtered())

    def test_host_in_an_aggregate_of_others(self):
        test = self._filtered()
        list_aggregates = self.case.os_admin.aggregates_client.list_aggregates
        list_aggregates.return_value = {'aggregates': [{
            'name': 'theirs', 'hosts': ['huge1'],
            'metadata': {'MemoryBacking': 'small,large'}}]}
        self.assertRaises(unittest.SkipTest, test)
