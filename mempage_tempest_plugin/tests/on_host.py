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

"""What tests share that send several requests to one host."""

from tempest.common import waiters

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import page_size_base


class BaseOnHostTest(page_size_base.BasePageSizeTest):
    """Tests of what one host, with one policy, does with many requests."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.services = compute_services.ComputeServices(cls.os_admin)
        cls._flavors = {}

    @classmethod
    def flavor_for(cls, request):
        """Get the flavor that makes a request.

        :param request: small, large, any, a size in KiB, or None
        :returns: the flavor
        """
        if request not in cls._flavors:
            cls._flavors[request] = cls.create_page_size_flavor(
                request and str(request), request)
        return cls._flavors[request]

    @classmethod
    def send(cls, request, host, way):
        """Request a server on a host; the caller deletes it.

        :param request: small, large, any, a size in KiB, or None
        :param host: the compute_host.ComputeHost
        :param way: page_sizes.Way.HOST or .ZONE
        :returns: its UUID
        """
        destination = ({'hypervisor_hostname': host.name}
                       if way is page_sizes.Way.HOST
                       else {'availability_zone': ':%s' % host.name})
        return cls.request_server(cls.flavor_for(request), **destination)

    def check_requests(self, requests, host, declared, way, why):
        """Assert what becomes of requests, all made at the same time.

        :param requests: list of small, large, any, sizes in KiB, or None
        :param host: the compute_host.ComputeHost
        :param declared: its declaration (inventory.Host)
        :param way: page_sizes.Way.HOST or .ZONE
        :param why: where the policy comes from, for the message of a failure
        """
        self.check_outcomes({request: page_sizes.outcome(
            [declared], request, self.flavor_for(request)['ram'], way,
            self.enforcement()) for request in requests}, host, way, why)

    def check_outcomes(self, expected, host, way, why):
        """Assert outcomes of requests, all made at the same time.

        :param expected: dict of page_sizes.Outcome by request
        :param host: the compute_host.ComputeHost
        :param way: page_sizes.Way.HOST or .ZONE
        :param why: where the policy comes from, for the message of a failure
        """
        servers = {}
        failures = []
        try:
            for request in expected:
                servers[request] = self.send(request, host, way)
            for request, server in servers.items():
                failures += self._disagreement(request, server,
                                               expected[request])
        finally:
            self.delete_servers(servers.values())
        if failures:
            self.fail('\n'.join(['host %s, %s:' % (host.name, why),
                                 *failures]))

    def _disagreement(self, request, server, expected):
        try:
            self.assert_outcome(server, expected)
        except self.failureException as error:
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
