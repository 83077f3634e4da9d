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

import requests

from mempage_lab.drills import faults
from mempage_lab.drills import told
from mempage_lab import lab
from tests.lab import base

PROVIDERS = {'resource_providers': [{'uuid': 'p'}]}


class ToldTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.cloud = mock.Mock()
        self.answers = {'/resource_providers': PROVIDERS}
        self.cloud.placement.get.side_effect = self._get

    def _get(self, path, **kwargs):
        return mock.Mock(**{'json.return_value': self.answers[path]})

    def _put(self):
        *_, call = self.cloud.placement.put.call_args_list
        return call.args[0], call.kwargs['json']

    def test_inventory(self):
        path = '/resource_providers/p/inventories/MEMORY_MB'
        self.answers[path] = {'total': 1, 'resource_provider_generation': 7}
        told.inventory(total=2)(self.cloud, 'fbm1')
        self.assertEqual(
            (path, {'total': 2, 'resource_provider_generation': 7}),
            self._put())

    def test_trait_comes_and_goes(self):
        path = '/resource_providers/p/traits'
        for function, before, after in zip(
                told.trait('C'), (['A'], ['A', 'C']), (['A', 'C'], ['A'])):
            self.answers[path] = {'traits': before, 'generation': 7}
            self.cloud.placement.put.reset_mock()
            function(self.cloud, 'huge1')
            self.assertEqual((path, {'traits': after, 'generation': 7}),
                             self._put())

    def test_what_is_leaked_is_freed(self):
        self.cloud.placement.delete.return_value = mock.Mock(
            status_code=404,
            **{'raise_for_status.side_effect': requests.HTTPError})
        self.patch_object(told.lab, 'load').return_value.cloud = self.cloud
        put_back = self.patch_object(faults.Source, 'put_back')
        node = mock.Mock()
        told.Leak('m', 'old', 'new').put_back(node)
        put_back.assert_called_once_with(node)
        [call] = self.cloud.placement.delete.call_args_list
        self.assertEqual('/allocations/' + told.NOBODY, call.args[0])

    def test_service(self):
        told.disable(self.cloud, 'plain1')
        [call] = self.cloud.compute.put.call_args_list
        self.assertEqual('/os-services/disable', call.args[0])
        self.assertEqual({'host': 'plain1', 'binary': 'nova-compute'},
                         call.kwargs['json'])

    def test_what_is_refused_is_an_error(self):
        self.cloud.compute.put.return_value.raise_for_status.side_effect = (
            requests.HTTPError)
        self.assertRaises(OSError, told.enable, self.cloud, 'plain1')

    def test_fault(self):
        self.patch_object(lab, 'load').return_value.cloud = self.cloud
        breaking, mending = mock.Mock(), mock.Mock()
        node = mock.Mock()
        node.name = 'plain1'
        fault = told.Told(breaking, mending)
        fault.put_in(node)
        breaking.assert_called_once_with(self.cloud, 'plain1')
        fault.put_back(node)
        mending.assert_called_once_with(self.cloud, 'plain1')
