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

"""What placement and the servers API say: one of the five witnesses."""

import collections
import dataclasses
import json

from tempest.lib import exceptions as lib_exc

# Statuses of servers that hold memory on two hosts, or are about to.
_MOVING = ('BUILD', 'MIGRATING', 'RESIZE', 'VERIFY_RESIZE', 'REVERT_RESIZE')
# Of migrations that hold nothing any more.
_ENDED = ('completed', 'confirmed', 'reverted', 'done', 'cancelled', 'failed',
          'error')


@dataclasses.dataclass(frozen=True)
class Provider:
    """A compute host in placement; memory in MiB, None if it has none."""

    uuid: str
    memory_total: int | None
    memory_max_unit: int | None
    memory_reserved: int | None
    allocation_ratio: float | None
    traits: frozenset[str]

    @property
    def memory_for_guests(self):
        """What all servers together can be given, in MiB."""
        return int(((self.memory_total or 0) - (self.memory_reserved or 0))
                   * (self.allocation_ratio or 0))


@dataclasses.dataclass(frozen=True)
class Server:
    """A server as nova shows it to the administrator.

    :ivar host: None while it has none
    :ivar page_kib: the page size in KiB that it was granted; None if it
        asks for none
    """

    uuid: str
    status: str
    host: str | None
    domain: str
    page_kib: int | None = None


class Cloud:
    """Questions to the APIs of a cloud.

    :param manager: Tempest's client manager of an administrator
    """

    def __init__(self, manager):
        self._servers = manager.servers_client
        self._providers = manager.resource_providers_client
        self._placement = manager.placement_client
        self._migrations = manager.migrations_client

    def server(self, uuid):
        """Look up a server.

        :param uuid: UUID of the server
        :returns: a :class:`Server`
        """
        shown = self._servers.show_server(uuid)['server']
        return Server(uuid, shown['status'],
                      shown['OS-EXT-SRV-ATTR:hypervisor_hostname'],
                      shown['OS-EXT-SRV-ATTR:instance_name'],
                      self.page_size(uuid))

    def page_size(self, uuid):
        """Look up which page size a server was granted.

        :param uuid: UUID of the server
        :returns: KiB, or None if it asks for none
        """
        return self._topology(uuid)['pagesize_kb']

    def node_memory(self, uuid):
        """Look up on which NUMA nodes a server has its memory.

        :param uuid: UUID of the server
        :returns: dict of MiB by NUMA node of its host; empty if it asks for
            nothing that has to do with nodes
        """
        memory = collections.Counter()
        for cell in self._topology(uuid)['nodes']:
            memory[cell['host_node']] += cell['memory_mb']
        return dict(memory)

    def _topology(self, uuid):
        # Tempest's client has no method for this.
        _, body = self._servers.get('servers/%s/topology' % uuid)
        return json.loads(body)

    def provider(self, host):
        """Look up a host's memory inventory and traits.

        :param host: hypervisor_hostname of the host
        :returns: a :class:`Provider`, or None if placement has no
            provider of that name
        """
        found = self._providers.list_resource_providers(
            name=host)['resource_providers']
        if not found:
            return None
        uuid = found[0]['uuid']
        memory = self._providers.list_resource_provider_inventories(
            uuid)['inventories'].get('MEMORY_MB', {})
        traits = self._providers.list_resource_provider_traits(uuid)['traits']
        return Provider(uuid, memory.get('total'), memory.get('max_unit'),
                        memory.get('reserved'),
                        memory.get('allocation_ratio'), frozenset(traits))

    def used_memory(self, host):
        """Look up how much memory of a host placement has handed out.

        :param host: hypervisor_hostname of the host
        :returns: MiB
        """
        return self._providers.list_resource_provider_usages(
            self.provider(host).uuid)['usages']['MEMORY_MB']

    def allocated_memory(self, server):
        """Look up from which providers a server has its memory.

        :param server: UUID of the server
        :returns: dict of MiB by provider UUID
        """
        allocations = self._placement.list_allocations(server)['allocations']
        return {uuid: held['resources'].get('MEMORY_MB', 0)
                for uuid, held in allocations.items()}

    def memory_of_nobody(self, host, service):
        """Look up who holds memory of a host for no server that needs it.

        Servers that come, go or move hold some as well.

        :param host: hypervisor_hostname of the host
        :param service: the host of its nova-compute
        :returns: dict of MiB by the consumer's UUID
        """
        # Tempest's client has no method for this.
        _, body = self._providers.get('/resource_providers/%s/allocations'
                                      % self.provider(host).uuid)
        held = {uuid: each['resources'].get('MEMORY_MB', 0) for uuid, each
                in json.loads(body)['allocations'].items()}
        here = {server['id'] for server in self._servers.list_servers(
            all_tenants=True, host=service)['servers']}
        return {uuid: memory for uuid, memory in held.items()
                if uuid not in here and not self._is_moving(uuid)}

    def _is_moving(self, consumer):
        try:
            server = self._servers.show_server(consumer)['server']
        except lib_exc.NotFound:
            return any(
                each['uuid'] == consumer and each['status'] not in _ENDED
                for each in self._migrations.list_migrations()['migrations'])
        return (server['status'] in _MOVING
                or server['OS-EXT-STS:task_state'] is not None)
