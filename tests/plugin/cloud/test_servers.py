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

"""Tests of requests for servers, and of what becomes of them."""

import threading
from unittest import mock

import ddt
import fixtures
from oslotest import base
from tempest import exceptions
from tempest.lib import exceptions as lib_exc
from tempest.lib.services.compute import base_compute_client

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers

# Seconds: for what has to happen, however slow the machine is; and for what
# never does.
TIMEOUT, NEVER = 10, 0.05
FLAVOR = {'id': '7', 'ram': 64}


def _shown(uuid, status='ACTIVE', host='a', fault=None):
    shown = {'id': uuid, 'status': status,
             'OS-EXT-SRV-ATTR:hypervisor_hostname': host}
    if fault is not None:
        shown['fault'] = {'message': fault}
    return shown


class ServersTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.manager = mock.Mock()
        self.client = self.manager.servers_client
        self.services = mock.Mock()
        # The service of a host may have another name than its hypervisor.
        self.services.host_of.side_effect = 'service-of-{}'.format
        self.servers = servers.Servers(self.manager, self.services, TIMEOUT,
                                       0.001, lambda seconds: seconds)

    def expect_timeout(self):
        """Do not wait long for what never happens."""
        self.servers._timeout = self.servers._fault_timeout = NEVER

    def listed(self, *answers):
        """Say what the API lists, each time that it is asked."""
        self.client.list_servers.side_effect = [
            {'servers': [{'id': server} for server in answer]}
            for answer in answers]


class RequestTest(ServersTestCase):

    def setUp(self):
        super().setUp()
        self.create = self.useFixture(fixtures.MockPatch(
            'tempest.common.compute.create_test_server',
            return_value=({'id': 'uuid'}, None))).mock

    def _request(self, *arguments, **kwargs):
        server = self.servers.request('name', FLAVOR, 'image', *arguments,
                                      **kwargs)
        self.create.assert_called_once()
        self.assertEqual((self.manager,), self.create.call_args.args)
        sent = dict(self.create.call_args.kwargs)
        for key, value in (('name', 'name'), ('flavor', '7'),
                           ('image_id', 'image')):
            self.assertEqual(value, sent.pop(key))
        return server, sent

    def test_anywhere(self):
        server, sent = self._request()
        self.assertEqual({'networks': 'none'}, sent)
        self.assertEqual(servers.RequestedServer('uuid', 64), server)
        self.assertIsNone(server.host)

    def test_host(self):
        server, sent = self._request('a')
        self.assertEqual({'networks': 'none', 'hypervisor_hostname': 'a'},
                         sent)
        self.assertEqual('a', server.host)

    def test_forced(self):
        server, sent = self._request('a', forced=True)
        self.assertEqual({'networks': 'none',
                          'availability_zone': ':service-of-a'}, sent)
        self.assertEqual('a', server.host)

    def test_network(self):
        _, sent = self._request(tenant_network={'id': '5'})
        self.assertEqual({'tenant_network': {'id': '5'}}, sent)

    def test_networks(self):
        _, sent = self._request(networks='auto', key_name='key')
        self.assertEqual({'networks': 'auto', 'key_name': 'key'}, sent)


class ActTest(ServersTestCase):

    def setUp(self):
        super().setUp()
        self.wait = self.useFixture(fixtures.MockPatch(
            'tempest.common.waiters.wait_for_server_status')).mock
        self.useFixture(fixtures.MonkeyPatch(
            'tempest.lib.services.compute.base_compute_client.'
            'COMPUTE_MICROVERSION', '2.84'))
        self.client.get.return_value = None, '{"servers": [{"id": "uuid"}]}'
        self.spoken = []
        for name in 'pause_server', 'resize_server', 'unshelve_server':
            getattr(self.client, name).side_effect = self._answer

    def _answer(self, *_, **__):
        self.spoken.append(base_compute_client.COMPUTE_MICROVERSION)
        return mock.Mock(response={'x-openstack-request-id': 'req-1'})

    def _assert_waited(self, status):
        self.wait.assert_called_once_with(self.client, 'uuid', status,
                                          request_id='req-1')

    def test_request_id(self):
        self.assertEqual('req-1', self.servers.act(
            'uuid', 'pause_server', 'PAUSED'))
        self.client.pause_server.assert_called_once_with('uuid')
        self._assert_waited('PAUSED')

    def test_arguments(self):
        self.servers.act('uuid', 'resize_server', 'VERIFY_RESIZE', '7',
                         host='a')
        self.client.resize_server.assert_called_once_with(
            'uuid', '7', host='a')

    def test_version(self):
        self.servers.act('uuid', 'pause_server', 'PAUSED')
        self.servers.act('uuid', 'pause_server', 'PAUSED',
                         microversion='2.67')
        self.servers.act('uuid', 'pause_server', 'PAUSED')
        self.assertEqual(['2.84', '2.67', '2.84'], self.spoken)

    def test_version_is_for_the_request_only(self):
        self.wait.side_effect = self._answer
        self.servers.act('uuid', 'pause_server', 'PAUSED',
                         microversion='2.67')
        self.assertEqual(['2.67', '2.84'], self.spoken)

    def test_version_after_a_failure(self):
        self.client.pause_server.side_effect = lib_exc.Conflict
        self.assertRaises(lib_exc.Conflict, self.servers.act, 'uuid',
                          'pause_server', 'PAUSED', microversion='2.67')
        self.assertEqual('2.84', base_compute_client.COMPUTE_MICROVERSION)
        self.wait.assert_not_called()

    def test_failure(self):
        self.wait.side_effect = exceptions.BuildErrorException(
            server_id='uuid')
        self.assertRaises(exceptions.BuildErrorException, self.servers.act,
                          'uuid', 'pause_server', 'PAUSED')

    def test_unshelve(self):
        self.assertEqual('req-1', self.servers.unshelve('uuid', 'ACTIVE',
                                                        'a'))
        self.client.unshelve_server.assert_called_once_with(
            'uuid', host='service-of-a')
        self.assertEqual(['2.91'], self.spoken)
        self._assert_waited('ACTIVE')

    def test_hosts_are_named_after_their_services(self):
        self.assertEqual({'host': 'service-of-a'}, self.servers.to('a'))
        self.assertEqual(
            {'host': 'service-of-a', 'block_migration': 'auto'},
            self.servers.to_live('a'))


class ShelveTest(ServersTestCase):

    def setUp(self):
        super().setUp()
        self.shelve = self.useFixture(fixtures.MockPatch(
            'tempest.common.compute.shelve_server')).mock

    def _show(self, *hosts):
        """Say which host has the server, each time that the API is asked."""
        self.client.show_server.side_effect = [
            {'server': {'OS-EXT-SRV-ATTR:host': host}} for host in hosts]

    def test_until_no_host_has_it(self):
        self._show('a', None)
        self.servers.shelve('uuid')
        self.shelve.assert_called_once_with(self.client, 'uuid',
                                            force_shelve_offload=True)
        self.assertEqual(2, self.client.show_server.call_count)

    def test_host_that_keeps_it(self):
        self.expect_timeout()
        self.client.show_server.return_value = {
            'server': {'OS-EXT-SRV-ATTR:host': 'a'}}
        error = self.assertRaises(lib_exc.TimeoutException,
                                  self.servers.shelve, 'uuid')
        self.assertIn('Server uuid is SHELVED_OFFLOADED, and still on host a',
                      str(error))


class SettleTest(ServersTestCase):

    def setUp(self):
        super().setUp()
        self.requested = [servers.RequestedServer(uuid, 64)
                          for uuid in ('a', 'b')]

    def _list(self, *answers):
        """Say what the API lists, once all are built."""
        answers = list(answers)

        def list_servers(detail=False, status=None):
            if status == 'BUILD':
                return {'servers': []}
            self.assertTrue(detail)
            return {'servers': answers.pop(0) if len(answers) > 1
                    else answers[0]}

        self.client.list_servers.side_effect = list_servers

    def test_one(self):
        self.listed(['a', 'other'], ['other'])
        self.client.show_server.return_value = {
            'server': _shown('a', host='host1')}
        [server, _] = self.requested
        self.servers.settle([server])
        self.assertEqual(('ACTIVE', 'host1', ''),
                         (server.status, server.host, server.fault))
        self.client.show_server.assert_called_once_with('a')
        self.assertEqual([mock.call(status='BUILD')] * 2,
                         self.client.list_servers.call_args_list)

    def test_several(self):
        self._list([_shown('b', 'ERROR', None, 'No valid host'),
                    _shown('other', 'ERROR', None, ''),
                    _shown('a', host='host1')])
        self.servers.settle(self.requested)
        self.assertEqual(
            [('ACTIVE', 'host1', ''), ('ERROR', None, 'No valid host')],
            [(server.status, server.host, server.fault)
             for server in self.requested])
        self.client.show_server.assert_not_called()
        # That of others does not matter, though it has no fault yet.
        self.assertEqual(2, self.client.list_servers.call_count)

    def test_host_where_a_server_had_to_be(self):
        self.requested[0].host = 'host1'
        self._list([_shown('a', 'ERROR', None, 'x'), _shown('b')])
        self.servers.settle(self.requested)
        self.assertIsNone(self.requested[0].host)

    def test_fault_that_comes_late(self):
        self.client.list_servers.return_value = {'servers': []}
        self.client.show_server.side_effect = [
            {'server': _shown('a', 'ERROR', None)},
            {'server': _shown('a', 'ERROR', None, '')},
            {'server': _shown('a', 'ERROR', None, 'No valid host')}]
        self.servers.settle(self.requested[:1])
        self.assertEqual('No valid host', self.requested[0].fault)

    def test_faults_that_come_late(self):
        no = _shown('a', 'ERROR', None, 'No valid host')
        self._list([no, _shown('b', 'ERROR', None)],
                   [no, _shown('b', 'ERROR', None, 'Insufficient')])
        self.client.show_server.return_value = {
            'server': _shown('b', 'ERROR', None)}
        self.servers.settle(self.requested)
        self.assertEqual(['No valid host', 'Insufficient'],
                         [server.fault for server in self.requested])

    def test_fault_that_is_never_listed(self):
        self._list([_shown('a'), _shown('b', 'ERROR', None)])
        self.client.show_server.return_value = {
            'server': _shown('b', 'ERROR', None, 'No valid host')}
        self.servers.settle(self.requested)
        self.assertEqual(['', 'No valid host'],
                         [server.fault for server in self.requested])
        self.client.show_server.assert_called_once_with('b')

    def test_fault_that_takes_the_place_of_another(self):
        self.client.list_servers.return_value = {'servers': []}
        self.client.show_server.side_effect = [
            {'server': _shown('a', 'ERROR', None, fault)}
            for fault in ('Build aborted', 'Exceeded maximum')]
        self.servers.settle(self.requested[:1],
                            lambda fault: 'Exceeded' in fault)
        self.assertEqual('Exceeded maximum', self.requested[0].fault)

    def test_fault_that_never_comes(self):
        self.expect_timeout()
        self._list([_shown('a', 'ERROR', None), _shown('b')])
        self.client.show_server.return_value = {
            'server': _shown('a', 'ERROR', None)}
        self.servers.settle(self.requested)
        self.assertEqual(('ERROR', ''), (self.requested[0].status,
                                         self.requested[0].fault))

    def test_server_that_is_gone(self):
        self._list([_shown('b')])
        self.requested[0].status = 'ACTIVE'
        self.servers.settle(self.requested)
        self.assertIsNone(self.requested[0].status)

    def test_neither_active_nor_in_error(self):
        self.expect_timeout()
        self.client.list_servers.return_value = {
            'servers': [{'id': 'b'}, {'id': 'other'}]}
        error = self.assertRaises(lib_exc.TimeoutException,
                                  self.servers.settle, self.requested)
        self.assertIn('neither ACTIVE nor in ERROR', str(error))
        self.assertTrue(str(error).endswith(' s: b'), str(error))
        self.client.show_server.assert_not_called()

    def test_active_when_the_time_is_over(self):
        self.expect_timeout()
        self._list([_shown('a'), _shown('b')])
        usual = self.client.list_servers.side_effect
        building = [{'servers': [{'id': 'b'}]}]
        self.client.list_servers.side_effect = lambda **conditions: (
            building.pop() if building else usual(**conditions))
        self.servers.settle(self.requested)
        self.assertEqual('ACTIVE', self.requested[1].status)


class WaitTest(ServersTestCase):

    def test_those_of_others_are_not_waited_for(self):
        self.listed(['a', 'b', 'other'], ['b', 'other'], ['other'])
        self.servers.wait_until_gone(['a', 'b'])
        self.assertEqual([mock.call()] * 3,
                         self.client.list_servers.call_args_list)

    def test_only_those_that_are_built_are_waited_for(self):
        self.listed(['a'], [])
        self.servers.wait_until_built(iter(['a', 'b']))
        self.assertEqual([mock.call(status='BUILD')] * 2,
                         self.client.list_servers.call_args_list)

    def test_what_takes_long_is_looked_at_less_often(self):
        self.listed(*[['a']] * 9, [])
        with fixtures.MockPatch('tenacity.nap.time.sleep') as sleep:
            self.servers.wait_until_gone(['a'])
        pauses = [call.args[0] for call in sleep.mock.call_args_list]
        self.assertEqual([0.001, 0.001, 0.0015, 0.002, 0.0025], pauses[:5])
        self.assertEqual([0.004] * 3, pauses[7:])

    def test_who_runs_is_not_shown(self):
        self.listed([])
        self.client.get.return_value = None, '{"servers": [{"id": "a"}]}'
        self.servers.wait_until_active('a')
        self.client.show_server.assert_not_called()

    def test_who_does_not_run_is(self):
        self.listed([])
        self.client.get.return_value = None, '{"servers": []}'
        with fixtures.MockPatch(
                'tempest.common.waiters.wait_for_server_status') as wait:
            self.servers.wait_until_active('a')
        wait.mock.assert_called_once_with(self.client, 'a', 'ACTIVE')

    def test_nothing_to_wait_for(self):
        self.servers.wait_until_gone([])
        self.servers.wait_until_built(iter([]))
        self.client.list_servers.assert_not_called()

    def test_those_that_remain_are_named(self):
        self.expect_timeout()
        self.client.list_servers.return_value = {
            'servers': [{'id': 'c'}, {'id': 'b'}, {'id': 'other'}]}
        error = self.assertRaises(
            lib_exc.TimeoutException, self.servers.wait_until_gone,
            ['a', 'b', 'c'])
        self.assertIn('not gone within', str(error))
        self.assertTrue(str(error).endswith(' s: b, c'), str(error))

    def test_wait_for_is_patient(self):
        nobody, somebody = '{"servers": []}', '{"servers": [{"id": "a"}]}'
        self.client.get.side_effect = [(None, nobody), (None, nobody),
                                       (None, somebody)]
        with fixtures.MockPatch(
                'tempest.common.waiters.wait_for_server_status'):
            self.servers.wait_for('a', 'PAUSED')
        self.assertEqual(
            [mock.call('servers?uuid=a&status=PAUSED&status=ERROR')] * 3,
            self.client.get.call_args_list)

    def test_what_does_not_come_is_told(self):
        self.expect_timeout()
        self.client.get.return_value = None, '{"servers": []}'
        self.client.show_server.return_value = {'server': {
            'status': 'ACTIVE', 'OS-EXT-STS:task_state': 'pausing'}}
        self.client.list_instance_actions.return_value = {
            'instanceActions': []}
        error = self.assertRaises(lib_exc.TimeoutException,
                                  self.servers.wait_for, 'a', 'PAUSED')
        self.assertIn('(task: pausing). Nova has recorded no failure',
                      str(error))
        self.assertIn('Server a is not PAUSED within', str(error))
        self.assertIn('but ACTIVE (task: pausing)', str(error))

    def test_wait_for(self):
        self.client.get.return_value = None, '{"servers": [{"id": "a"}]}'
        with fixtures.MockPatch(
                'tempest.common.waiters.wait_for_server_status',
                return_value={'id': 'a'}) as patched:
            self.assertEqual({'id': 'a'}, self.servers.wait_for(
                'a', 'ERROR', raise_on_error=False))
        patched.mock.assert_called_once_with(
            self.client, 'a', 'ERROR', raise_on_error=False)


class SlowTest(base.BaseTestCase):
    """All limits are longer where hosts are slow, Tempest's own ones, too."""

    def test_limits(self):
        manager = mock.Mock()
        found = servers.Servers(manager, None, 300, 1,
                                lambda seconds: 4 * seconds)
        self.assertEqual((1200, 4 * servers.FAULT_TIMEOUT, 1200), (
            found._timeout, found._fault_timeout,
            manager.servers_client.build_timeout))
        found.wait_longer(5)
        self.assertEqual(1205, manager.servers_client.build_timeout)


class OnHostTest(ServersTestCase):

    def test_those_of_all_projects(self):
        self.client.list_servers.return_value = {'servers': [
            {'id': 'u', 'name': 'database'}]}
        self.assertEqual({'u': 'database'}, self.servers.on_host('a.example'))
        self.client.list_servers.assert_called_once_with(
            all_tenants=True, host='service-of-a.example')


class DeleteTest(ServersTestCase):

    def _deleted(self):
        return sorted(call.args[0] for call
                      in self.client.delete_server.call_args_list)

    def test_delete(self):
        self.listed(['a', 'b'], [])
        self.servers.delete(iter(['a', 'b']))
        self.assertEqual(['a', 'b'], self._deleted())
        self.assertEqual(2, self.client.list_servers.call_count)

    def test_those_that_are_gone(self):
        self.client.delete_server.side_effect = lib_exc.NotFound
        self.servers.request_deletion(['a', 'b'])
        self.assertEqual(['a', 'b'], self._deleted())

    def test_failure_keeps_no_other_server(self):
        self.client.delete_server.side_effect = lib_exc.Conflict
        self.assertRaises(lib_exc.Conflict, self.servers.request_deletion,
                          ['a', 'b'])
        self.assertEqual(['a', 'b'], self._deleted())

    def test_none(self):
        self.servers.delete([])
        self.client.delete_server.assert_not_called()
        self.client.list_servers.assert_not_called()


@ddt.ddt
class AtOnceTest(base.BaseTestCase):

    def test_at_the_same_time(self):
        together = threading.Barrier(20)
        self.assertEqual(list(range(20)), servers.at_once(
            lambda number: together.wait(10) * 0 + number, range(20)))

    def test_several_arguments(self):
        self.assertEqual([5, 7], servers.at_once(
            lambda left, right: left + right, [1, 2], [4, 5]))

    @ddt.data(1, 2, 3)
    def test_limit(self, limit):
        running, most = [], []
        together = threading.Barrier(limit)
        lock = threading.Lock()

        def run(number):
            with lock:
                running.append(number)
                most.append(len(running))
            # As many as may are needed to go on.
            together.wait(10)
            with lock:
                running.remove(number)
            return number

        self.assertEqual(list(range(6)), servers.at_once(
            run, range(6), limit=limit))
        self.assertEqual(limit, max(most))

    def test_nothing(self):
        for limit in (None, 4):
            self.assertEqual([], servers.at_once(self.fail, [], limit=limit))

    @ddt.data(None, 1)
    def test_all_are_called_whichever_fails(self, limit):
        def fail(number):
            called.append(number)
            if number in (1, 2):
                raise ValueError(number)

        called = []
        error = self.assertRaises(ValueError, servers.at_once, fail,
                                  range(9), limit=limit)
        self.assertEqual('1', str(error))
        self.assertEqual(list(range(9)), sorted(called))

    def test_interrupted(self):
        called = []
        with fixtures.MockPatch('concurrent.futures.wait',
                                side_effect=fixtures.TimeoutException):
            begin = threading.Event()

            def run(number):
                called.append(number)
                begin.wait(0.1)

            self.assertRaises(fixtures.TimeoutException, servers.at_once,
                              run, range(9), limit=1)
        # The one that was under way has ended, no other has begun.
        self.assertIn(called, ([], [0]))


class LastFailureTest(base.BaseTestCase):
    """Why an action went wrong, though its server goes on."""

    def _told(self, *events):
        client = mock.Mock()
        client.list_instance_actions.return_value = {'instanceActions': [
            {'request_id': 'old', 'start_time': '2026-11-30T17:00:00'},
            {'request_id': 'new', 'start_time': '2026-11-30T17:00:01'}]}
        client.show_instance_action.return_value = {
            'instanceAction': {'events': events}}
        told = actions.last_failure(client, 'a')
        client.show_instance_action.assert_called_once_with('a', 'new')
        return told

    def test_parts_that_failed(self):
        self.assertEqual('x: why so; y: not recorded', self._told(
            {'event': 'cold_migrate', 'result': 'Success'},
            {'event': 'x', 'result': 'Error', 'details': 'why\nso'},
            {'event': 'y', 'result': 'Error'}))

    def test_nothing_failed(self):
        self.assertEqual('', self._told({'event': 'x', 'result': None}))
