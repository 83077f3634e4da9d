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

import functools
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.changes import nova_compute
from mempage_tempest_plugin.changes import reconfiguration
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import several


_ask = functools.partial(several.ask, limit=2)


class _Base(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.configurations = {}
        self._patch(reconfiguration.configuration, 'Configuration',
                    self._configuration)

    def _patch(self, *arguments):
        patcher = mock.patch.object(*arguments)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def _host(self, name):
        host = mock.Mock()
        host.name = name
        return host

    def _configuration(self, host):
        return self.configurations.setdefault(host, mock.Mock())


class ReconfigurationTest(_Base):

    def setUp(self):
        super().setUp()
        self.hosts = self._host('a'), self._host('b')
        self.reconfiguration = reconfiguration.Reconfiguration(
            mock.Mock(), 0.1)
        self.atexit = self._patch(reconfiguration, 'atexit', mock.Mock())
        self.taken = []
        self.errors = {}
        self.check_read = self._patch(reconfiguration.nova_config,
                                      'check_read')
        self._patch(nova_compute, 'NovaCompute', self._compute)

    def _compute(self, host, services, timeout):
        restart = mock.Mock(**{
            step + '.side_effect': functools.partial(
                self._take, None, step, host)
            for step in ('wait', 'wait_until_up', 'wait_until_refused',
                         'wait_until_down')})
        return mock.Mock(**{'restart.side_effect': functools.partial(
            self._take, restart, 'restart', host)})

    def _take(self, result, step, host, *_):
        self.taken.append((step, host.name))
        error = self.errors.pop((step, host.name), None)
        if error:
            raise error
        return result

    def test_hosts_start_at_the_same_time(self):
        self.reconfiguration.apply(dict.fromkeys(self.hosts, {'x': 'y'}))
        self.assertEqual([
            (step, host) for step in ('restart', 'wait', 'wait_until_up')
            for host in 'ab'], self.taken)

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
            ['restart', 'wait', 'wait_until_refused',
             'restart', 'wait', 'wait_until_up'],
            [step for step, _ in self.taken])
        self._configuration(host).forget.assert_called_once_with()

    def test_host_that_does_not_refuse_is_told(self):
        host = self.hosts[0]
        error = exceptions.ServiceNotRefused('a', 'no', 'it started', 'log')
        self.errors['wait_until_refused', 'a'] = error
        self.assertEqual({host: error}, self.reconfiguration.apply_refused(
            {host: ({'x': 'y'}, 'no')}))

    def test_host_that_starts_with_other_options_is_told(self):
        host = self.hosts[0]
        host.declared.compute_service.config = '/nova.conf'
        error = exceptions.ServiceStarted('a', 'no', 'it started', 'log')
        for found, expected in (
                (None, error), (exceptions.OptionNotRead(
                    'a', 'x', '/nova.conf', 'y', [], []), None)):
            self.errors['wait_until_refused', 'a'] = error
            self.check_read.side_effect = found
            self.assertEqual(
                {host: expected or found}, self.reconfiguration.apply_refused(
                    {host: ({'x': 'y'}, 'no')}))
            self.check_read.assert_called_with(
                host.ssh, 'a', '/nova.conf', {'x': 'y'})

    def test_options_have_to_be_read(self):
        host = self.hosts[0]
        self.check_read.side_effect = exceptions.OptionNotRead(
            'a', 'x', '/nova.conf', 'y', [], ['/extra.conf'])
        self.assertRaises(exceptions.OptionNotRead, self.reconfiguration.apply,
                          {host: {'x': 'y'}})
        self.reconfiguration.restore()
        self._configuration(host).forget.assert_called_once_with()

    def test_host_that_is_not_down_is_told(self):
        host = self.hosts[0]
        self.reconfiguration.apply_refused({host: ({'x': 'y'}, 'no')})
        error = exceptions.ServiceNotDown('a', 'up', 60, 'log')
        self.errors['wait_until_down', 'a'] = error
        self.assertEqual(error, self.reconfiguration.wait_until_down(host))
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
        self._configuration(second).keep.side_effect = (
            exceptions.OriginalKept('b', '/nova.conf'))
        self.reconfiguration.apply({first: {'x': 'y'}})
        self.assertRaises(
            exceptions.OriginalKept, self.reconfiguration.apply,
            {first: {'x': 'y'}, second: {'x': 'y'}})
        self.reconfiguration.restore()
        self._configuration(second).put_back.assert_not_called()
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

    def test_several_hosts_that_cannot_be_restored(self):
        self.reconfiguration.apply(dict.fromkeys(self.hosts, {'x': 'y'}))
        for name in 'ab':
            self.errors['wait', name] = exceptions.HostError(name, 'broken')
        error = self.assertRaises(fixtures.MultipleExceptions,
                                  self.reconfiguration.restore)
        self.assertEqual(['host a: broken', 'host b: broken'],
                         [str(value) for _, value, _ in error.args])

    def test_original_is_kept_until_it_is_in_effect(self):
        host = self.hosts[0]
        self.reconfiguration.apply({host: {'x': 'y'}})
        self.errors['wait_until_up', 'a'] = exceptions.ServiceNotUp(
            'a', 'dies', 'log')
        self.assertRaises(exceptions.ServiceNotUp,
                          self.reconfiguration.restore)
        self._configuration(host).forget.assert_not_called()
        # The original is back: it needs no other restart.
        del self.taken[:]
        self.reconfiguration.restore()
        self.assertNotIn(('restart', 'a'), self.taken)
        self._configuration(host).put_back.assert_called_once_with()
        self._configuration(host).forget.assert_called_once_with()

    def test_host_that_does_not_come_up_is_put_back(self):
        host = self.hosts[0]
        self.errors['wait_until_up', 'a'] = exceptions.ServiceNotUp(
            'a', 'dies', 'log')
        self.assertRaises(exceptions.ServiceNotUp, self.reconfiguration.apply,
                          {host: {'x': 'y'}})
        self.reconfiguration.restore()
        self._configuration(host).forget.assert_called_once_with()

    def test_host_that_was_put_back_is_changed_again(self):
        host = self.hosts[0]
        for _ in range(2):
            self.reconfiguration.apply({host: {'x': 'y'}})
            self.reconfiguration.restore()
        self.assertEqual(2, self._configuration(host).change.call_count)
        self.assertEqual(2, self._configuration(host).keep.call_count)

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
        self._configuration(hosts[2]).is_kept.return_value = False
        found = reconfiguration.left(hosts, mock.Mock(), 1, _ask)
        self.assertEqual([hosts[0]], [each.host for each in found])

    def test_what_others_left_is_put_back(self):
        host = self._host('a')
        with mock.patch.object(nova_compute, 'NovaCompute') as compute:
            self.assertEqual({}, reconfiguration.put_back(
                reconfiguration.left([host], mock.Mock(), 1, _ask)))
        restart = compute.return_value.restart.return_value
        self.assertEqual([mock.call.wait(), mock.call.wait_until_up()],
                         restart.mock_calls)
        self.assertEqual(
            [mock.call.is_kept(), mock.call.put_back(), mock.call.forget()],
            self._configuration(host).mock_calls)
