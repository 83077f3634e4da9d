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

from unittest import mock

from oslotest import base

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin import reconfiguration


class _Services:
    """Tells reports of every host, one after the other."""

    def __init__(self, *reports, answers=()):
        self.reports = list(reports)
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
    return compute_services.Report(state, at, behind)


class _Base(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self._patch(reconfiguration.configuration, 'Configuration',
                    lambda host: mock.Mock())
        self._patch(reconfiguration.service_log, 'ServiceLog',
                    lambda ssh, log: mock.Mock())
        self._patch(reconfiguration, 'POLL', 0)

    def _patch(self, *arguments):
        patcher = mock.patch.object(*arguments)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def _host(self, name):
        host = mock.Mock()
        host.name = name
        host.declared.compute_service.restart = 'restart it'
        return host

    def _compute(self, services, log='', timeout=0.1):
        compute = reconfiguration.NovaCompute(self._host('a'), services,
                                              timeout)
        compute._log.since.return_value = log
        return compute


class NovaComputeTest(_Base):

    def test_up_is_a_report_if_the_last_one_was_long_ago(self):
        old = _report('1', behind=reconfiguration.RECENT)
        services = _Services(old, old, old, old, old, _report('2'),
                             answers=[True, True, True])
        compute = self._compute(services)
        compute.restart()
        compute.wait_until_restarted()
        compute.wait_until_up()
        self.assertEqual([], services.left)
        self.assertEqual([_report('2')], services.reports)

    def test_up_is_an_answer_after_the_restart(self):
        services = _Services(_report('1'), answers=[False, True])
        compute = self._compute(services)
        compute.restart()
        compute.wait_until_restarted()
        compute.wait_until_up()
        self.assertEqual([], services.left)

    def test_up_for_long_is_not_up_again(self):
        compute = self._compute(_Services(_report('1')), 'starting')
        compute.restart()
        compute.wait_until_restarted()
        error = self.assertRaises(exceptions.ServiceNotUp,
                                  compute.wait_until_up)
        self.assertIn('host a: nova-compute has not answered', str(error))
        self.assertIn('starting', str(error))

    def test_dead_one_is_not_waited_for(self):
        compute = self._compute(_Services(_report('1')),
                                '1 CRITICAL nova [-] Unhandled error', 60)
        compute.restart()
        compute.wait_until_restarted()
        error = self.assertRaises(exceptions.ServiceNotUp,
                                  compute.wait_until_up)
        self.assertIn('dies', str(error))

    def test_refused(self):
        compute = self._compute(_Services(_report('1')), 'list is empty')
        compute.restart(check=False)
        compute.wait_until_restarted()
        self.assertIn('is empty', compute.wait_until_refused('is empty'))

    def test_started_is_not_refused(self):
        compute = self._compute(_Services(_report('1'), _report('2')), 'fine')
        compute.restart(check=False)
        compute.wait_until_restarted()
        error = self.assertRaises(exceptions.ServiceNotRefused,
                                  compute.wait_until_refused, 'is empty')
        self.assertIn("to log 'is empty', but it started", str(error))

    def test_refused_for_another_reason(self):
        compute = self._compute(_Services(_report('1')), 'other reason')
        compute.restart(check=False)
        compute.wait_until_restarted()
        error = self.assertRaises(exceptions.ServiceNotRefused,
                                  compute.wait_until_refused, 'is empty')
        self.assertIn('other reason', str(error))

    def test_down(self):
        services = _Services(_report('1'), _report('1'), _report('1', 'down'))
        compute = self._compute(services)
        compute.restart(check=False)
        compute.wait_until_restarted()
        compute.wait_until_down()
        self.assertEqual([_report('1', 'down')], services.reports)

    def test_never_down(self):
        compute = self._compute(_Services(_report('1')), 'refused')
        compute.restart(check=False)
        compute.wait_until_restarted()
        error = self.assertRaises(exceptions.ServiceNotDown,
                                  compute.wait_until_down)
        self.assertIn('nova takes it to be up', str(error))


class ReconfigurationTest(_Base):

    def setUp(self):
        super().setUp()
        self.hosts = self._host('a'), self._host('b')
        self.reconfiguration = reconfiguration.Reconfiguration(
            _Services(_report('1')), 0.1)
        self.atexit = self._patch(reconfiguration, 'atexit', mock.Mock())
        self.taken = []
        for name in ('restart', 'wait_until_restarted', 'wait_until_up',
                     'wait_until_refused'):
            self._patch(reconfiguration.NovaCompute, name, self._step(name))

    def _step(self, name):
        def step(compute, *arguments):
            self.taken.append((name, compute.host.name))
        return step

    def _configuration(self, host):
        return self.reconfiguration._computes[host].configuration

    def test_hosts_start_at_the_same_time(self):
        self.reconfiguration.apply(dict.fromkeys(self.hosts, {'x': 'y'}))
        self.assertEqual([
            (step, host) for step in ('restart', 'wait_until_restarted',
                                      'wait_until_up') for host in 'ab'],
            self.taken)

    def test_same_options_need_no_restart(self):
        for _ in range(2):
            self.reconfiguration.apply({self.hosts[0]: {'x': 'y'}})
        self.assertEqual(3, len(self.taken))

    def test_host_that_refused_is_restarted(self):
        self.reconfiguration.apply_refused(
            {self.hosts[0]: ({'x': 'y'}, 'no')})
        self.reconfiguration.apply({self.hosts[0]: {'x': 'y'}})
        self.assertIn(('wait_until_up', 'a'), self.taken)

    def test_host_that_refused_stays_so_until_it_is_put_back(self):
        host = self.hosts[0]
        self.assertEqual({host: None}, self.reconfiguration.apply_refused(
            {host: ({'x': 'y'}, 'no')}))
        self._configuration(host).put_back.assert_not_called()
        self.reconfiguration.restore(self.hosts)
        self._configuration(host).put_back.assert_called_once_with()
        self.assertEqual(
            ['restart', 'wait_until_restarted', 'wait_until_refused',
             'restart', 'wait_until_restarted', 'wait_until_up'],
            [step for step, _ in self.taken])
        self._configuration(host).forget.assert_called_once_with()

    def test_host_that_does_not_refuse_is_told(self):
        host = self.hosts[0]
        error = exceptions.ServiceNotRefused('a', 'no', 'it started', 'log')
        with mock.patch.object(reconfiguration.NovaCompute,
                               'wait_until_refused', side_effect=error):
            self.assertEqual({host: error},
                             self.reconfiguration.apply_refused(
                                 {host: ({'x': 'y'}, 'no')}))

    def test_host_that_is_not_down_is_told(self):
        host = self.hosts[0]
        self.reconfiguration.apply_refused({host: ({'x': 'y'}, 'no')})
        error = exceptions.ServiceNotDown('a', 'up', 60, 'log')
        with mock.patch.object(reconfiguration.NovaCompute,
                               'wait_until_down', side_effect=[error, None]):
            self.assertEqual(error,
                             self.reconfiguration.wait_until_down(host))
            self.assertIsNone(self.reconfiguration.wait_until_down(host))

    def test_host_that_refused_is_put_back_at_the_end(self):
        host = self.hosts[0]
        self.reconfiguration.apply_refused({host: ({'x': 'y'}, 'no')})
        self.reconfiguration.restore()
        self._configuration(host).put_back.assert_called_once_with()
        self._configuration(host).forget.assert_called_once_with()

    def test_no_options_are_a_restart(self):
        host = self.hosts[0]
        self.reconfiguration.apply_refused({host: ({'x': 'y'}, 'no')})
        self.reconfiguration.apply({host: {}})
        self.assertEqual(('wait_until_up', 'a'), self.taken[-1])

    def test_host_that_somebody_else_changes_is_not_touched(self):
        first, second = self.hosts
        broken = mock.Mock()
        broken.keep.side_effect = exceptions.OriginalKept('b', '/nova.conf')
        self.reconfiguration.apply({first: {'x': 'y'}})
        with mock.patch.object(reconfiguration.configuration,
                               'Configuration', return_value=broken):
            self.assertRaises(
                exceptions.OriginalKept, self.reconfiguration.apply,
                {first: {'x': 'y'}, second: {'x': 'y'}})
        self.reconfiguration.restore()
        broken.put_back.assert_not_called()
        self._configuration(first).forget.assert_called_once_with()

    def test_host_that_is_not_named_any_more_is_put_back(self):
        first, second = self.hosts
        self.reconfiguration.apply({first: {'x': 'y'}})
        self.reconfiguration.apply({second: {'x': 'y'}})
        self._configuration(first).put_back.assert_called_once_with()
        self._configuration(first).forget.assert_called_once_with()
        self._configuration(second).put_back.assert_not_called()

    def test_restore_tries_all_hosts(self):
        first, second = self.hosts
        self.reconfiguration.apply(dict.fromkeys(self.hosts, {'x': 'y'}))
        self._configuration(first).put_back.side_effect = (
            exceptions.HostUnreachable('a', 'b@c:22', 'refused'))
        self.assertRaises(exceptions.HostUnreachable,
                          self.reconfiguration.restore)
        self._configuration(first).forget.assert_not_called()
        self._configuration(second).forget.assert_called_once_with()

    def test_original_is_kept_until_it_is_in_effect(self):
        host = self.hosts[0]
        self.reconfiguration.apply({host: {'x': 'y'}})
        with mock.patch.object(
                reconfiguration.NovaCompute, 'wait_until_up',
                side_effect=exceptions.ServiceNotUp('a', 'dies', 'log')):
            self.assertRaises(exceptions.ServiceNotUp,
                              self.reconfiguration.restore)
        self._configuration(host).forget.assert_not_called()

    def test_end_of_the_process_restores(self):
        restore = self.reconfiguration.restore
        self.reconfiguration.apply({self.hosts[0]: {'x': 'y'}})
        self.atexit.register.assert_called_once_with(restore)
        self.atexit.unregister.assert_not_called()
        restore()
        self.atexit.unregister.assert_called_once_with(restore)


class LeftTest(_Base):

    def test_only_hosts_with_a_kept_original(self):
        hosts = [self._host(name) for name in 'abc']
        hosts[1].declared.compute_service = None
        with mock.patch.object(
                reconfiguration.configuration, 'Configuration',
                side_effect=lambda host: mock.Mock(
                    is_kept=lambda: host.name != 'c')):
            found = reconfiguration.left(hosts, _Services(), 1)
        self.assertEqual([hosts[0]], [compute.host for compute in found])
