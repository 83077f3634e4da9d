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
import datetime
from unittest import mock

import ddt

from mempage_lab import errors
from mempage_lab import health
from mempage_lab import lab
from mempage_lab.machines import compute
from mempage_lab.machines import node
from mempage_lab import progress
from mempage_lab import reboot
from mempage_lab import topology
from mempage_lab import wait
from tests.lab import base

PAST = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
FUTURE = datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)


@ddt.ddt
class RebootTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(progress, 'console').is_terminal = False
        self.patch_object(reboot, 'REPORT_LIMIT', 0.2)
        self.patch_object(wait.time, 'sleep')
        self.patch_object(node.MachineNode, 'run').return_value = 'journal'
        self.reboot = self.patch_object(compute.MachineCompute, 'reboot')
        self.report = self.patch_object(health, 'last_report')
        self.report.return_value = FUTURE
        self.patch_object(health, 'is_forced_down').return_value = False
        self.up = self.patch_object(health, 'hosts_up')
        self.up.return_value = {'device1'}
        self.patch_object(lab, 'LOCK', self.directory / 'lock')
        self.patch_object(lab, 'HOST_LOCK', str(self.directory / 'lock-%s'))
        self.kvm = self.patch_object(lab.Lab, 'choose_accelerator')

    def _run(self, name='device1', hard=False, path='device'):
        self.shown = progress.Progress()
        current = lab.Lab(topology.load(
            topology.SHIPPED / (path + '.yaml'), []))
        reboot.run(current, name, hard, self.shown)

    def _error(self, *arguments, **kwargs):
        return str(self.assertRaises(errors.LabError, self._run, *arguments,
                                     **kwargs))

    @ddt.data('plain1', 'controller', 'nix')
    def test_no_machine(self, name):
        self.assertEqual(
            '%s is no machine, and only those reboot: device1, device2'
            % name, self._error(name))
        self.reboot.assert_not_called()

    def test_no_machines(self):
        self.assertIn('there is none in this lab',
                      self._error('fbm1', path='default'))

    @ddt.data((False, 'device1/reboot'), (True, 'device1/power cut'))
    @ddt.unpack
    def test_reboot(self, hard, step):
        self._run(hard=hard)
        self.reboot.assert_called_once_with(hard)
        self.assertEqual([step, 'device1/nova-compute'],
                         list(self.shown.costs))

    def test_while_others_have_the_lab(self):
        # As while a drill runs tests that reboot hosts, two at a time.
        with lab.exclusive(), lab.exclusive_host('device2'):
            self._run()
        self.reboot.assert_called_once_with(False)

    def test_one_reboot_of_a_host_at_a_time(self):
        with lab.exclusive_host('device1'):
            self.assertEqual('device1 reboots already: wait until it is up',
                             self._error())
        self.reboot.assert_not_called()

    def test_it_is_known_how_a_machine_runs(self):
        calls = mock.Mock()
        calls.attach_mock(self.kvm, 'kvm')
        calls.attach_mock(self.reboot, 'reboot')
        self._run()
        self.assertEqual([mock.call.kvm(), mock.call.reboot(False)],
                         calls.mock_calls)

    @ddt.data(None, PAST)
    def test_nova_compute_that_does_not_report(self, report):
        # Nova goes on to take it for up.
        self.report.return_value = report
        self.assertIn('nova-compute on device1 does not come up: journal',
                      self._error())

    def test_a_report_on_the_way_down(self):
        def go_down(hard):
            self.report.return_value = datetime.datetime.now(
                datetime.timezone.utc)

        self.reboot.side_effect = go_down
        self.assertIn('does not come up', self._error())

    def test_a_report_that_comes_later(self):
        self.report.side_effect = [None, PAST, FUTURE]
        self.patch_object(reboot, 'REPORT_LIMIT', 10)
        self._run()
        self.assertEqual(3, self.report.call_count)

    def test_a_host_that_is_not_up(self):
        self.up.return_value = {'device2'}
        self.assertIn('nova-compute on device1 does not come up',
                      self._error())

    def test_a_machine_that_does_not_boot(self):
        self.reboot.side_effect = errors.LabError('no root')
        self.assertEqual('no root', self._error())
        self.report.assert_not_called()
