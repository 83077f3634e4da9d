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

import types
from unittest import mock

from mempage_lab import cloud
from mempage_lab import topology
from tests.lab import base


def _host(name, *sizes):
    return topology.LabHost(name, 1, topology.LabPolicy(
        allowed_page_sizes=sizes or ('any',)))


class AggregatesTest(base.LabTestCase):

    def _create(self, *hosts, existing=()):
        compute = mock.Mock()
        compute.aggregates.return_value = existing
        compute.create_aggregate.side_effect = (
            lambda name: types.SimpleNamespace(name=name, hosts=None))
        cloud.create_aggregates(mock.Mock(compute=compute),
                                topology.Topology(None, hosts))
        self.created = [call.kwargs['name'] for call
                        in compute.create_aggregate.call_args_list]
        self.metadata = {call.args[0].name: call.args[1] for call
                         in compute.set_aggregate_metadata.call_args_list}
        return sorted((call.args[0].name, call.args[1]) for call
                      in compute.add_host_to_aggregate.call_args_list)

    def test_hosts_of_the_same_sizes_share_one(self):
        self.assertEqual(
            [('mempage-large', 'a'), ('mempage-large', 'b'),
             ('mempage-small-2048', 'c')],
            self._create(_host('a', 'large'), _host('b', 'large'),
                         _host('c', 'small', 2048), _host('d')))
        self.assertEqual({'mempage-large': {'MemoryBacking': 'large'},
                          'mempage-small-2048': {
                              'MemoryBacking': 'small,2048'}}, self.metadata)

    def test_what_is_there_is_completed(self):
        found = types.SimpleNamespace(name='mempage-large', hosts=['a'])
        self.assertEqual(
            [('mempage-large', 'b')],
            self._create(_host('a', 'large'), _host('b', 'large'),
                         existing=[found]))
        self.assertEqual([], self.created)


class HostsUpTest(base.LabTestCase):

    def test_hosts_go_by_the_names_of_their_services(self):
        names = types.SimpleNamespace
        compute = mock.Mock()
        compute.services.return_value = [
            names(host=name, state=state) for name, state in
            (('a', 'up'), ('b', 'up'), ('c', 'down'), ('d', 'up'))]
        compute.hypervisors.return_value = [
            names(name=name + '.example.org', service_details={'host': name})
            for name in 'abc']
        network = mock.Mock()
        network.agents.return_value = [names(host=name, is_alive=name != 'b')
                                       for name in 'abcd']
        self.assertEqual({'a'}, cloud.hosts_up(
            mock.Mock(compute=compute, network=network)))
