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

"""What the tests of requests for page sizes share."""

from tempest.common import compute
from tempest import config
from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin import page_size_requests
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import base

CONF = config.CONF


class BasePageSizeTest(base.BaseMemoryTest):
    """Tests of who gets which page size, whatever the guest does with it.

    Many servers can be requested at once, as they have no operating system.
    """

    needs_system = False
    # That the values of extra specs are validated.
    min_microversion = '2.86'

    # Little, so that tests which run at the same time leave pages for each
    # other.
    RAM_MIB = 64

    @classmethod
    def is_about(cls, host):
        return True

    @classmethod
    def enforcement(cls):
        """Tell what enforces page sizes, by the word of the configuration.

        :returns: page_sizes.Enforcement
        """
        return page_sizes.Enforcement(
            driver=CONF.mempage.allowed_memory_pagesize,
            aggregates=CONF.mempage.aggregate_memory_backing_filter,
            numa_filter=compute.is_scheduler_filter_enabled(
                'NUMATopologyFilter'))

    @classmethod
    def ram_mib(cls, request, hosts=None):
        """Choose RAM which consists of whole pages, where there are any.

        :param request: small, large, any, a size in KiB, or None
        :param hosts: declarations (inventory.Host) of hosts where the guest
            can be sent, if not everywhere
        :returns: MiB
        """
        pools = {pool.size_kib for host in (hosts or
                                            cls.inventory.hosts.values())
                 for pool in host.pools if pool.pages}
        size = request if request in pools else min(pools, default=0)
        return max(cls.RAM_MIB, size // 1024)

    @classmethod
    def create_page_size_flavor(cls, value, ram_mib):
        """Create a flavor that asks for a page size.

        :param value: the value of hw:mem_page_size, or None
        :param ram_mib: its RAM
        :returns: the flavor; it is deleted after the class
        """
        extra_specs = {'hw:mem_page_size': value} if value else {}
        return cls.create_flavor(extra_specs, ram_mib)

    @classmethod
    def request_server(cls, flavor, image=None, **kwargs):
        """Request a server without network; the caller deletes it.

        :param flavor: the flavor
        :param image: id of the image, if not the empty one
        :param kwargs: further arguments of compute.create_test_server
        :returns: its UUID
        """
        server, _ = compute.create_test_server(
            cls.os_admin, name=cls._rand_name('server'), networks='none',
            flavor=flavor['id'], image_id=image or cls.image, **kwargs)
        return server['id']

    @classmethod
    def send_server(cls, flavor, host, way):
        """Request a server on a host; the caller deletes it.

        :param flavor: the flavor
        :param host: the compute_host.ComputeHost
        :param way: page_sizes.Way.HOST or .ZONE
        :returns: its UUID
        """
        destination = ({'hypervisor_hostname': host.name}
                       if way is page_sizes.Way.HOST
                       else {'availability_zone': ':%s' % host.name})
        return cls.request_server(flavor, **destination)

    def assert_outcome(self, server, expected):
        """Wait until a server runs or has failed, and assert that it must.

        :param server: UUID of the server
        :param expected: page_sizes.Outcome
        """
        shown = self._settled(server, expected.faults)
        host = shown['OS-EXT-SRV-ATTR:hypervisor_hostname']
        fault = shown.get('fault', {}).get('message', '')
        if shown['status'] == 'ACTIVE':
            page_kib = self.cloud.page_size(server)
            agrees = (host, page_kib) in expected.granted.items()
            seen = 'runs on %s with page size %s' % (host, page_kib)
        else:
            agrees = self._has_fault(shown, expected.faults)
            seen = 'is %s: %s' % (shown['status'], fault)
        if not agrees:
            self.fail('server %s %s; allowed are these hosts with these page '
                      'sizes in KiB: %s, or else these faults: %s' % (
                          server, seen, expected.granted or 'none',
                          sorted(expected.faults) or 'none'))

    def _settled(self, server, faults):
        shown = {}

        def told():
            shown.update(self.servers_client.show_server(server)['server'])
            return (shown['status'] != 'ERROR' or not faults
                    or self._has_fault(shown, faults))

        self.wait_until_built([server])
        # The fault comes after the status, and may take an older one's place.
        test_utils.call_until_true(told, self.FAULT_TIMEOUT,
                                   self.servers_client.build_interval)
        return shown

    @staticmethod
    def _has_fault(shown, faults):
        fault = shown.get('fault', {}).get('message', '')
        return any(text in fault for text in faults)


class BaseAnywhereTest(BasePageSizeTest):
    """Tests of servers for which the scheduler chooses among all hosts.

    All are requested before the first test, so that they are built at the
    same time.
    """

    #: Values of flavor and image, either may be None. No more than an
    #: ordinary quota of servers (10).
    cases = ()

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._skip_if_undeclared()
        cls.requested = {}
        cls.expected = {}
        cls.addClassResourceCleanup(
            lambda: cls.delete_servers(cls.requested.values()))
        for case in cls.cases:
            cls._request(*case)

    @classmethod
    def _skip_if_undeclared(cls):
        found = cls.os_admin.hypervisor_client.list_hypervisors()
        undeclared = {hypervisor['hypervisor_hostname'] for hypervisor
                      in found['hypervisors']} - set(cls.inventory.hosts)
        if undeclared:
            raise cls.skipException(
                '%s does not declare %s, where servers may land' % (
                    cls.inventory.path, ', '.join(sorted(undeclared))))

    @classmethod
    def _request(cls, value, image_value):
        request = page_size_requests.effective(value, image_value)
        flavor = cls.create_page_size_flavor(value, cls.ram_mib(request))
        image = image_value and cls.create_image(hw_mem_page_size=image_value)
        cls.expected[value, image_value] = page_sizes.outcome(
            cls.declared, request, flavor['ram'], page_sizes.Way.SCHEDULER,
            cls.enforcement())
        cls.requested[value, image_value] = cls.request_server(flavor, image)

    def check_case(self, *case):
        """Assert that the server of a case runs where it may, or nowhere.

        :param case: values of flavor and image
        """
        self.assert_outcome(self.requested[case], self.expected[case])
