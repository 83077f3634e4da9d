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

"""Tests of how guests are reached."""

from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base
import testtools

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import reachable
from tests.plugin.bases import cases

RESOURCES = {'keypair': {'name': 'key', 'private_key': 'private'},
             'security_group': {'name': 'group'}}


class ReachableTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.conf = self.useFixture(
            fixtures.MockPatchObject(reachable, 'CONF')).mock
        self.manager = mock.Mock()

        class Case(reachable.BaseReachableTest):
            """Guests that are reached."""

            os_admin = self.manager

        self.cls = Case


@ddt.ddt
class SkipTest(ReachableTestCase):

    def setUp(self):
        super().setUp()
        self.options = self.useFixture(
            fixtures.MockPatchObject(joined, 'CONF')).mock.validation

    @ddt.data((True, 'keypair', False), (False, 'keypair', True),
              (True, 'adminpass', True))
    @ddt.unpack
    def test_validation(self, run_validation, auth_method, skipped):
        self.options.run_validation = run_validation
        self.options.auth_method = auth_method
        if not skipped:
            joined.skip_unless_reachable(self.cls)
            return
        error = self.assertRaises(testtools.TestCase.skipException,
                                  joined.skip_unless_reachable, self.cls)
        self.assertIn('[validation] run_validation', str(error))

    def test_others_need_no_ssh(self):
        self.options.run_validation = False
        joined.skip_unless_reachable(base.BaseMemoryTest)


class NetworkTest(ReachableTestCase):

    def setUp(self):
        super().setUp()
        self.client = self.manager.networks_client
        self.client.list_networks.return_value = {'networks': []}
        self.conf.compute.fixed_network_name = None

    def _find(self):
        return reachable.find_network(self.manager)

    def test_own(self):
        self.client.list_networks.return_value = {
            'networks': [{'id': '1', 'name': 'a'}, {'id': '2', 'name': 'b'}]}
        self.assertEqual('1', self._find()['id'])
        self.client.list_networks.assert_called_once_with(
            project_id=self.client.tenant_id)

    def test_several(self):
        # Of a project that was there before: the administrators'.
        self.client.list_networks.return_value = {'networks': [
            {'id': '1', 'name': 'public', 'router:external': True},
            {'id': '2', 'name': 'a'}, {'id': '3', 'name': 'fixed'}]}
        self.assertEqual('2', self._find()['id'])
        self.conf.compute.fixed_network_name = 'fixed'
        self.assertEqual('3', self._find()['id'])

    def test_configured(self):
        self.conf.compute.fixed_network_name = 'fixed'
        with fixtures.MockPatch('tempest.lib.common.fixed_network.'
                                'get_network_from_name',
                                return_value={'id': '3'}) as patched:
            self.assertEqual({'id': '3'}, self._find())
        patched.mock.assert_called_once_with('fixed', self.client)

    def test_none(self):
        self.assertIsNone(self._find())

    def test_no_neutron(self):
        self.conf.service_available.neutron = False
        self.assertIsNone(self._find())
        self.client.list_networks.assert_not_called()

    def test_request(self):
        self.assertEqual({
            'key_name': 'key', 'tenant_network': {'id': '5'},
            'security_groups': [{'name': 'group'}]},
            reachable.request({'id': '5'}, RESOURCES))

    def test_request_without_any(self):
        self.assertEqual(
            {'key_name': 'key', 'networks': 'auto'},
            reachable.request(None, {'keypair': RESOURCES['keypair']}))


class ConsoleTest(ReachableTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatch(
            'mempage_tempest_plugin.evidence.attachments.attach'))
        self.case = cases.make(self.cls, hosts=[], nova=mock.Mock())
        self.console = self.case.nova.client.get_console_output
        self.console.return_value = {'output': 'login: password=secret'}
        self.case.note_reachable(
            servers.RequestedServer('uuid', 64, host='a'), RESOURCES)

    def _raise(self, error):
        self.case.onException((type(error), error, None))
        return {name: detail.as_text() for name, detail
                in self.case.getDetails().items()
                if name.startswith('console')}

    def test_failure(self):
        found = self._raise(AssertionError('a'))
        self.assertEqual(['console-uuid'], list(found))
        self.assertIn('login', found['console-uuid'])
        self.assertNotIn('secret', found['console-uuid'])

    def test_console_that_cannot_be_had(self):
        self.console.side_effect = ValueError('gone')
        self.assertEqual({'console-uuid': 'not collected: gone'},
                         self._raise(AssertionError('a')))

    def test_skip(self):
        self.assertEqual({}, self._raise(self.case.skipException('a')))


class FilledTest(test_base.BaseTestCase):

    def test_most_of_the_memory(self):
        case = cases.make(reachable.BaseFilledTest, flavor={'ram': 192})
        self.assertEqual(116, case.filled_mib)

    def test_each_guest_has_a_seed_of_its_own(self):
        case = cases.make(
            reachable.BaseFilledTest, flavor={'ram': 192}, nova=mock.Mock(),
            connect=mock.Mock())
        server = servers.RequestedServer('uuid', 192, host='a')
        seeds = {case.enter(server).seed for _ in range(2)}
        self.assertEqual({32}, set(map(len, seeds)))
        self.assertEqual(2, len(seeds))
        case.nova.wait_for.assert_called_with('uuid', 'ACTIVE')
