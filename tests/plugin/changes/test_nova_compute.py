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

import itertools
from unittest import mock

from oslotest import base

from mempage_tempest_plugin.changes import nova_compute
from mempage_tempest_plugin.cloud import nova_services
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import nova_config


class _Services(nova_services.ComputeServices):
    """Tells reports of every host, one after the other."""

    def __init__(self, *reports, answers=()):
        super().__init__(mock.Mock())
        # The first is asked for twice: again when the process is gone.
        self.reports = [reports[0], *reports]
        self.left = list(answers)

    def host_of(self, hypervisor):
        return hypervisor

    def report(self, host):
        if len(self.reports) > 1:
            return self.reports.pop(0)
        return self.reports[0]

    def answers(self, hypervisor):
        return bool(self.left) and self.left.pop(0)


def _report(at, state='up', behind=0):
    return nova_services.Report(state, at, behind)


class _Base(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.log = mock.Mock()
        self._patch(nova_compute, 'POLL', 0)
        self.host = mock.Mock(log=self.log)
        self.host.name = 'a'
        self.host.declared.compute_service.restart = 'restart it'
        self.host.declared.limit = lambda seconds: seconds
        self._patch(nova_compute, 'GONE_TIMEOUT', 0.1)
        # Each restart looks before it, and then until that one is gone.
        self.processes = self._patch(
            nova_compute.nova_config, 'processes', side_effect=itertools.cycle(
                [[_process('7', 100)], [_process('8', 200)]]))

    def _patch(self, *arguments, **kwargs):
        patcher = mock.patch.object(*arguments, **kwargs)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def _compute(self, services, log='', timeout=0.1):
        self.log.since.return_value = log
        return nova_compute.NovaCompute(self.host, services, timeout)


def _process(pid, started):
    return nova_config.Process(pid, started=started)


class NovaComputeTest(_Base):

    def test_restart_begins_at_once(self):
        self._compute(_Services(_report('1'))).restart()
        self.host.ssh.start.assert_called_once_with(
            ['sh', '-c', 'exec >&2; restart it'], root=True)
        self.host.ssh.start.return_value.wait.assert_not_called()

    def test_next_restart_waits_for_the_end_of_the_last(self):
        compute = self._compute(_Services(_report('1')))
        compute.restart()
        compute.restart()
        self.host.ssh.start.return_value.wait.assert_called_once_with(False)

    def test_restart_that_is_over_is_not_waited_for(self):
        compute = self._compute(_Services(_report('1')))
        compute.restart().wait()
        compute.restart()
        self.host.ssh.start.return_value.wait.assert_called_once_with(True)

    def test_restart_that_failed_is_not_waited_for(self):
        command = self.host.ssh.start.return_value
        command.wait.side_effect = [exceptions.HostError('a', 'failed')]
        compute = self._compute(_Services(_report('1')))
        self.assertRaises(exceptions.HostError, compute.restart().wait)
        compute.restart()
        command.wait.assert_called_once_with(True)


class RestartTest(_Base):

    def _restart(self, *arguments, check=True, **kwargs):
        return self._compute(*arguments, **kwargs).restart(check)

    def test_nothing_was_restarted(self):
        self.processes.side_effect = None
        self.processes.return_value = [_process('7', 100)]
        restart = self._restart(_Services(_report('1')))
        error = self.assertRaises(exceptions.ServiceNotRestarted, restart.wait)
        self.assertIn("services.nova-compute.restart of the inventory, "
                      "'restart it', has ended, but the process of before "
                      "(PID 7) is still there", str(error))

    def test_process_takes_its_time_to_end(self):
        before = [_process('7', 100)]
        self.processes.side_effect = [before, before, [], []]
        self._restart(_Services(_report('1'))).wait()

    def test_pid_of_before_is_another_process(self):
        self.processes.side_effect = [[_process('7', 100)],
                                      [_process('7', 200)]]
        self._restart(_Services(_report('1'))).wait()

    def test_log_is_there_from_the_beginning(self):
        self.assertEqual('starts', self._restart(_Services(_report('1')),
                                                 'starts').log())

    def test_up_is_a_report_if_the_last_one_was_long_ago(self):
        old = _report('1', behind=nova_services.RECENT)
        services = _Services(old, old, old, _report('2'),
                             answers=[True, True, True])
        self._restart(services).wait_until_up()
        self.assertEqual([], services.left)
        self.assertEqual([_report('2')], services.reports)

    def test_report_of_the_process_before_is_not_up(self):
        old = _report('1', behind=nova_services.RECENT)
        # It has reported until it was gone.
        last = _report('2', behind=nova_services.RECENT)
        services = _Services(last, answers=[True] * 9)
        services.reports = [old, last]
        self.assertRaises(exceptions.ServiceNotUp,
                          self._restart(services).wait_until_up)

    def test_up_is_an_answer_after_the_restart(self):
        services = _Services(_report('1'), answers=[False, True])
        self._restart(services).wait_until_up()
        self.assertEqual([], services.left)

    def test_up_for_long_is_not_up_again(self):
        restart = self._restart(_Services(_report('1')), 'starting')
        error = self.assertRaises(exceptions.ServiceNotUp,
                                  restart.wait_until_up)
        self.assertIn('host a: nova-compute has not answered', str(error))
        self.assertIn('starting', str(error))

    def test_secrets_of_its_log_are_not_shown(self):
        restart = self._restart(_Services(_report('1')), 'password=HIDDEN')
        error = self.assertRaises(exceptions.ServiceNotUp,
                                  restart.wait_until_up)
        self.assertIn('password=***', str(error))
        self.assertNotIn('HIDDEN', str(error))

    def test_dead_one_is_not_waited_for(self):
        restart = self._restart(_Services(_report('1')),
                                '1 CRITICAL nova [-] Unhandled error',
                                timeout=60)
        error = self.assertRaises(exceptions.ServiceNotUp,
                                  restart.wait_until_up)
        self.assertIn('dies', str(error))

    def test_refused(self):
        restart = self._restart(_Services(_report('1')), 'list is empty',
                                check=False)
        self.assertIn('is empty', restart.wait_until_refused('is empty'))
        self.host.ssh.start.return_value.wait.assert_called_once_with(False)

    def test_started_is_not_refused(self):
        restart = self._restart(_Services(_report('1'), _report('2')), 'fine')
        error = self.assertRaises(exceptions.ServiceNotRefused,
                                  restart.wait_until_refused, 'is empty')
        self.assertIn("to log 'is empty', but it started", str(error))

    def test_refused_for_another_reason(self):
        restart = self._restart(_Services(_report('1')), 'other reason')
        error = self.assertRaises(exceptions.ServiceNotRefused,
                                  restart.wait_until_refused, 'is empty')
        self.assertIn('other reason', str(error))

    def test_down(self):
        services = _Services(_report('1'), _report('1'), _report('1', 'down'))
        self._restart(services).wait_until_down()
        self.assertEqual([_report('1', 'down')], services.reports)

    def test_never_down(self):
        restart = self._restart(_Services(_report('1')), 'refused')
        error = self.assertRaises(exceptions.ServiceNotDown,
                                  restart.wait_until_down)
        self.assertIn('nova takes it to be up', str(error))
