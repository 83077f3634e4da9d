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

"""Requests for servers, and what becomes of them."""

import concurrent.futures
import dataclasses
import functools
import json
import time
from urllib import parse

from tempest.common import compute
from tempest.common import waiters
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc
from tempest.lib.services.compute import base_compute_client
import tenacity

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import nova_services

# Seconds that Nova may take to write down why a server failed.
FAULT_TIMEOUT = 30
#: The first version which can name the host to unshelve on.
UNSHELVE_ON_HOST = '2.91'


@dataclasses.dataclass
class RequestedServer:
    """A server that a test has requested.

    :ivar ram_mib: the RAM of its flavor
    :ivar size_kib: the page size that it must be granted; None for none
    :ivar host: name of the host that it has to be on, or is on; None for none
    :ivar status: as Nova told last; None if it was not asked
    :ivar fault: why it is in status ERROR
    """

    uuid: str
    ram_mib: int
    size_kib: int | None = None
    host: str | None = None
    status: str | None = None
    fault: str = ''


def at_once(function, *arguments, limit=None):
    """Call a function several times at the same moment.

    All are called, whichever fails.

    :param function: what to call, as :func:`map` would
    :param arguments: lists, each with one argument for every call
    :param limit: how many calls may be under way, if not all
    :returns: list of what it returned
    :raises Exception: what the first one of those that failed has raised
    """
    with concurrent.futures.ThreadPoolExecutor(
            limit or len(arguments[0]) or 1) as threads:
        calls = [threads.submit(function, *each) for each in zip(*arguments)]
        try:
            concurrent.futures.wait(calls)
        finally:
            # Who is interrupted, as by the time-out of a test, begins no more.
            for call in calls:
                call.cancel()
    return [call.result() for call in calls]


class Servers:
    """Servers of one cloud.

    :param manager: Tempest's client manager of an administrator: only one
        may choose the host of a server
    :param services: a nova_services.ComputeServices
    :param timeout: seconds that Nova may take to build or delete servers, on
        hosts that are not slow
    :param interval: seconds between the first looks at servers
    :param limit: function of such seconds that returns those that it may
        take, as of inventory.Inventory.limit
    """

    def __init__(self, manager, services, timeout, interval, limit):
        self._manager = manager
        self._services = services
        self._timeout = limit(timeout)
        self._fault_timeout = limit(FAULT_TIMEOUT)
        self.client = manager.servers_client
        self.client.build_interval = interval
        # Tempest's own waiters have it from there.
        self.client.build_timeout = self._timeout

    def wait_longer(self, seconds):
        """Give Nova more time to build or delete servers.

        :param seconds: how much more
        """
        self._timeout += seconds
        self.client.build_timeout = self._timeout

    def request(self, name, flavor, image, host=None, forced=False,
                **kwargs):
        """Request a server; the caller deletes it.

        :param name: its name
        :param flavor: its flavor, as the API shows it
        :param image: UUID of its image
        :param host: hypervisor_hostname; None if the scheduler chooses
        :param forced: whether no filter of the scheduler is asked
        :param kwargs: further arguments of compute.create_test_server;
            without a network the server gets none
        :returns: a :class:`RequestedServer`
        """
        if not kwargs.get('tenant_network'):
            kwargs.setdefault('networks', 'none')
        if forced:
            # Nova wants the name of the service there.
            kwargs['availability_zone'] = ':' + self._services.host_of(host)
        elif host:
            kwargs['hypervisor_hostname'] = host
        server, _ = compute.create_test_server(
            self._manager, name=name, flavor=flavor['id'], image_id=image,
            **kwargs)
        return RequestedServer(server['id'], flavor['ram'], host=host)

    def act(self, server, method, status, *arguments, microversion=None,
            **kwargs):
        """Request an action on a server, and wait for its end.

        :param server: its UUID
        :param method: name of a method of Tempest's servers client
        :param status: the status that the server must have then
        :param arguments: the method's arguments after the server's UUID
        :param microversion: another version than that of the tests
        :param kwargs: its keyword arguments
        :returns: the ID of the request
        :raises BuildErrorException: if the server is in status ERROR
        :raises TimeoutException: if its status is another one
        """
        with nova_services.speaking(
                microversion or base_compute_client.COMPUTE_MICROVERSION):
            body = getattr(self.client, method)(server, *arguments, **kwargs)
        request_id = body.response['x-openstack-request-id']
        self.wait_for(server, status, request_id=request_id)
        return request_id

    def shelve(self, server):
        """Shelve a server until no host has it.

        Nova takes away the server's host some time after it says
        SHELVED_OFFLOADED. Who unshelves it meanwhile may have a server that
        runs, and is on no host.

        :param server: its UUID
        :raises TimeoutException: if a host still has it
        """
        compute.shelve_server(self.client, server, force_shelve_offload=True)

        def host():
            return self.client.show_server(server)['server'][
                'OS-EXT-SRV-ATTR:host']

        if left := self._while(host):
            raise lib_exc.TimeoutException(
                'Server %s is SHELVED_OFFLOADED, and still on host %s after '
                '%d s' % (server, left, self._timeout))

    def unshelve(self, server, status, host):
        """Request to unshelve a server on a host, and wait for the end.

        :param server: its UUID
        :param status: the status that the server must have then
        :param host: hypervisor_hostname
        :returns: the ID of the request
        """
        return self.act(server, 'unshelve_server', status,
                        microversion=UNSHELVE_ON_HOST, **self.to(host))

    def to(self, host):
        """Name a host in a request for an action.

        :param host: hypervisor_hostname
        :returns: a dict for the body
        """
        return {'host': self._services.host_of(host)}

    def to_live(self, host):
        """Name a host in a request for a live migration.

        :param host: hypervisor_hostname
        :returns: a dict for the body
        """
        return dict(self.to(host), block_migration='auto')

    def wait_for(self, server, status, **kwargs):
        """Wait until a server has a status.

        :param server: its UUID
        :param status: the status
        :param kwargs: of Tempest's wait_for_server_status
        :returns: the server as the API shows it
        :raises TimeoutException: if it does not get it, with what Nova has
            recorded of the action
        """
        # To list servers that are not there yet is a third of the work of
        # showing one. Who has a status may still be busy: that is shown.
        if self._while(lambda: not self._has(server, [status, 'ERROR'])):
            self._raise_unless_now(server, status)
        return waiters.wait_for_server_status(self.client, server, status,
                                              **kwargs)

    def _raise_unless_now(self, server, status):
        shown = self.client.show_server(server)['server']
        if shown['status'] not in (status, 'ERROR'):
            raise lib_exc.TimeoutException(
                'Server %s is not %s within %d s, but %s (task: %s). %s' % (
                    server, status, self._timeout, shown['status'],
                    shown['OS-EXT-STS:task_state'],
                    actions.last_failure(self.client, server)
                    or 'Nova has recorded no failure'))

    def wait_until_active(self, server):
        """Wait until a server runs that was requested just now.

        :param server: its UUID
        :raises BuildErrorException: if it is in status ERROR
        """
        self.wait_until_built([server])
        # To show a server is three times the work: Nova asks Neutron, too.
        if not self._has(server, ['ACTIVE']):
            waiters.wait_for_server_status(self.client, server, 'ACTIVE')

    def _while(self, look):
        """Wait while a look finds something, less often the longer it takes.

        :param look: a function without parameters
        :returns: what the last look found, which is after the time-out: a busy
            cloud takes its time to answer
        """
        interval = self.client.build_interval
        # Nothing that is waited for is so at once.
        time.sleep(interval)
        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_result(bool),
                wait=tenacity.wait_incrementing(interval, interval / 2,
                                                4 * interval),
                stop=tenacity.stop_after_delay(self._timeout))(look)
        except tenacity.RetryError:
            return look()

    def _has(self, server, statuses):
        # Tempest's client cannot ask for several statuses.
        _, body = self.client.get('servers?' + parse.urlencode(
            {'uuid': server, 'status': statuses}, doseq=True))
        return json.loads(body)['servers']

    def settle(self, servers, told=bool):
        """Wait until servers either run or have failed, and ask which.

        The fault comes after the status, and may take an older one's place.

        :param servers: list of :class:`RequestedServer`, which learn it
        :param told: function of a fault: whether that is all of it
        :raises TimeoutException: naming those that do neither
        """
        self.wait_until_built([server.uuid for server in servers])
        test_utils.call_until_true(
            functools.partial(self._ask, servers, told), self._fault_timeout,
            self.client.build_interval)

    def _ask(self, servers, told):
        shown = {}
        if len(servers) > 1:
            shown = {server['id']: server for server in
                     self.client.list_servers(detail=True)['servers']}
        for server in servers:
            now = shown.get(server.uuid, {})
            # Of a server that no host was found for, which is in a database
            # of its own (cell0), Nova 30 to 32 list no fault.
            if len(servers) == 1 or (now.get('status') == 'ERROR'
                                     and 'fault' not in now):
                now = self.client.show_server(server.uuid)['server']
            server.status = now.get('status')
            server.host = now.get('OS-EXT-SRV-ATTR:hypervisor_hostname')
            server.fault = now.get('fault', {}).get('message', '')
        return all(told(server.fault) for server in servers
                   if server.status == 'ERROR')

    def on_host(self, host):
        """List the servers of all projects that a host has, running or not.

        :param host: hypervisor_hostname
        :returns: dict of their names by UUID
        """
        found = self.client.list_servers(
            all_tenants=True, host=self._services.host_of(host))['servers']
        return {server['id']: server['name'] for server in found}

    def request_deletion(self, servers):
        """Request the deletion of servers; those that are gone are ignored.

        :param servers: iterable of UUIDs
        """
        at_once(functools.partial(
            test_utils.call_and_ignore_notfound_exc,
            self.client.delete_server), list(servers))

    def delete(self, servers):
        """Delete servers at the same time, and wait until they are gone.

        :param servers: iterable of UUIDs
        """
        servers = list(servers)
        self.request_deletion(servers)
        self.wait_until_gone(servers)

    def wait_until_gone(self, servers):
        """Wait for the end of servers that are being deleted.

        :param servers: iterable of UUIDs
        :raises TimeoutException: naming those that are not
        """
        self._wait_while_listed(servers, 'Servers that are not gone')

    def wait_until_built(self, servers):
        """Wait until servers run or have failed.

        :param servers: iterable of UUIDs
        :raises TimeoutException: naming those that do neither
        """
        self._wait_while_listed(servers, 'Servers neither ACTIVE nor in '
                                'ERROR', status='BUILD')

    def _wait_while_listed(self, servers, what, **conditions):
        """Wait while the API lists any of some servers.

        One request for all of them, without their details, is a small part
        of the work that one for each would be.
        """
        servers = set(servers)

        def listed():
            found = self.client.list_servers(**conditions)['servers']
            return {server['id'] for server in found} & servers

        if servers and (left := self._while(listed)):
            raise lib_exc.TimeoutException('%s within %d s: %s' % (
                what, self._timeout, ', '.join(sorted(left))))
