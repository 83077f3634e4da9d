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

"""Tests of what tests make of guests whose host boots again."""

import dataclasses
from unittest import mock

from oslotest import base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.tests.scenario import test_power
from tests.plugin.bases import cases
from tests.plugin import samples

POWER = inventory.Power(reboot='boot', cut='cut')


class PowerTest(base.BaseTestCase):

    def _case(self, declared=samples.FILE_BACKED, **attributes):
        self.host = cases.host(declared.name, declared=declared)
        self.case = cases.make(
            test_power.TestPowerCut, 'test_power_cut', hosts=[self.host],
            nova=mock.Mock(), **attributes)
        self.server = servers.RequestedServer('uuid', 192,
                                              host=declared.name)
        self.case.servers = [self.server]
        return self.case

    def _start_over(self):
        self.case._wait_until_over(self.host)
        self.case._start(self.host)

    def test_guest_is_off(self):
        self._case()
        self.host.pids.return_value = []
        self._start_over()
        self.case.nova.wait_for.assert_called_once_with('uuid', 'SHUTOFF')
        self.case.nova.client.start_server.assert_called_once_with('uuid')

    def test_nova_has_started_it(self):
        """It was never SHUTOFF, and whoever runs cannot be started."""
        self._case()
        self.host.pids.return_value = [7]
        self._start_over()
        self.case.nova.wait_for.assert_not_called()
        self.case.nova.client.start_server.assert_not_called()

    def test_it_runs_though_nova_says_shut_off(self):
        self._case()
        self.host.pids.side_effect = [[], [7]]
        cases.assert_fails(self, self._start_over)

    def _check_no_files(self, *names):
        self._case()
        self.host.survey.side_effect = [samples.host_survey(
            files={path: samples.file(path, kind='f')
                   for path in ['%s/%s' % (samples.DIRECTORY, name)]})
            for name in names]
        self.host.declared = mock.Mock(limit=lambda seconds: 60)
        with mock.patch('time.sleep'):
            self.case._check_no_files(self.host)

    def test_files_may_go_a_moment_after_the_guest(self):
        self._check_no_files('libvirt/qemu/7-x/pc.ram', 'README', 'README')

    def test_file_that_stays(self):
        self._case()
        self.host.survey.return_value = samples.host_survey()
        self.host.declared = mock.Mock(limit=lambda seconds: 0)
        error = cases.assert_fails(self, self.case._check_no_files, self.host)
        self.assertIn('host fbm1: files in its store though', str(error))
        self.assertIn(samples.PATH, str(error))

    def _boot(self, declared):
        case = self._case(declared, _flavors={True: 'any', False: 'large'})
        with mock.patch.object(case, 'boot',
                               return_value=self.server) as boot:
            case._boot(self.host)
        boot.assert_called_once_with(self.host, flavor=mock.ANY)
        return boot.mock_calls[0].kwargs['flavor'], case.page_kib(self.host)

    def test_ordinary_guest(self):
        self.assertEqual(('any', None),
                         self._boot(samples.FILE_BACKED))

    def test_guest_of_a_host_with_large_pages_only(self):
        self.assertEqual(('large', 2048),
                         self._boot(samples.LARGE_PAGE))

    def test_memory_is_marked_where_it_could_stay(self):
        for declared, size_kib, wanted in (
                (samples.FILE_BACKED, None, 'mark'),
                (samples.LARGE_PAGE, 2048, 'mark'),
                (samples.PLAIN, None, 'note')):
            case = self._case(declared, memory=mock.Mock())
            self.server.size_kib = size_kib
            case._note_memory(self.host)
            self.assertEqual([getattr(mock.call, wanted)(self.host)],
                             case.memory.mock_calls)

    def test_hosts(self):
        about = test_power.TestPowerCut.about
        for host, suits in ((samples.PLAIN, True), (samples.LARGE_PAGE, True),
                            (dataclasses.replace(samples.LARGE_PAGE,
                                                 pools=()), False)):
            self.assertEqual(suits, about(dataclasses.replace(
                host, power=POWER)))
            self.assertFalse(about(host))
