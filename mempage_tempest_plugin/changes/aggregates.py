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

"""Aggregates of hosts that a test needs for a while."""

import fixtures

from mempage_tempest_plugin.changes import names

KIND = 'aggregate'


class Aggregate(fixtures.Fixture):
    """Hosts in an aggregate with some metadata.

    :param client: Tempest's aggregates client of an administrator
    :param hosts: hosts of services
    :param metadata: dict
    """

    def __init__(self, client, hosts, metadata):
        super().__init__()
        self._client = client
        self._hosts = hosts
        self._metadata = metadata

    def _setUp(self):
        aggregate = self._client.create_aggregate(
            name=names.new(KIND))['aggregate']['id']
        self.addCleanup(self._client.delete_aggregate, aggregate)
        if self._metadata:
            self._client.set_metadata(aggregate, metadata=self._metadata)
        for host in self._hosts:
            self._client.add_host(aggregate, host=host)
            self.addCleanup(self._client.remove_host, aggregate, host=host)


def left(client):
    """Find what killed runs have left.

    :param client: Tempest's aggregates client of an administrator
    :returns: list of aggregates
    """
    return [each for each in client.list_aggregates()['aggregates']
            if each['name'].startswith(names.prefix(KIND))]


def remove(client, aggregate):
    """Remove an aggregate that has hosts.

    :param client: Tempest's aggregates client of an administrator
    :param aggregate: the aggregate, as the API shows it
    """
    for host in aggregate['hosts']:
        client.remove_host(aggregate['id'], host=host)
    client.delete_aggregate(aggregate['id'])


def remove_left_of(client, hosts):
    """Remove what killed runs have left of some hosts only.

    Other hosts' may be in use by tests that run now.

    :param client: Tempest's aggregates client of an administrator
    :param hosts: hosts of services, which nobody else is using
    """
    for aggregate in left(client):
        if aggregate['hosts'] and set(aggregate['hosts']) <= set(hosts):
            remove(client, aggregate)


def hosts_with(client, key):
    """Look up which hosts are in aggregates that have some metadata.

    :param client: Tempest's aggregates client of an administrator
    :param key: of the metadata
    :returns: set of hosts of services
    """
    return {host for each in client.list_aggregates()['aggregates']
            if key in each['metadata'] for host in each['hosts']}
