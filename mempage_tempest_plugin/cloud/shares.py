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

"""Shares of Manila, and which servers have them attached."""

import json
from urllib import parse

from oslo_log import log as logging
from tempest import config
from tempest.lib.common import rest_client
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc

LOG = logging.getLogger(__name__)

#: The first version of the compute API that knows shares.
MICROVERSION = '2.97'
#: The first one of Nova 34, which moves servers that have shares.
MOVES_SINCE = '2.104'
# By which names catalogues have Manila: its official one, and DevStack's.
_SERVICES = ('shared-file-system', 'sharev2')
# The version that Nova itself needs (nova.share.manila).
_VERSION = {'X-OpenStack-Manila-API-Version': '2.82'}
_SIZE_GIB = 1
#: Seconds that Nova and Manila may need to take back who may mount a share.
ACCESS_TIMEOUT = 60


class Client(rest_client.RestClient):
    """The few requests to Manila's API that tests need.

    Tempest has a client for it in a plugin of its own only.
    """

    def get_headers(self, *arguments, **kwargs):
        return {**super().get_headers(*arguments, **kwargs), **_VERSION}

    def create_share(self, name, protocol):
        """Request a share of 1 GiB of the default type.

        :param name: its name
        :param protocol: as Manila calls it, such as CEPHFS
        :returns: its UUID
        """
        response, body = self.post('shares', json.dumps({'share': {
            'name': name, 'share_proto': protocol, 'size': _SIZE_GIB}}))
        self.expected_success(200, response.status)
        return json.loads(body)['share']['id']

    def show_share(self, share):
        """Get what Manila says of a share.

        :param share: its UUID
        :returns: a dict
        """
        return self._get('shares/%s' % share)['share']

    def list_shares(self, name):
        """List the shares of all projects whose names have some text.

        :param name: the text. Manila lists a thousand at most
        :returns: list of dicts with their id and name
        """
        return self._get('shares?' + parse.urlencode(
            {'all_tenants': 1, 'name~': name}))['shares']

    def list_access(self, share):
        """List who may mount a share.

        :param share: its UUID
        :returns: list of names or addresses, in order
        """
        return sorted(rule['access_to'] for rule in self._access(share))

    def _access(self, share):
        return self._get('share-access-rules?share_id=%s' % share)[
            'access_list']

    def deny_access(self, share):
        """Request that nobody may mount a share, whoever has locked that.

        :param share: its UUID
        """
        for rule in self._access(share):
            # Each may be gone meanwhile.
            test_utils.call_and_ignore_notfound_exc(
                self._deny, share, rule['id'])

    def _deny(self, share, rule):
        response, _ = self.post('shares/%s/action' % share, json.dumps({
            'deny_access': {'access_id': rule, 'unrestrict': True}}))
        self.expected_success(202, response.status)

    def delete_share(self, share):
        """Request the deletion of a share.

        :param share: its UUID
        """
        response, _ = self.delete('shares/%s' % share)
        self.expected_success(202, response.status)

    def is_resource_deleted(self, id):
        try:
            self.show_share(id)
        except lib_exc.NotFound:
            return True
        return False

    @property
    def resource_type(self):
        """What Tempest calls it in a time-out."""
        return 'share'

    def _get(self, path):
        response, body = self.get(path)
        self.expected_success(200, response.status)
        return json.loads(body)


def connect(manager):
    """Make a client of Manila.

    :param manager: Tempest's client manager
    :returns: a :class:`Client`
    :raises EndpointNotFound: if the catalogue has no Manila
    """
    settings = config.service_client_config('compute')
    for service in _SERVICES:
        settings['service'] = service
        client = Client(manager.auth_provider, **settings)
        try:
            manager.auth_provider.base_url(client.filters)
        except lib_exc.EndpointNotFound:
            if service == _SERVICES[-1]:
                raise
        else:
            return client


def remove(client, share, is_used, timeout=ACCESS_TIMEOUT):
    """Delete a share that no server has any more, and wait until it is gone.

    Nova locks a share for as long as it may be mounted. It takes that back
    when it has deleted the server, but not always: before 34, a share of NFS
    that servers of two hosts had stays locked for the first one.

    :param client: a :class:`Client`
    :param share: its UUID
    :param is_used: function that tells whether a server has it nevertheless.
        What its host has mounted would hang, so nobody takes that back
    :param timeout: seconds that Nova has to take it back
    :raises Forbidden: if it stays locked
    """
    # Manila has another answer than "not found" to who may mount it then.
    if client.is_resource_deleted(share):
        return
    if not _is_free(client, share, timeout) and not is_used():
        LOG.warning('share %s: Nova has not taken back within %d s that these '
                    'may mount it: %s', share, timeout,
                    ', '.join(client.list_access(share)))
        client.deny_access(share)
        _is_free(client, share, timeout)
    client.delete_share(share)
    client.wait_for_resource_deletion(share)


def _is_free(client, share, timeout):
    return test_utils.call_until_true(
        lambda: not client.list_access(share), timeout, 1)


class Attachments:
    """Shares that servers have.

    The newest clients of Tempest know them, those of before do not.

    :param client: Tempest's servers client
    """

    def __init__(self, client):
        self._client = client

    def attach(self, server, share, tag):
        """Attach a share to a server that is shut off.

        :param server: UUID of the server
        :param share: UUID of the share
        :param tag: the name by which its guest mounts it
        :raises Conflict: if Nova refuses, with its words
        """
        self._client.post('servers/%s/shares' % server, json.dumps(
            {'share': {'share_id': share, 'tag': tag}}))

    def detach(self, server, share):
        """Detach a share from a server that is shut off.

        :param server: UUID of the server
        :param share: UUID of the share
        """
        self._client.delete('servers/%s/shares/%s' % (server, share))

    def statuses(self, server):
        """Look up which shares a server has.

        :param server: UUID of the server
        :returns: dict of what Nova says of each, such as active, by the UUID
            of the share
        """
        _, body = self._client.get('servers/%s/shares' % server)
        return {each['share_id']: each['status']
                for each in json.loads(body)['shares']}
