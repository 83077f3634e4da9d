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

"""Tests of the requests to Manila, and of Nova's for shares."""

import json
from unittest import mock

import fixtures
from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.cloud import shares


class ManilaTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.client = shares.Client(mock.Mock(), 'sharev2', 'region')
        self.answers = {}
        self.useFixture(fixtures.MockPatchObject(
            shares.rest_client.RestClient, 'request', self._request))
        self.asked = []

    def _request(self, method, url, extra_headers=False, headers=None,
                 body=None, chunked=False):
        self.asked.append(body and json.loads(body))
        status, answer = self.answers[method, url]
        if status == 404:
            raise lib_exc.NotFound()
        return mock.Mock(status=status), json.dumps(answer)

    def test_create(self):
        self.answers['POST', 'shares'] = 200, {'share': {'id': '1'}}
        self.assertEqual('1', self.client.create_share('a', 'CEPHFS'))
        self.assertEqual({'share': {
            'name': 'a', 'share_proto': 'CEPHFS', 'size': 1}},
            self.asked[0])

    def test_access(self):
        self.answers['GET', 'share-access-rules?share_id=1'] = 200, {
            'access_list': [{'access_to': 'b'}, {'access_to': 'a'}]}
        self.assertEqual(['a', 'b'], self.client.list_access('1'))

    def test_access_that_is_taken_back(self):
        self.answers['GET', 'share-access-rules?share_id=1'] = 200, {
            'access_list': [{'id': 'a'}]}
        self.answers['POST', 'shares/1/action'] = 202, {}
        self.client.deny_access('1')
        # Nova has locked it.
        self.assertEqual({'deny_access': {
            'access_id': 'a', 'unrestrict': True}}, self.asked[-1])

    def test_access_that_is_gone(self):
        self.answers['GET', 'share-access-rules?share_id=1'] = 200, {
            'access_list': [{'id': 'a'}]}
        self.answers['POST', 'shares/1/action'] = 404, {}
        self.client.deny_access('1')

    def test_list(self):
        self.answers['GET', 'shares?all_tenants=1&name~=mempage-'] = 200, {
            'shares': [{'name': 'mempage-1'}]}
        self.assertEqual([{'name': 'mempage-1'}],
                         self.client.list_shares('mempage-'))

    def test_delete(self):
        self.answers['DELETE', 'shares/1'] = 202, {}
        self.client.delete_share('1')

    def test_deleted(self):
        self.answers['GET', 'shares/1'] = 200, {'share': {}}
        self.assertFalse(self.client.is_resource_deleted('1'))
        self.answers['GET', 'shares/1'] = 404, {}
        self.assertTrue(self.client.is_resource_deleted('1'))

    def test_version(self):
        self.client.auth_provider.get_token.return_value = 'token'
        self.assertEqual('2.82', self.client.get_headers()[
            'X-OpenStack-Manila-API-Version'])


class RemoveTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.client = mock.Mock()
        self.client.is_resource_deleted.return_value = False
        self.logged = self.useFixture(fixtures.FakeLogger())

    def test_removed(self):
        self.client.list_access.side_effect = [['nova-1'], []]
        shares.remove(self.client, '1', lambda: False, 9)
        self.client.deny_access.assert_not_called()
        self.client.delete_share.assert_called_once_with('1')
        self.client.wait_for_resource_deletion.assert_called_once_with('1')

    def test_nova_has_left_access(self):
        left = ['192.0.2.1']
        self.client.list_access.side_effect = lambda share: list(left)
        self.client.deny_access.side_effect = lambda share: left.clear()
        shares.remove(self.client, '1', lambda: False, 0.1)
        self.assertIn('may mount it: 192.0.2.1', self.logged.output)
        self.client.delete_share.assert_called_once_with('1')

    def test_server_that_is_not_deleted(self):
        # Its host has it mounted, which would hang.
        self.client.list_access.return_value = ['nova']
        self.client.delete_share.side_effect = lib_exc.Forbidden
        self.assertRaises(lib_exc.Forbidden, shares.remove, self.client, '1',
                          lambda: True, 0.1)
        self.client.deny_access.assert_not_called()

    def test_gone(self):
        self.client.is_resource_deleted.return_value = True
        shares.remove(self.client, '1', lambda: False)
        self.client.delete_share.assert_not_called()


class ConnectTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            shares.config, 'service_client_config',
            return_value={'region': 'one', 'service': 'compute'}))
        self.manager = mock.Mock()
        self.base_url = self.manager.auth_provider.base_url

    def _refuse(self, names):
        def base_url(filters):
            if filters['service'] in names:
                raise lib_exc.EndpointNotFound()

        self.base_url.side_effect = base_url

    def test_official_name(self):
        self.assertEqual('shared-file-system',
                         shares.connect(self.manager).service)

    def test_name_of_devstack(self):
        self._refuse(['shared-file-system'])
        self.assertEqual('sharev2', shares.connect(self.manager).service)

    def test_no_manila(self):
        self._refuse(['shared-file-system', 'sharev2'])
        self.assertRaises(lib_exc.EndpointNotFound, shares.connect,
                          self.manager)


class AttachmentsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.client = mock.Mock()
        self.attachments = shares.Attachments(self.client)

    def test_attach(self):
        self.attachments.attach('server', 'share', 'tag')
        url, body = self.client.post.call_args.args
        self.assertEqual('servers/server/shares', url)
        self.assertEqual({'share': {'share_id': 'share', 'tag': 'tag'}},
                         json.loads(body))

    def test_detach(self):
        self.attachments.detach('server', 'share')
        self.client.delete.assert_called_once_with(
            'servers/server/shares/share')

    def test_statuses(self):
        self.client.get.return_value = None, json.dumps({'shares': [
            {'share_id': '1', 'status': 'active', 'tag': 'a'}]})
        self.assertEqual({'1': 'active'},
                         self.attachments.statuses('server'))
