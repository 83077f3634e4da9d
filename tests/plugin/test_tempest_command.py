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

from oslotest import base

from mempage_tempest_plugin.cmd import tempest as command
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin import reconfiguration


class CleanupTest(base.BaseTestCase):

    def _clean_up(self, left, failures):
        computes = [mock.Mock() for _ in left]
        for compute, name in zip(computes, left):
            compute.host.name = name
        with mock.patch.object(command, 'CONF'), \
                mock.patch.object(command.clients, 'Manager'), \
                mock.patch.object(command, 'credentials_factory'), \
                mock.patch.object(command.inventory, 'load'), \
                mock.patch.object(command.aggregates, 'remove_left',
                                  return_value=['tempest-mempage-1']), \
                mock.patch.object(reconfiguration, 'left',
                                  return_value=computes), \
                mock.patch.object(reconfiguration, 'put_back',
                                  return_value=failures), \
                mock.patch('sys.stdout', new_callable=io.StringIO) as stdout:
            status = command.main(['cleanup', '--config-file', 'x.conf'])
            return status, stdout.getvalue()

    def test_nothing_left(self):
        status, text = self._clean_up([], {})
        self.assertEqual(0, status)
        self.assertIn('All hosts have their original', text)
        self.assertIn('removed aggregate tempest-mempage-1', text)

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
