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

"""Tests of the store that is broken on purpose."""

from unittest import mock

import ddt
import fixtures
from oslotest import base

from mempage_tempest_plugin.changes import power
from mempage_tempest_plugin import exceptions


@ddt.ddt
class PowerTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatch('time.sleep'))
        self.host = mock.Mock()
        self.host.name = 'a'
        self._boots('one', 'two', 'two')

    def _boots(self, *boots):
        self.host.survey.side_effect = [
            boot if isinstance(boot, Exception) else mock.Mock(boot=boot)
            for boot in boots]

    def _error(self, command, limit=10):
        return str(self.assertRaises(exceptions.HostError, power.run,
                                     self.host, command, limit))

    def test_boots(self):
        gone = exceptions.HostUnreachable('a', '198.51.100.1', 'refused')
        self._boots('one', gone, gone, 'two', 'two')
        power.run(self.host, 'exit 0 # as a shell reads it', 10)
        # A connection of before would wait for an answer of who is gone.
        self.host.close.assert_called_once_with()

    def test_command_fails(self):
        self.assertIn('host a: echo no power >&2; exit 3: status 3: no power',
                      self._error('echo no power >&2; exit 3'))

    def test_command_that_does_not_end(self):
        self.assertIn('sleep 9: has not ended in 0 s',
                      self._error('sleep 9', 0.1))

    def test_host_does_not_answer(self):
        gone = exceptions.HostUnreachable('a', '198.51.100.1', 'refused')
        self._boots('one', *[gone] * 100000)
        self.assertIn('true: no answer in 0 s', self._error('true', 0.1))

    def test_host_has_not_booted(self):
        self._boots('one', 'one', 'one')
        self.assertIn('host a: true: has not booted again',
                      self._error('true'))
