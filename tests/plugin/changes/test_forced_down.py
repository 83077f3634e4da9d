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
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import forced_down


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

    def test_never_up(self):
        self.services.is_up_again.return_value = False
        error = self.assertRaises(
            lib_exc.TimeoutException, forced_down.bring_up, self.services,
            'a.example', 0.01)
        self.assertIn('nova-compute on a is not up', str(error))
