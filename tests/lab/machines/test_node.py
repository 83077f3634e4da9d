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
import shutil
import subprocess
from unittest import mock

import ddt

from mempage_lab import errors
from mempage_lab.machines import agent
from mempage_lab.machines import machine
from mempage_lab.machines import node
from mempage_lab.machines import process
from mempage_lab.machines import qemu
from mempage_lab.machines import sockets
from mempage_lab import network
from mempage_lab import paths
from mempage_lab import program
from mempage_lab import wait
from tests.lab import base

#: As /proc/uptime and systemctl tell it, of sshd, libvirtd and nova-compute.
TOLD = """\
165.50 300.00
MainPID=7
ActiveState=active
ActiveEnterTimestampMonotonic=100500000

MainPID=0
ActiveState=active
ActiveEnterTimestampMonotonic=165000000

MainPID=0
ActiveState=inactive
ActiveEnterTimestampMonotonic=0
"""
BLOCK = ('1.00 1.00\nMainPID=0\nActiveState=%s\n'
         'ActiveEnterTimestampMonotonic=0\n')
SUDO = 'sudo() { "$@"; }; '
HOSTS = {'a': '10.0.0.10'}


@ddt.ddt
class MachineNodeTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.disk = qemu.Nvme('A1', 64)
        self.node = node.MachineNode(
            'a', 10, '10.0.0.10', base.openstack(system='debian-13'),
            [self.disk])
        self.pid = self.patch_object(process.Process, 'pid', 7)
        self.run_inside = self.patch_object(machine.Bare, 'run')
        self.write_inside = self.patch_object(agent.Agent, 'write')
        self.snapshot = mock.Mock()
        self.snapshot.hardware.kvm = False
        self.patch_object(network, 'plug_machine').return_value = [
            ('tap0', '02:00:00:00:10:0a'), ('tap1', '02:00:00:00:11:0a')]

    def _off(self):
        self.patch_object(process.Process, 'pid', None)

    def test_states(self):
        self.run_inside.return_value = TOLD
        states = self.node.states(['sshd', 'libvirtd', 'nova-compute'])
        self.assertEqual(
            {'sshd': program.State('RUNNING', 7, 65),
             'libvirtd': program.State('RUNNING', None, 0),
             'nova-compute': program.State('STOPPED')}, states)
        self.assertEqual(('ssh', 'libvirtd', 'nova-compute'),
                         self.run_inside.call_args.args[-3:])

    @ddt.data(('reloading', 'RUNNING'), ('failed', 'FATAL'),
              ('activating', 'STARTING'), ('deactivating', 'STOPPING'),
              ('maintenance', 'UNKNOWN'))
    @ddt.unpack
    def test_state(self, told, expected):
        self.run_inside.return_value = BLOCK % told
        state = self.node.state('sshd')
        self.assertEqual(expected, state.word)
        self.assertEqual(expected == 'RUNNING', state.runs)

    def test_states_of_a_machine_that_is_off(self):
        self._off()
        self.assertEqual({}, self.node.states(['sshd']))
        self.run_inside.assert_not_called()

    def test_states_of_a_machine_that_does_not_answer(self):
        self.run_inside.side_effect = sockets.Lost('gone')
        self.assertEqual({}, self.node.states(['sshd']))
        self.assertRaises(errors.LabError, self.node.state, 'sshd')

    @ddt.data('run', 'enter')
    def test_not_running(self, method):
        self._off()
        error = self.assertRaises(errors.LabError,
                                  getattr(self.node, method), 'true')
        self.assertEqual('a is not running: mempage-lab up', str(error))

    def test_run(self):
        self.run_inside.return_value = 'said'
        # What is for a command outside is nothing to a machine.
        self.assertEqual('said', self.node.run('a', 'b', input='c', cwd='/'))
        self.run_inside.assert_called_once_with('a', 'b', input='c')

    def test_enter(self):
        *ssh, command = self.node.enter('printf', '%s\n', 'a b')
        self.assertEqual([str(paths.SSH), '-qt', 'a'], ssh)
        said = subprocess.check_output(
            ['sh', '-c', SUDO + command], text=True)
        self.assertEqual('a b\n', said)

    def test_enter_finds_openstacks_commands(self):
        command = self.node.installation.venv / 'bin' / 'mempage-nova'
        command.parent.mkdir(parents=True)
        command.write_text('#!/bin/sh\necho "$1 of nova"\n')
        command.chmod(0o755)
        said = subprocess.check_output(['sh', '-c', SUDO + self.node.enter(
            'mempage-nova', 'check')[-1]], text=True)
        self.assertEqual('check of nova\n', said)

    def _begin(self, *arguments):
        shutil.rmtree(self.node._here, ignore_errors=True)
        self.node._here.mkdir(parents=True)

    def _start(self):
        begin = self.patch_object(machine.Machine, 'begin')
        begin.side_effect = self._begin
        extension = {'/venv/nova/mempage.py': agent.File('new')}
        self.node.start(self.snapshot, extension, HOSTS, 'set up')
        hosts, files, then = begin.call_args.args
        self.assertEqual(HOSTS, hosts)
        return files, then

    def test_files_of_before_it_starts(self):
        self.node.write('/etc/a', 'text', mode=0o600, owner='nova')
        self.write_inside.assert_not_called()
        files, then = self._start()
        self.assertEqual(agent.File('text', 0o600, 'nova'), files['/etc/a'])
        self.assertEqual(agent.File('set up', 0o700), files[node.SETUP])
        self.assertIn('/venv/nova/mempage.py', files)
        self.assertIn(node.SETUP, then[-1])
        self.assertIn('restart --no-block ssh libvirtd', then[-1])

    def test_files_of_a_machine_that_runs(self):
        self._start()
        self.node.write('/etc/a', 'text')
        self.write_inside.assert_called_once_with(
            {'/etc/a': agent.File('text')})

    def test_it_has_begun(self):
        self.assertFalse(self.node.has_begun)
        self._start()
        self.assertTrue(self.node.has_begun)
        self._off()
        self.assertFalse(self.node.has_begun)

    def test_a_machine_that_did_not_get_all(self):
        self._start()

        def fail(*arguments):
            self._begin()
            raise errors.LabError('no pages')

        self.patch_object(machine.Machine, 'begin', fail)
        self.assertRaises(errors.LabError, self.node.start, self.snapshot,
                          {}, HOSTS, 'set up')
        # Its QEMU runs.
        self.assertEqual(7, self.node.pid)
        self.assertFalse(self.node.has_begun)

    def test_logs_are_new(self):
        log = self.node.log('nova-compute')
        log.parent.mkdir(parents=True)
        log.write_text('of the last lab')
        self._start()
        self.assertEqual([], list(self.node.logs.iterdir()))

    def test_its_machine(self):
        made = self.node._machine(self.snapshot)
        self.assertEqual('10.0.0.10/24', made.address)
        self.assertEqual([qemu.Card('tap0', '02:00:00:00:10:0a'),
                          qemu.Card('tap1', '02:00:00:00:11:0a')], made.cards)
        self.assertEqual((self.disk,), made.disks)
        self.assertEqual('mempage-a', made.namespace)
        self.assertEqual(self.node._bare.directory, made.directory)
        self.assertEqual(paths.LOGS / 'a', made.logs)

    def _reboot(self, hard, is_on):
        """Return what a machine is told that is to boot again."""
        def cut_power():
            made.pid = None

        made = self.patch_object(machine, 'Machine').return_value
        made.pid = 7 if is_on else None
        made.cut_power.side_effect = cut_power
        self.node.reboot(self.snapshot, hard)
        return [name for name, _, _ in made.method_calls]

    @ddt.data((False, True, ['reboot']), (True, True, ['cut_power', 'boot']),
              (False, False, ['boot']), (True, False, ['boot']))
    @ddt.unpack
    def test_reboot(self, hard, is_on, expected):
        self.assertEqual(expected, self._reboot(hard, is_on))

    def _told(self):
        return [call.args for call in self.run_inside.call_args_list]

    def test_start_program(self):
        self.node.start_program('nova-compute')
        self.assertEqual(
            [('touch', '/run/nova-compute.go'),
             ('systemctl', 'start', 'nova-compute')], self._told())

    def test_start_another_program(self):
        self.node.start_program('sshd')
        self.assertEqual([('systemctl', 'start', 'ssh')], self._told())

    def test_stop_program(self):
        self.node.stop_program('sshd')
        self.assertEqual([('systemctl', 'stop', 'ssh')], self._told())

    def test_consoles_of_guests_go_on(self):
        self.node.stop_program('virtlogd')
        self.assertEqual([('systemctl', 'try-reload-or-restart', 'virtlogd')],
                         self._told())

    def test_a_program_that_does_not_stop(self):
        self.run_inside.side_effect = errors.CommandFailed(['systemctl'], 1,
                                                           'busy')
        error = self.assertRaises(errors.LabError, self.node.stop_program,
                                  'sshd')
        self.assertEqual('sshd on a does not stop: busy', str(error))

    def test_wait_for(self):
        self.patch_object(wait.time, 'sleep')
        ready = mock.Mock(side_effect=[OSError(), sockets.Lost('gone'), False,
                                       True])
        self.node.wait_for('sshd', ready)
        self.assertEqual(4, ready.call_count)

    def test_wait_for_what_does_not_come(self):
        until = self.patch_object(wait, 'until')
        until.return_value = False
        self.run_inside.return_value = 'the journal'
        error = self.assertRaises(errors.LabError, self.node.wait_for,
                                  'sshd', lambda: False, 3)
        # It is emulated.
        self.assertEqual(3 * node.SLOWER, until.call_args.args[1])
        self.assertEqual('sshd on a does not come up: the journal',
                         str(error))

    def test_explain(self):
        self.run_inside.return_value = 'the journal\n'
        log = self.node.log('nova-compute')
        log.parent.mkdir(parents=True)
        log.write_text('the log\n')
        explanation = self.node.explain('nova-compute')
        self.assertIn('nova-compute on a does not come up: the journal\n',
                      explanation)
        self.assertTrue(explanation.endswith(
            'the end of %s:\nthe log' % log), explanation)
        self.assertEqual('nova-compute', self._told()[0][-1])

    def test_explain_a_machine_that_does_not_answer(self):
        self.run_inside.side_effect = sockets.Lost('gone')
        self.assertEqual('sshd on a does not come up: gone',
                         self.node.explain('sshd'))
