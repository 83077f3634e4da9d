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

"""Tests of traits that tests give to hosts."""

from unittest import mock

import ddt
from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import host_traits

LATE = lib_exc.ServerFault({'errors': [{'detail': (
    'Another thread concurrently updated the resource provider data.')}]})


@ddt.ddt
class ChangeTraitsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.client = mock.Mock()
        self.client.list_resource_provider_traits.return_value = {
            'traits': ['HW'], 'resource_provider_generation': 4}
        self.update = self.client.update_resource_provider_traits

    def _change(self):
        host_traits.change_traits(self.client, 'uuid', {'OURS'}.union)

    def test_changed(self):
        self._change()
        self.update.assert_called_once_with(
            'uuid', traits=['HW', 'OURS'], resource_provider_generation=4)

    @ddt.data(lib_exc.Conflict('generation'), LATE)
    def test_somebody_else_was_faster(self, error):
        self.update.side_effect = [error, error, None]
        self._change()
        self.assertEqual(3, self.update.call_count)

    @ddt.data(lib_exc.Conflict('generation'), LATE)
    def test_somebody_else_is_always_faster(self, error):
        self.update.side_effect = error
        self.assertRaises(type(error), self._change)
        self.assertEqual(host_traits.ATTEMPTS, self.update.call_count)

    def test_other_fault(self):
        self.update.side_effect = lib_exc.ServerFault('out of memory')
        self.assertRaises(lib_exc.ServerFault, self._change)
        self.update.assert_called_once()
