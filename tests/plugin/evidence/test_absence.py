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

"""Tests of what moves must leave behind."""

from unittest import mock

import testtools

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.evidence import absence
from mempage_tempest_plugin import exceptions

SERVER = '0b5a1c1e-62a4-4a0f-9d9c-6a1c5f3e8d7b'


def _host(processes=(), files=()):
    host = mock.Mock()
    host.name = 'host1'
    host.survey.return_value.processes = {SERVER: [
        mock.Mock(pid=pid) for pid in processes]}
    host.survey.return_value.files = dict.fromkeys(files)
    host.libvirt.xml.side_effect = exceptions.DomainGone(
        'host1', 'gone')
    host.libvirt.running.return_value = {}
    return host


def _api(allocated=()):
    api = mock.Mock()
    api.server.return_value = cloud.Server(SERVER, 'ACTIVE', 'host2',
                                           'instance-00000001')
    api.provider.return_value = mock.Mock(uuid='provider1')
    api.allocated_memory.return_value = dict(allocated)
    return api


class TestAbsent(testtools.TestCase):

    def _wrong(self, host, api):
        return [fact.name for fact in absence.compare_absent(
            host, SERVER, api).disagreements]

    def test_nothing(self):
        self.assertEqual([], self._wrong(
            _host(files=['/ram', '/ram/2-instance-00000010']),
            _api({'provider2': 64})))

    def test_domain(self):
        host = _host()
        host.libvirt.xml.side_effect = None
        self.assertEqual(['domain'], self._wrong(host, _api()))

    def test_process(self):
        self.assertEqual(['QEMU processes'],
                         self._wrong(_host(processes=[7]), _api()))

    def test_file(self):
        host = _host(files=['/ram/libvirt/qemu/1-instance-00000001/pc.ram'])
        self.assertEqual(['backing files and directories'],
                         self._wrong(host, _api()))

    def test_file_of_a_guest_of_another_cell(self):
        host = _host(files=['/ram/libvirt/qemu/1-instance-00000001/pc.ram'])
        host.libvirt.running.return_value = {'uuid': '1-instance-00000001'}
        self.assertEqual([], self._wrong(host, _api()))

    def test_allocation(self):
        self.assertEqual(['MEMORY_MB allocated'],
                         self._wrong(_host(), _api({'provider1': 64})))


class TestUntouched(testtools.TestCase):

    def _wrong(self, pid=7, allocated=None, held=None):
        evidence = mock.Mock(
            ram_mib=64, processes=[mock.Mock(pid=pid)],
            allocated=allocated or {'provider1': 64})
        evidence.provider.uuid = 'provider1'
        return [fact.name for fact in absence.compare_untouched(
            evidence, [7], held or {}).disagreements]

    def test_same(self):
        self.assertEqual([], self._wrong())

    def test_other_process(self):
        self.assertEqual(['QEMU processes'], self._wrong(pid=8))

    def test_second_allocation(self):
        self.assertEqual(['MEMORY_MB allocated, by provider'], self._wrong(
            allocated={'provider1': 64, 'provider2': 64}))

    def test_allocation_of_migration(self):
        self.assertEqual(['held by migrations'], self._wrong(
            held={'migration1': {'provider1': 64}}))


class TestHeld(testtools.TestCase):

    def _wrong(self, held=(), of_nobody=()):
        return [fact.name for fact in absence.compare_held(
            'host1', SERVER, dict(held), dict(of_nobody)).disagreements]

    def test_nothing(self):
        self.assertEqual([], self._wrong())

    def test_allocation_that_stays_on_the_source(self):
        self.assertEqual(
            ['held by migrations of the server',
             'MEMORY_MB held beside the flavors of its servers'],
            self._wrong({'migration1': {'provider1': 64}},
                        {'migration1': 64}))


class TestRefusal(testtools.TestCase):

    def test_failed_events_only(self):
        client = mock.Mock()
        client.show_instance_action.return_value = {'instanceAction': {
            'events': [
                {'event': 'a', 'result': 'Error', 'details': 'no pages'},
                {'event': 'b', 'result': 'Success', 'details': None}]}}
        self.assertEqual('no pages', actions.refusal(
            client, SERVER, 'req-1', lambda seconds: seconds))

    def test_ends(self):
        for last, waits in (('Error', False), ('Success', True)):
            client = mock.Mock()
            client.show_instance_action.return_value = {'instanceAction': {
                'events': [
                    {'event': 'a', 'result': last, 'details': 'no host'},
                    {'event': 'a', 'result': None, 'details': None}]}}
            with mock.patch.object(actions, 'RECORD_TIMEOUT', 0.1), \
                    mock.patch('time.sleep') as sleep:
                actions.refusal(client, SERVER, 'req-1',
                                lambda seconds: seconds)
            self.assertEqual(waits, sleep.called, last)


class OffTest(testtools.TestCase):

    def test_file_and_process(self):
        host = _host(processes=[7], files=[
            '/ram/1-instance-00000001', '/ram/2-instance-00000010'])
        comparison = absence.compare_off(host, host.survey(),
                                         _api().server(SERVER))
        self.assertEqual(['QEMU processes', 'backing files and directories'],
                         [fact.name for fact in comparison.disagreements])
        self.assertIn('(ACTIVE)', str(comparison))


class BuildsTest(testtools.TestCase):

    def _client(self, *hosts):
        """Nova's answer: the newest first, all in the same second."""
        client = mock.Mock()
        client.list_instance_actions.return_value = {'instanceActions': [
            {'action': 'delete', 'request_id': 'req-2'},
            {'action': 'create', 'request_id': 'req-1'}]}
        client.show_instance_action.return_value = {'instanceAction': {
            'events': [
                {'event': event, 'host': host,
                 'start_time': '2026-11-22T03:52:59.000000'}
                for event, host in [
                    *[('compute__do_build_and_run_instance', host)
                      for host in reversed(hosts)],
                    ('conductor_schedule', 'c')]]}}
        return client

    def test_hosts_in_turn(self):
        client = self._client('b', 'a')
        self.assertEqual(['b', 'a'], actions.builds(client, SERVER))
        client.show_instance_action.assert_called_once_with(SERVER, 'req-1')

    def test_none(self):
        self.assertEqual([], actions.builds(self._client(), SERVER))
