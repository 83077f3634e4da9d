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

from openstack import exceptions as openstack_exceptions

from mempage_lab import cloud
from mempage_lab import errors
from mempage_lab import tenant
from mempage_lab import topology
from tests.lab import base

HOSTS = """\
hosts:
  a: {tenant_guests: 2}
  b: {tenant_guests: 1, allowed_page_sizes: [large]}
  c:
"""


class TenantTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.admin = mock.Mock()
        self.own = mock.Mock()
        self.connect = self.patch_object(cloud, 'connect')
        self.connect.return_value = self.own
        self.compute = self.own.compute
        self.compute.find_server.return_value = None
        self.compute.find_flavor.return_value = None
        self.compute.create_flavor.side_effect = (
            lambda **values: types.SimpleNamespace(id=values['name']))
        self.compute.create_server.side_effect = (
            lambda **values: types.SimpleNamespace(**values))

    def _boot(self, text=HOSTS):
        tenant.boot(self.admin, topology.load(self.write_topology(text), []))
        return [(call.kwargs['name'], call.kwargs['availability_zone'],
                 call.kwargs['flavor_id'])
                for call in self.compute.create_server.call_args_list]

    def test_guests_of_a_project_of_their_own(self):
        self.assertEqual([('tenant-a-1', 'nova:a', 'tenant'),
                          ('tenant-a-2', 'nova:a', 'tenant'),
                          ('tenant-b-1', 'nova:b', 'tenant-large')],
                         self._boot())
        self.connect.assert_called_once_with('198.18.0.2', 'tenant')
        self.assertEqual(3, self.compute.wait_for_server.call_count)

    def test_guests_that_are_there(self):
        self.compute.find_server.side_effect = lambda name: (
            types.SimpleNamespace(name=name))
        self.assertEqual([], self._boot())
        self.assertEqual(3, self.compute.wait_for_server.call_count)

    def test_no_guests(self):
        self.assertEqual([], self._boot('hosts: {a: }'))
        self.admin.identity.create_project.assert_not_called()
        self.connect.assert_not_called()

    def test_a_guest_that_does_not_start(self):
        self.compute.wait_for_server.side_effect = (
            openstack_exceptions.ResourceFailure('in ERROR'))
        self.compute.get_server.return_value.fault = {'message': 'no room'}
        error = self.assertRaises(errors.LabError, self._boot)
        self.assertEqual('tenant-a-1 does not start: no room', str(error))
