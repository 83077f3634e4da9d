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

"""What tests share that send several requests to hosts."""

from tempest.common import waiters
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import page_size_base


class BaseOnHostTest(page_size_base.BasePageSizeTest):
    """Tests of what hosts do with several requests that are sent to them."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.services = compute_services.ComputeServices(cls.os_admin)
        cls._flavors = {}
        # What nobody waits for before the class ends.
        cls._deleted = []
        cls.addClassResourceCleanup(cls.wait_until_gone, cls._deleted)

    @classmethod
    def begin_to_delete(cls, servers):
        """Delete servers; that they are gone is waited for after the class.

        :param servers: iterable of UUIDs
        """
        servers = list(servers)
        cls._deleted.extend(servers)
        cls.request_deletion(servers)

    @classmethod
    def flavor_for(cls, request, hosts=None):
        """Get the flavor that makes a request.

        :param request: small, large, any, a size in KiB, or None
        :param hosts: as of :meth:`ram_mib`
        :returns: the flavor
        """
        ram_mib = cls.ram_mib(request, hosts)
        if (request, ram_mib) not in cls._flavors:
            cls._flavors[request, ram_mib] = cls.create_page_size_flavor(
                request and str(request), ram_mib)
        return cls._flavors[request, ram_mib]

    @classmethod
    def send(cls, request, host, way):
        """Request a server on a host; the caller deletes it.

        :param request: small, large, any, a size in KiB, or None
        :param host: the compute_host.ComputeHost
        :param way: page_sizes.Way.HOST or .ZONE
        :returns: its UUID
        """
        return cls.send_server(cls.flavor_for(request), host, way)

    def check_requests(self, requests, declared, way):
        """Assert what becomes of requests, all made at the same time.

        :param requests: list of small, large, any, sizes in KiB, or None
        :param declared: dict of declarations (inventory.Host) by
            compute_host.ComputeHost
        :param way: page_sizes.Way.HOST or .ZONE
        """
        self.check_outcomes({
            host: {request: self.outcome(request, policy, way)
                   for request in requests}
            for host, policy in declared.items()}, way,
            'guests may have pages: %s' % ' or '.join(sorted({
                ','.join(str(size) for size in policy.allowed_page_sizes)
                for policy in declared.values()})))

    def outcome(self, request, declared, way):
        """Tell what must become of a request that is sent to a host.

        :param request: small, large, any, a size in KiB, or None
        :param declared: the host's declaration (inventory.Host)
        :param way: page_sizes.Way.HOST or .ZONE
        :returns: page_sizes.Outcome
        """
        return page_sizes.outcome(
            [declared], request, self.flavor_for(request)['ram'], way,
            self.enforcement())

    def check_outcomes(self, expected, way, why):
        """Assert outcomes of requests, all made at the same time.

        :param expected: dict by compute_host.ComputeHost of dicts of
            page_sizes.Outcome by request
        :param way: page_sizes.Way.HOST or .ZONE
        :param why: where they come from, for the message of a failure
        """
        cases = [(host, request, self.flavor_for(request))
                 for host in expected for request in expected[host]]
        servers = {}

        def send(host, request, flavor):
            servers[host, request] = self.send_server(flavor, host, way)

        def check(host):
            failures = [failure for request, outcome in expected[host].items()
                        for failure in self._disagreement(
                            request, servers[host, request], outcome)]
            if failures:
                self.fail('\n'.join(['%s:' % why, *failures]))

        self.hosts = list(expected)
        try:
            self.at_once(send, *zip(*cases))
            self.on_each_host(check)
        finally:
            self.begin_to_delete(servers.values())

    def _disagreement(self, request, server, expected):
        try:
            self.assert_outcome(server, expected)
        except (self.failureException, lib_exc.TimeoutException) as error:
            return ['page size %s: %s' % (request or 'not set', error)]
        return []

    def act(self, method, status, server, *arguments, **kwargs):
        """Request an action on a server, and wait for its end.

        :param method: name of a method of Tempest's servers client
        :param status: the status that the server must have then
        :param server: its UUID
        """
        body = getattr(self.servers_client, method)(server, *arguments,
                                                    **kwargs)
        waiters.wait_for_server_status(
            self.servers_client, server, status,
            request_id=body.response['x-openstack-request-id'])
