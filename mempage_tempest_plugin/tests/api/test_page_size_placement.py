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

"""Servers that ask for a page size land on a host that has it, or nowhere."""

import ddt
from tempest.lib import decorators

from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import page_size_base

REQUESTS = (None, page_sizes.SMALL, page_sizes.LARGE, page_sizes.ANY,
            4, 2048, 1048576)


class _OnOneHost(page_size_base.BasePageSizeTest):
    """One host of each policy in the inventory."""

    way = None

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        cls.declared = page_sizes.one_of_each_policy(cls.declared)

    def check_request(self, request):
        """Send a server to each host, and check what becomes of it."""
        flavor = self.create_page_size_flavor(request)
        self.addCleanup(self._delete_servers)

        def send(host):
            self.servers[host.name] = self.request_server(
                flavor, **self.destination(host))

        def check(host):
            self.assert_outcome(self.servers[host.name], page_sizes.outcome(
                [host.declared], request, flavor['ram'], self.way,
                self.enforcement()))

        self.on_each_host(send, check)

    def _delete_servers(self):
        self.delete_servers(self.servers.values())


@ddt.ddt
class TestPageSizeOnHost(_OnOneHost):
    """Hosts that a server names: the scheduler has a say."""

    way = page_sizes.Way.HOST

    @staticmethod
    def destination(host):
        return {'hypervisor_hostname': host.name}

    @decorators.idempotent_id('5b3b6e0c-6b2e-4a3d-8a54-0d0f5d6cf0a1')
    @ddt.data(*REQUESTS)
    def test_request(self, request):
        """The host gives the page size, or the server has no valid host"""
        self.check_request(request)


@ddt.ddt
class TestPageSizeInZone(_OnOneHost):
    """Hosts that a server is forced on: the scheduler has no say."""

    way = page_sizes.Way.ZONE

    @staticmethod
    def destination(host):
        return {'availability_zone': ':%s' % host.name}

    @decorators.idempotent_id('0f7b6a53-53c9-4b8c-9f07-2b0f4b0d7b3e')
    @ddt.data(*REQUESTS)
    def test_request(self, request):
        """The host gives the page size, or refuses in its own words"""
        self.check_request(request)


@ddt.ddt
class TestPageSizeAnywhere(page_size_base.BasePageSizeTest):
    """All hosts together: the scheduler chooses."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._skip_if_undeclared()
        cls.flavors = {}
        cls.requested = {}
        cls.addClassResourceCleanup(
            lambda: cls.delete_servers(cls.requested.values()))
        for request in REQUESTS:
            cls.flavors[request] = cls.create_page_size_flavor(request)
            cls.requested[request] = cls.request_server(cls.flavors[request])

    @classmethod
    def _skip_if_undeclared(cls):
        found = cls.os_admin.hypervisor_client.list_hypervisors()
        undeclared = {hypervisor['hypervisor_hostname'] for hypervisor
                      in found['hypervisors']} - set(cls.inventory.hosts)
        if undeclared:
            raise cls.skipException(
                '%s does not declare %s, where servers may land' % (
                    cls.inventory.path, ', '.join(sorted(undeclared))))

    @decorators.idempotent_id('f0c9ce7a-4f2f-4c07-9d0b-6a3b9d1c1e64')
    @ddt.data(*REQUESTS)
    def test_request(self, request):
        """The server goes to a host that has the page size, if any has"""
        self.assert_outcome(self.requested[request], page_sizes.outcome(
            self.declared, request, self.flavors[request]['ram'],
            page_sizes.Way.SCHEDULER, self.enforcement()))
