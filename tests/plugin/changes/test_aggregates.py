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

from mempage_tempest_plugin.changes import aggregates

OURS = {'id': 1, 'name': 'tempest-mempage-aggregate-1', 'hosts': ['a', 'b'],
        'metadata': {'MemoryBacking': 'small'}}
OTHER = {'id': 2, 'name': 'mempage-large', 'hosts': ['c'],
         'metadata': {'MemoryBacking': 'large'}}
WITHOUT = {'id': 3, 'name': 'zone', 'hosts': ['d'], 'metadata': {}}


class AggregatesTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.client = mock.Mock()
        self.client.create_aggregate.return_value = {'aggregate': {'id': 7}}
        self.client.list_aggregates.return_value = {
            'aggregates': [OURS, OTHER, WITHOUT]}

    def test_hosts_leave_before_the_aggregate_goes(self):
        with aggregates.Aggregate(self.client, ['a'], {'k': 'v'}):
            self.client.set_metadata.assert_called_once_with(
                7, metadata={'k': 'v'})
            self.client.add_host.assert_called_once_with(7, host='a')
        self.assertEqual([mock.call.remove_host(7, host='a'),
                          mock.call.delete_aggregate(7)],
                         self.client.method_calls[-2:])

    def test_aggregate_goes_if_a_host_cannot_be_added(self):
        self.client.add_host.side_effect = ValueError
        self.assertRaises(
            (ValueError, fixtures.MultipleExceptions),
            aggregates.Aggregate(self.client, ['a'], {}).setUp)
        self.client.delete_aggregate.assert_called_once_with(7)

    def test_only_what_is_ours_is_left(self):
        self.assertEqual([OURS], aggregates.left(self.client))

    def test_only_what_is_ours_is_removed(self):
        aggregates.remove_left_of(self.client, {'a', 'b', 'c', 'd'})
        self.assertEqual([mock.call(1, host='a'), mock.call(1, host='b')],
                         self.client.remove_host.call_args_list)
        self.client.delete_aggregate.assert_called_once_with(1)

    def test_what_others_may_use_is_not_removed(self):
        aggregates.remove_left_of(self.client, ['a'])
        self.client.remove_host.assert_not_called()
        self.client.delete_aggregate.assert_not_called()

    def test_one_without_hosts_may_be_new(self):
        self.client.list_aggregates.return_value = {
            'aggregates': [dict(OURS, hosts=[])]}
        aggregates.remove_left_of(self.client, ['a'])
        self.client.delete_aggregate.assert_not_called()

    def test_hosts_with(self):
        self.assertEqual({'a', 'b', 'c'}, aggregates.hosts_with(
            self.client, 'MemoryBacking'))
