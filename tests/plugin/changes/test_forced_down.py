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

import fixtures
from oslotest import base
from tempest.lib import exceptions as lib_exc
import urllib3

from mempage_tempest_plugin.changes import forced_down
from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.cloud import cloud


class BringUpTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        patcher = mock.patch('time.sleep')
        patcher.start()
        self.addCleanup(patcher.stop)
        self.services = mock.Mock()
        self.services.host_of.return_value = 'a'

    def test_nova_insists_on_a_restart_first(self):
        self.services.force_down.side_effect = [
            lib_exc.BadRequest('evacuated'), None]
        self.services.is_up_again.side_effect = [False, True]
        forced_down.bring_up(self.services, 'a.example', 9)
        self.services.force_down.assert_called_with('a', False)
        self.services.is_up_again.assert_called_with(
            'a.example', self.services.report.return_value)

    def test_whatever_nova_answers(self):
        self.services.force_down.side_effect = [
            lib_exc.ServerFault('busy'), lib_exc.Conflict('moving'),
            urllib3.exceptions.ProtocolError('gone'), None]
        self.services.is_up_again.side_effect = [
            lib_exc.ServerFault('busy'), True]
        forced_down.bring_up(self.services, 'a.example', 9)

    def test_evacuation_that_ended_after_the_last_start(self):
        started = mock.Mock()

        def refuse(host, down):
            if not started.called:
                raise lib_exc.BadRequest('evacuated')

        self.services.force_down.side_effect = refuse
        forced_down.bring_up(self.services, 'a.example', 0.01, started)
        started.assert_called_once_with()

    def test_no_restart_where_none_is_needed(self):
        started = mock.Mock()
        forced_down.bring_up(self.services, 'a.example', 9, started)
        started.assert_not_called()

    def test_the_last_answer_is_told(self):
        self.services.force_down.side_effect = lib_exc.BadRequest(
            'evacuated')
        error = self.assertRaises(
            lib_exc.TimeoutException, forced_down.bring_up, self.services,
            'a.example', 0.01)
        self.assertIn('evacuated', str(error))
        self.assertIn('mempage-tempest cleanup', str(error))

    def test_never_up(self):
        self.services.is_up_again.return_value = False
        error = self.assertRaises(
            lib_exc.TimeoutException, forced_down.bring_up, self.services,
            'a.example', 0.01)
        self.assertIn('nova-compute on a is not up', str(error))


class ForcedDownTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        for module, name in ((cloud, 'Cloud'), (host_traits, 'Trait'),
                             (forced_down, 'bring_up')):
            setattr(self, name, self.useFixture(fixtures.MockPatchObject(
                module, name)).mock)
        self.services = mock.Mock()
        self.fixture = forced_down.ForcedDown(mock.Mock(), self.services,
                                              'a.example', 9)

    def test_the_mark_is_there_meanwhile(self):
        mark = self.Trait.return_value
        with self.fixture:
            mark.setUp.assert_called_once_with()
            mark.cleanUp.assert_not_called()
        self.bring_up.assert_called_once_with(self.services, 'a.example', 9,
                                              None)
        mark.cleanUp.assert_called_once_with()

    def test_the_mark_stays_if_it_does_not_come_up(self):
        self.fixture.setUp()
        self.bring_up.side_effect = lib_exc.TimeoutException('not up')
        self.assertRaises(lib_exc.TimeoutException, self.fixture.cleanUp)
        self.Trait.return_value.cleanUp.assert_not_called()
