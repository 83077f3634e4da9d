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

"""Tests of mempage-tempest cleanup."""

import io
import multiprocessing
import os
from unittest import mock

import fasteners
import fixtures
from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import leases
from mempage_tempest_plugin.changes import leftovers
from mempage_tempest_plugin.changes import reconfiguration
from mempage_tempest_plugin.cmd import cleanup as command
from mempage_tempest_plugin.cmd import mempage_tempest
from mempage_tempest_plugin import exceptions


class CleanupTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.locks = self.useFixture(fixtures.TempDir()).path
        self.find = self.left = None

    def _clean_up(self, left, failures, *arguments, found=None):
        self.found = found or [leftovers.Left('server x', mock.Mock())]
        computes = [mock.Mock() for _ in left]
        for compute, name in zip(computes, left):
            compute.host.name = name
        with mock.patch.object(mempage_tempest, 'tempest_conf'), \
                mock.patch.object(
                    command, 'CONF',
                    **{'mempage.parallel_hosts': 2}), \
                mock.patch.object(command.clients, 'Manager'), \
                mock.patch.object(command, 'credentials_factory'), \
                mock.patch.object(command.inventory, 'load'), \
                mock.patch.object(leftovers, 'find',
                                  return_value=self.found,
                                  side_effect=self.find), \
                mock.patch.object(command.lockutils, 'get_lock_path',
                                  return_value=self.locks), \
                mock.patch.object(reconfiguration, 'left',
                                  return_value=computes,
                                  side_effect=self.left), \
                mock.patch.object(reconfiguration, 'put_back',
                                  return_value=failures) as self.put_back, \
                mock.patch('sys.stdout', new_callable=io.StringIO) as stdout:
            status = mempage_tempest.main(
                ['cleanup', '--config-file', 'x.conf', *arguments])
            return status, stdout.getvalue()

    def test_nothing_left(self):
        status, text = self._clean_up([], {})
        self.assertEqual(0, status)
        self.assertIn('All hosts have their original', text)
        self.assertIn('removed server x', text)

    def test_says_what_it_did(self):
        status, text = self._clean_up(['a', 'b'], {})
        self.assertEqual(0, status)
        self.assertIn('host a: nova-compute runs with its original', text)
        self.assertIn('host b', text)

    def test_failure(self):
        status, text = self._clean_up(['a', 'b'], {
            'a': exceptions.HostError('a', 'broken')})
        self.assertEqual(1, status)
        self.assertIn('host a: broken\nhost b: nova-compute runs', text)

    def _put_back_pools(self, dry_run=False, **failure):
        hosts = [mock.Mock() for _ in 'ab']
        for host, name in zip(hosts, 'ab'):
            host.name = name
        asked = mock.Mock(**{'ask.return_value': [
            (hosts[0], False), (hosts[1], True)]})
        with mock.patch.object(command.pool_size, 'put_back',
                               **failure) as put_back, \
                mock.patch('sys.stdout', new_callable=io.StringIO) as stdout:
            status = command._put_back_pools(None, asked, dry_run)
        return status, stdout.getvalue(), put_back

    def test_pools(self):
        status, text, put_back = self._put_back_pools()
        self.assertEqual(
            (0, 'put back the numbers of large pages of host b\n'),
            (status, text))
        put_back.assert_called_once()
        status, text, put_back = self._put_back_pools(dry_run=True)
        self.assertEqual(0, status)
        self.assertIn('would put back', text)
        put_back.assert_not_called()

    def test_pool_that_cannot_be_put_back(self):
        status, text, _ = self._put_back_pools(
            side_effect=exceptions.HostError('b', 'broken'))
        self.assertEqual(1, status)
        self.assertIn('cannot put back the numbers of large pages of host b: '
                      'host b: broken', text)

    def test_pools_come_before_nova_compute_is_restarted(self):
        names = [step.__name__ for step in command._CLEANUPS]
        self.assertLess(names.index('_put_back_pools'),
                        names.index('_put_back_configurations'))

    def test_dry_run(self):
        status, text = self._clean_up(['a'], {}, '--dry-run')
        self.assertEqual(0, status)
        self.assertIn('would put back the configuration of host a', text)
        self.assertIn('would remove server x', text)
        self.put_back.assert_not_called()
        self.found[0].remove.assert_not_called()

    def test_what_cannot_be_removed_keeps_nothing_else(self):
        error = mock.Mock(side_effect=lib_exc.Conflict('in use'))
        status, text = self._clean_up([], {}, found=[
            leftovers.Left('flavor a', error),
            leftovers.Left('flavor b', mock.Mock())])
        self.assertEqual(1, status)
        self.assertIn('cannot remove flavor a', text)
        self.assertIn('removed flavor b', text)

    def _holding(self, function):
        """Start a process that holds a lock until the end of the test.

        The locks of one process do not exclude each other.

        :param function: what gets the lock
        """
        def hold(pipe):
            function()
            pipe.send('taken')
            pipe.recv()

        processes = multiprocessing.get_context('fork')
        pipe, there = processes.Pipe()
        process = processes.Process(target=hold, args=(there,))
        process.start()
        self.addCleanup(process.join)
        self.addCleanup(process.kill)
        self.assertTrue(pipe.poll(20))

    def _assert_refused(self, reason):
        with mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
            status, _ = self._clean_up(['a'], {})
        self.assertEqual(1, status)
        self.assertIn('tests are running, ' + reason, stderr.getvalue())
        self.put_back.assert_not_called()
        self.found[0].remove.assert_not_called()

    def test_refuses_while_tests_run(self):
        taken = leases.Leases(self.locks, 'TestX (process 7)')
        self._holding(lambda: taken.take(
            leases.Wish(shared=frozenset([leases.host('a')]))))
        self._assert_refused('their leases are held by TestX (process 7)')

    def test_refuses_while_other_tests_run(self):
        path = os.path.join(self.locks, 'tempest-serial-rw-lock')
        lock = fasteners.InterProcessReaderWriterLock(path)
        self._holding(lock.acquire_read_lock)
        self._assert_refused('they hold ' + path)

    def test_waits_for_tests(self):
        with mock.patch.object(leases.Leases, 'take') as take, \
                mock.patch.object(
                    fasteners.InterProcessReaderWriterLock,
                    'acquire_write_lock', return_value=True) as acquire, \
                mock.patch.object(fasteners.InterProcessReaderWriterLock,
                                  'release_write_lock'):
            self._clean_up([], {}, '--wait', '9')
        take.assert_called_once_with(leases.EVERYTHING, 9)
        # What is left of them after the leases.
        [call] = acquire.call_args_list
        self.assertTrue(8 < call.kwargs['timeout'] <= 9)

    def test_host_that_does_not_answer(self):
        def left(hosts, services, timeout, ask):
            ask([self._host('a'), self._host('b')], self._answer)
            return []

        def find(manager, hosts, timeout, lock_path, ask):
            # It is not asked again.
            self.assertEqual(['b'], [host.name for host, _ in ask(
                [self._host('a'), self._host('b')], mock.Mock())])
            return self.found

        self.left, self.find = left, find
        status, text = self._clean_up([], {})
        self.assertEqual(1, status)
        self.assertIn('left out: host a: unreachable', text)
        self.assertIn('All hosts that answer have their original', text)
        self.assertIn('removed server x', text)

    @staticmethod
    def _host(name):
        host = mock.Mock()
        host.name = name
        return host

    @staticmethod
    def _answer(host):
        if host.name == 'a':
            raise exceptions.HostUnreachable('a', '192.0.2.1', 'silent')

    def test_nothing_is_held_afterwards(self):
        for _ in range(2):
            self.assertEqual(0, self._clean_up([], {})[0])
