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

from oslotest import base
from tempest.lib import exceptions as lib_exc
from tempest.lib.services.compute import base_compute_client
import urllib3

from mempage_tempest_plugin.cloud import nova_services


class ComputeServicesTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.manager = manager = mock.Mock()
        self.client = manager.hypervisor_client
        self.client.get.return_value = None, json.dumps({'hypervisors': [
            {'hypervisor_hostname': 'a.example', 'id': 'u',
             'hypervisor_version': 10000008, 'service': {'host': 'a'}}]})
        self.services = nova_services.ComputeServices(manager)

    def speak(self, microversion):
        patcher = mock.patch.object(base_compute_client,
                                    'COMPUTE_MICROVERSION', microversion)
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_host_of(self):
        self.assertEqual('a', self.services.host_of('a.example'))
        self.assertEqual('a', self.services.host_of('a.example'))
        self.client.get.assert_called_once_with('os-hypervisors/detail')

    def test_version_of(self):
        self.assertEqual('10.0.8', self.services.version_of('a.example'))

    def test_versions(self):
        self.manager.compute_versions_client.list_versions.return_value = {
            'versions': [{'id': 'v2.0', 'version': ''},
                         {'id': 'v2.1', 'version': '2.96'}]}
        self.assertTrue(self.services.knows('2.96'))
        self.assertFalse(self.services.knows('2.97'))

    def test_used_memory(self):
        self.speak('2.88')
        spoken = []
        self.client.show_hypervisor.side_effect = lambda _: (
            spoken.append(base_compute_client.COMPUTE_MICROVERSION)
            or {'hypervisor': {'memory_mb_used': 704}})
        self.assertEqual(704, self.services.used_memory('a.example'))
        self.client.show_hypervisor.assert_called_once_with('u')
        self.assertEqual(['2.53'], spoken)
        self.assertEqual('2.88', base_compute_client.COMPUTE_MICROVERSION)

    def _service(self, host, updated_at, binary='nova-compute'):
        return {'host': host, 'binary': binary, 'state': 'up',
                'updated_at': updated_at}

    def test_report(self):
        self.manager.services_client.list_services.return_value = {
            'services': [
                self._service('a', '2026-11-28T03:52:30.000000'),
                self._service('b', None),
                self._service('a', '2026-11-28T03:52:38.500000',
                              'nova-scheduler')]}
        self.assertEqual(
            nova_services.Report('up', '2026-11-28T03:52:30.000000', 8.5),
            self.services.report('a'))
        never = self.services.report('b')
        self.assertIsNone(never.updated_at)
        self.assertGreater(never.behind, 10 ** 9)

    def test_answers(self):
        self.client.show_hypervisor_uptime.return_value = {
            'hypervisor': {'uptime': ' 10:00:00 up 1 day'}}
        for version in None, '2.87':
            self.speak(version)
            self.assertTrue(self.services.answers('a.example'))
            self.client.show_hypervisor_uptime.assert_called_with('u')
        self.client.show_hypervisor.assert_not_called()

    def test_answers_newer_api(self):
        for version in '2.88', 'latest':
            self.speak(version)
            for uptime in ' 10:00:00 up 1 day', None:
                self.client.show_hypervisor.return_value = {
                    'hypervisor': {'uptime': uptime}}
                self.assertEqual(uptime is not None,
                                 self.services.answers('a.example'))
        self.client.show_hypervisor_uptime.assert_not_called()

    def test_does_not_answer(self):
        for error in (lib_exc.BadRequest('down'),
                      lib_exc.ServerFault('RPC time-out'),
                      urllib3.exceptions.ReadTimeoutError(None, '', '')):
            self.client.show_hypervisor_uptime.side_effect = error
            self.assertFalse(self.services.answers('a.example'))

    def _is_up_again(self, behind, updated_at='2', state='up', answers=True):
        before = nova_services.Report('up', '1', 99)
        with mock.patch.multiple(
                self.services, answers=mock.Mock(return_value=answers),
                report=mock.Mock(return_value=nova_services.Report(
                    state, updated_at, behind))):
            return self.services.is_up_again('a.example', before)

    def test_up_is_an_answer_and_a_report_that_is_new_or_recent(self):
        recent, long_ago = nova_services.RECENT - 1, nova_services.RECENT
        self.assertTrue(self._is_up_again(long_ago, '2'))
        self.assertTrue(self._is_up_again(recent, '1'))
        self.assertFalse(self._is_up_again(long_ago, '1'))

    def test_not_up(self):
        self.assertFalse(self._is_up_again(0, answers=False))
        self.assertFalse(self._is_up_again(0, state='down'))
