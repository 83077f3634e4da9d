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

import io
from unittest import mock

import fasteners
import fixtures
from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.cmd import tempest as command
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin import leftovers
from mempage_tempest_plugin import reconfiguration


class CleanupTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.locks = self.useFixture(fixtures.TempDir()).path

    def _clean_up(self, left, failures, *arguments, found=None):
        self.found = found or [leftovers.Left('server x', mock.Mock())]
        computes = [mock.Mock() for _ in left]
        for compute, name in zip(computes, left):
            compute.host.name = name
        with mock.patch.object(command, 'CONF'), \
                mock.patch.object(command.clients, 'Manager'), \
                mock.patch.object(command, 'credentials_factory'), \
                mock.patch.object(command.inventory, 'load'), \
                mock.patch.object(leftovers, 'find',
                                  return_value=self.found), \
                mock.patch.object(command.lockutils, 'get_lock_path',
                                  return_value=self.locks), \
                mock.patch.object(reconfiguration, 'left',
                                  return_value=computes), \
                mock.patch.object(reconfiguration, 'put_back',
                                  return_value=failures) as self.put_back, \
                mock.patch('sys.stdout', new_callable=io.StringIO) as stdout:
            status = command.main(['cleanup', '--config-file', 'x.conf',
                                   *arguments])
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

    def test_refuses_while_tests_run(self):
        # The locks of one process do not exclude each other.
        with mock.patch.object(
                fasteners.InterProcessReaderWriterLock, 'acquire_write_lock',
                return_value=False), \
                mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
            status, _ = self._clean_up(['a'], {})
        self.assertEqual(1, status)
        self.assertIn('tests are running', stderr.getvalue())
        self.put_back.assert_not_called()
        self.found[0].remove.assert_not_called()

    def test_waits_for_tests(self):
        with mock.patch.object(
                fasteners.InterProcessReaderWriterLock, 'acquire_write_lock',
                return_value=True) as acquire, mock.patch.object(
                fasteners.InterProcessReaderWriterLock, 'release_write_lock'):
            self._clean_up([], {}, '--wait', '9')
        [call] = acquire.call_args_list
        self.assertTrue(call.kwargs['blocking'])
        # What is left of them after the gate.
        self.assertTrue(8 < call.kwargs['timeout'] <= 9)
