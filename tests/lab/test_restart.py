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
import xmlrpc.client

import ddt
from supervisor import xmlrpc as supervisor_xmlrpc

from mempage_lab import errors
from mempage_lab import health
from mempage_lab import lab
from mempage_lab.machines import node as machine_node
from mempage_lab import node
from mempage_lab import program
from mempage_lab import progress
from mempage_lab import restart
from mempage_lab import shares
from mempage_lab import topology
from mempage_lab import wait
from tests.lab import base

HOST = ['sshd', 'virtlogd', 'libvirtd', 'ovsdb-server', 'ovs-vswitchd',
        'ovn-controller', 'nova-compute']
FUTURE = datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)
PAST = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


@ddt.ddt
class RestartTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(progress, 'console').is_terminal = False
        self.patch_object(lab, 'REGISTRATION_LIMIT', 0.2)
        self.patch_object(node.Node, 'pid', 1)
        self.patch_object(node.Node, 'run')
        self.supervisor = self.patch_object(node.Node, 'supervisor',
                                            base.supervisor())
        self.supervisor.getProcessInfo.return_value = base.process()
        self.report = self.patch_object(health, 'last_report')
        self.report.return_value = FUTURE
        self.up = self.patch_object(health, 'hosts_up')
        self.up.return_value = {'fbm1', 'fbm2'}
        self.forced = self.patch_object(health, 'is_forced_down')
        self.forced.return_value = False
        self.lab = lab.Lab(self.default_topology())

    def _names(self, target):
        return {name: programs for name, (_, programs) in
                restart.find(self.lab, target).items()}

    def test_find_a_host(self):
        self.assertEqual({'fbm1': HOST}, self._names('fbm1'))

    def test_find_a_service(self):
        self.assertEqual(
            {'%s/sshd' % host.name: ['sshd']
             for host in self.lab.topology.hosts}, self._names('sshd'))

    def test_find_a_service_of_a_host(self):
        self.assertEqual({'fbm2/sshd': ['sshd']}, self._names('fbm2/sshd'))
        self.assertEqual({'controller/keystone': ['keystone']},
                         self._names('controller/keystone'))

    @ddt.data('nix', 'fbm1/nix', 'fbm1/keystone', 'fbm1/')
    def test_find_nothing(self, target):
        error = self.assertRaises(errors.LabError, restart.find, self.lab,
                                  target)
        self.assertIn('no host or service %s; there are controller, '
                      % target, str(error))
        self.assertIn('fbm1, sshd', str(error))

    def _run(self, target):
        restart.run(self.lab, [target], progress.Progress())

    def _calls(self):
        return [(name, arguments[0]) for name, arguments, _ in
                self.supervisor.method_calls
                if name in ('stopProcess', 'startProcess', 'signalProcess')]

    def test_a_whole_host(self):
        self._run('fbm1')
        others = [name for name in HOST if name != 'virtlogd']
        calls = self._calls()
        self.assertEqual(
            [('stopProcess', name) for name in reversed(others)],
            [call for call in calls if call[0] == 'stopProcess'])
        self.assertEqual([('startProcess', name) for name in HOST],
                         calls[len(HOST):])
        # The guests' logs go through it.
        self.assertIn(('signalProcess', 'virtlogd'), calls)

    def test_shares_are_usable_again(self):
        self.lab = lab.Lab(topology.load(topology.find('consumers'), []))
        self.lab.cloud = mock.Mock()
        wait_until_usable = self.patch_object(shares.Shares,
                                              'wait_until_usable')
        self._run('shares/ceph-osd')
        self.assertEqual([('stopProcess', 'ceph-osd'),
                          ('startProcess', 'ceph-osd')], self._calls())
        wait_until_usable.assert_called_once_with(self.lab.cloud)

    def test_a_program_that_is_stopped(self):
        self.supervisor.stopProcess.side_effect = xmlrpc.client.Fault(
            supervisor_xmlrpc.Faults.NOT_RUNNING, 'NOT_RUNNING')
        self._run('fbm1/sshd')
        self.assertIn(('startProcess', 'sshd'), self._calls())

    def _error(self, target):
        return str(self.assertRaises(errors.LabError, self._run, target))

    def test_a_program_that_does_not_stop(self):
        self.supervisor.stopProcess.side_effect = xmlrpc.client.Fault(
            supervisor_xmlrpc.Faults.FAILED, 'FAILED: sshd')
        self.assertIn('sshd on fbm1 does not stop: FAILED: sshd',
                      self._error('fbm1/sshd'))

    def test_a_program_that_does_not_start(self):
        self.supervisor.getProcessInfo.return_value = base.process(
            statename='FATAL')
        self.assertIn('sshd on fbm1 does not come up', self._error(
            'fbm1/sshd'))

    def test_a_node_that_does_not_run(self):
        self.patch_object(node.Node, 'pid', None)
        self.assertIn('fbm1 is not running: mempage-lab up',
                      self._error('fbm1'))
        self.assertEqual([], self._calls())

    @ddt.data(None, PAST)
    def test_nova_compute_that_does_not_report(self, report):
        # Nova goes on to take it for up.
        self.report.return_value = report
        self.assertIn('nova-compute on fbm1 does not come up',
                      self._error('fbm1/nova-compute'))

    def test_nova_compute_of_a_host_that_is_not_up(self):
        self.up.return_value = {'fbm2'}
        self.assertIn('nova-compute on fbm1 does not come up',
                      self._error('fbm1/nova-compute'))

    def test_nova_compute_that_is_forced_down(self):
        self.up.return_value = {'fbm2'}
        self.forced.side_effect = lambda current, host, service: (
            host == 'fbm1')
        error = self._error('fbm1/nova-compute')
        self.assertIn('nova-compute on fbm1 runs, but nova was told to take '
                      'it for down', error)
        self.assertNotIn('does not come up', error)

    def test_nova_compute_that_is_forced_down_and_does_not_report(self):
        self.report.return_value = PAST
        self.forced.return_value = True
        self.assertIn('does not come up', self._error('fbm1/nova-compute'))

    def test_nova_compute_that_ends_again_and_again(self):
        self.patch_object(lab, 'REGISTRATION_LIMIT', 3)
        self.report.return_value = PAST
        pids = iter(range(100))
        self.supervisor.getProcessInfo.side_effect = lambda name: \
            base.process(pid=next(pids))
        self.assertIn('nova-compute on fbm1 does not come up',
                      self._error('fbm1/nova-compute'))
        self.report.assert_not_called()

    def test_nova_compute_that_dies_without_an_end(self):
        self.patch_object(lab, 'REGISTRATION_LIMIT', 3)
        log = self._log('fine\n')

        def report(*arguments):
            log.write_text('fine\n1 CRITICAL nova [-] Unhandled error\n')

        self.report.side_effect = report
        self.assertIn('CRITICAL nova [-] Unhandled error',
                      self._error('fbm1/nova-compute'))
        self.report.assert_called_once()

    def test_nova_compute_that_died_before(self):
        self._log('1 CRITICAL nova [-] Unhandled error\n')
        self._run('fbm1/nova-compute')

    def _log(self, text):
        log = self.lab.nodes['fbm1'].log('nova-compute')
        log.parent.mkdir(parents=True)
        log.write_text(text)
        return log

    def test_every_host_that_fails_is_named(self):
        self.up.return_value = {'fbm1'}
        error = self._error('nova-compute')
        self.assertNotIn('fbm1/nova-compute: ', error)
        for name in ('fbm2', 'fbm3', 'plain1', 'huge1'):
            self.assertIn(name + '/nova-compute: ', error)

    def test_the_conductor_needs_no_host(self):
        self.up.return_value = set()
        self._run('nova-conductor')

    def test_contained_nova_compute(self):
        self.lab = lab.Lab(topology.load(self.write_topology(
            'hosts: {a: {contained: true}}'), []))
        self.up.return_value = {'a'}
        self._run('a')
        self.assertIn(('startProcess', 'nova_compute'), self._calls())
        self.report.assert_called_with(self.lab, 'a', 'nova-compute')
        self.up.return_value = set()
        self.assertIn('nova_compute on a does not come up',
                      self._error('a/nova_compute'))


class MachineTest(base.LabTestCase):
    """Programs of a host that is a machine."""

    def setUp(self):
        super().setUp()
        self.patch_object(progress, 'console').is_terminal = False
        self.patch_object(health, 'last_report').return_value = FUTURE
        self.patch_object(health, 'is_forced_down').return_value = False
        self.patch_object(health, 'hosts_up').return_value = {'device1'}
        self.patch_object(machine_node.MachineNode, 'pid', 1)
        self.state = self.patch_object(machine_node.MachineNode, 'state')
        self.state.return_value = program.State('RUNNING', 7, 1)
        self.run_inside = self.patch_object(machine_node.MachineNode, 'run')
        self.lab = lab.Lab(topology.load(
            topology.SHIPPED / 'device.yaml', []))

    def _run(self, target):
        restart.run(self.lab, [target], progress.Progress())

    def test_a_whole_host(self):
        self._run('device1')
        units = ['ssh', *HOST[1:]]
        calls = [call.args[1:] for call in self.run_inside.call_args_list
                 if call.args[0] == 'systemctl']
        self.assertEqual(
            [('try-reload-or-restart' if unit == 'virtlogd' else 'stop', unit)
             for unit in reversed(units)]
            + [('start', unit) for unit in units], calls)
        self.run_inside.assert_any_call('touch', machine_node.GO)

    def test_it_takes_its_time(self):
        until = self.patch_object(wait, 'until')
        self._run('device1/nova-compute')
        self.assertEqual(lab.REGISTRATION_LIMIT * machine_node.SLOWER,
                         until.call_args.args[1])

    def test_a_machine_that_answers_late(self):
        self.state.side_effect = [errors.LabError('gone'),
                                  program.State('STARTING'),
                                  program.State('RUNNING', 7, 1)]
        self._run('device1/sshd')
        self.assertEqual(3, self.state.call_count)

    def test_a_program_that_does_not_stop(self):
        self.run_inside.side_effect = errors.CommandFailed(['systemctl'], 1,
                                                           'busy')
        error = self.assertRaises(errors.LabError, self._run, 'device1/sshd')
        self.assertIn('sshd on device1 does not stop: busy', str(error))
