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

"""What tests share that look at what becomes of requests for page sizes."""

from tempest.common import compute
from tempest import config
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_size_requests
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import amounts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import observed

CONF = config.CONF


def has_page_size_filter():
    """Tell whether the scheduler uses MemoryPageSizeFilter of nova_mempage.

    Tempest's default is "all", which means those of Nova.
    """
    return ('MemoryPageSizeFilter' in
            CONF.compute_feature_enabled.scheduler_enabled_filters)


def forbidding_list(host):
    """Choose sizes to allow that leave out one that a host has pages of.

    :param host: the compute_host.ComputeHost
    :returns: as of page_sizes.forbidding_list
    """
    return page_sizes.forbidding_list(host.declared, {
        pool.size_kib for pool in host.survey().pools})


class BasePageSizeTest(base.BaseMemoryTest):
    """Tests of who gets which page size, whatever the guest does with it.

    Many servers can be requested at once, as they have no operating system.
    Those that run are looked at where they are: that Nova grants a page size
    does not say that the guest has it.
    """

    needs_system = False
    pools = leased.TAKES
    # All that one test requests, while those of another are being deleted.
    servers_on_host = 16
    # That the values of extra specs are validated.
    min_microversion = '2.86'

    # Little, so that tests which run at the same time leave pages for each
    # other.
    RAM_MIB = 64
    # Where memory is in files, all but one of a test's requests are refused.
    # Elsewhere no more ask for large pages.
    room = leased.Room(in_files=4, with_pages=4, ram_mib=RAM_MIB)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._flavors = {}
        # What nobody waits for before the class ends.
        cls._deleted = []
        cls.addClassResourceCleanup(cls.nova.wait_until_gone, cls._deleted)

    def setUp(self):
        super().setUp()
        # Hosts and page sizes of which a server was looked at.
        self._looked_at = set()

    def first(self, condition):
        """Choose the first host that suits, or skip the test.

        :param condition: a which.Condition
        :returns: the compute_host.ComputeHost
        """
        for host in self.hosts:
            if condition(host.declared):
                return host
        joined.skip(self, condition)

    @classmethod
    def enforcement(cls):
        """Tell what enforces page sizes, by the word of the configuration.

        :returns: page_sizes.Enforcement
        """
        return page_sizes.Enforcement(
            driver=CONF.mempage.allowed_memory_pagesize,
            aggregates=CONF.mempage.aggregate_memory_backing_filter,
            numa_filter=compute.is_scheduler_filter_enabled(
                amounts.NUMA_FILTER),
            page_size_filter=has_page_size_filter())

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
    def flavor_for(cls, request, hosts=None):
        """Get the flavor that makes a request.

        :param request: small, large, any, a size in KiB, or None
        :param hosts: as of :meth:`ram_mib`
        :returns: the flavor
        """
        ram_mib = cls.ram_mib(request, hosts)
        if (request, ram_mib) not in cls._flavors:
            cls._flavors[request, ram_mib] = cls.create_flavor(
                {}, ram_mib, request=request)
        return cls._flavors[request, ram_mib]

    @classmethod
    def begin_to_delete(cls, requested):
        """Delete servers; that they are gone is waited for after the class.

        :param requested: iterable of servers.RequestedServer
        """
        uuids = [server.uuid for server in requested]
        cls._deleted.extend(uuids)
        cls.nova.request_deletion(uuids)

    @classmethod
    def send(cls, flavor, host, way):
        """Request a server on a host; the caller deletes it.

        :param flavor: the flavor
        :param host: the compute_host.ComputeHost
        :param way: page_sizes.Way.HOST or .ZONE
        :returns: the servers.RequestedServer
        """
        return cls.request_server(host, flavor,
                                  forced=way is page_sizes.Way.ZONE)

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

    def check_outcomes(self, expected, way, why):
        """Assert outcomes of requests, all made at the same time.

        :param expected: dict by compute_host.ComputeHost of dicts of
            page_sizes.Outcome by request
        :param way: page_sizes.Way.HOST or .ZONE
        :param why: where they come from, for the message of a failure
        """
        cases = [(host, request, self.flavor_for(request))
                 for host in expected for request in expected[host]]
        requested = {}

        def send(host, request, flavor):
            requested[host, request] = self.send(flavor, host, way)

        def check(host):
            failures = [failure for request, outcome in expected[host].items()
                        for failure in self._disagreement(
                            request, requested[host, request], outcome)]
            if failures:
                self.fail('\n'.join(['%s:' % why, *failures]))

        try:
            servers.at_once(send, *zip(*cases))
            self.on_each_host(check, hosts=list(expected))
        finally:
            self.begin_to_delete(requested.values())

    def _disagreement(self, request, server, expected):
        try:
            self.assert_outcome(server, expected)
        except (self.failureException, lib_exc.TimeoutException) as error:
            return ['page size %s: %s' % (request or 'not set', error)]
        return []

    def check_traits(self, host, declared):
        """Assert that the driver reports the allowed sizes.

        :param host: the compute_host.ComputeHost
        :param declared: its declaration (inventory.Host)
        """
        reported = traits.page_sizes(self.cloud.provider(host.name).traits)
        self.assertEqual(
            sorted(page_sizes.available(declared)), reported, (
                'host %s must allow %s, and reports other page sizes (KiB) '
                'in its traits. Is [libvirt] allowed_memory_pagesize in its '
                'nova-compute\'s configuration what is declared, is '
                'compute_driver = mempage.LibvirtDriver, and was it restarted '
                'since? Nova ignores options that it does not know' % (
                    host.name, ','.join(
                        str(size) for size in declared.allowed_page_sizes))))

    def assert_outcome(self, server, expected):
        """Wait until a server runs or has failed, and assert that it must.

        :param server: servers.RequestedServer
        :param expected: page_sizes.Outcome
        """
        def has_fault(fault):
            return any(text in fault for text in expected.faults)

        self.nova.settle([server], lambda fault: not expected.faults
                         or has_fault(fault))
        if server.status == 'ACTIVE':
            page_kib = self.cloud.page_size(server.uuid)
            agrees = (server.host, page_kib) in expected.granted.items()
            seen = 'runs on %s with page size %s' % (server.host, page_kib)
        else:
            wrong = self._asked_in_vain(server, expected)
            agrees = has_fault(server.fault) and not wrong
            seen = 'is %s: %s' % (server.status, server.fault)
            if wrong:
                seen += ' It failed on %s, which must take it' % (
                    ', '.join(wrong))
        comparison = facts.Comparison('server %s' % server.uuid, server.host,
                                      server.uuid)
        comparison.holds('nova', 'what became of a request for a page size',
                         [*expected.granted.items(), *expected.faults], seen,
                         agrees)
        self.keep(comparison)
        if not agrees:
            self.fail('server %s %s; allowed are these hosts with these page '
                      'sizes in KiB: %s, or else these faults: %s' % (
                          server.uuid, seen, expected.granted or 'none',
                          sorted(expected.faults) or 'none'))

        if server.status == 'ACTIVE':
            self._check_memory(server, page_kib)

    def _check_memory(self, server, page_kib):
        """Assert that a server has its memory in pages of the granted size.

        One for each host and page size tells for all others of the test.
        """
        kind = server.host, page_kib
        if kind in self._looked_at:
            return
        self._looked_at.add(kind)
        host = compute_host.get(self.inventory.hosts[server.host],
                                CONF.mempage.host_timeout)
        self.assert_agrees(base.compare_memory(self, host, server, page_kib))

    def _asked_in_vain(self, server, expected):
        """List hosts that were asked to build a server, and must not refuse.

        :param server: servers.RequestedServer
        :param expected: page_sizes.Outcome
        """
        if not server.fault.startswith(page_sizes.NO_MORE_RETRIES):
            return []
        late = {self.services.host_of(name) for name in expected.late}
        return [service for service in actions.builds(
            self.nova.client, server.uuid) if service not in late]


class BaseAnywhereTest(BasePageSizeTest):
    """Tests of servers for which the scheduler chooses among all hosts.

    All are requested before the first test, so that they are built at the
    same time.
    """

    scope = base.PER_CLOUD
    anywhere = True
    may_skip = (observed.UNDECLARED,)

    #: Values of flavor and image, either may be None.
    cases = ()

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._skip_if_undeclared()
        cls.requested = {}
        cls.expected = {}
        cls.addClassResourceCleanup(
            lambda: cls.nova.delete(server.uuid for server
                                    in cls.requested.values()))
        for case in cls.cases:
            cls._request(*case)

    @classmethod
    def _skip_if_undeclared(cls):
        found = cls.os_admin.hypervisor_client.list_hypervisors()
        undeclared = {hypervisor['hypervisor_hostname'] for hypervisor
                      in found['hypervisors']} - set(cls.inventory.hosts)
        if undeclared:
            observed.skip(
                cls, observed.UNDECLARED, '%s does not declare %s' % (
                    cls.inventory.path, ', '.join(sorted(undeclared))))

    @classmethod
    def _request(cls, value, image_value):
        request = page_size_requests.effective(value, image_value)
        flavor = cls.create_flavor({}, cls.ram_mib(request), request=value)
        image = image_value and cls.create_image(hw_mem_page_size=image_value)
        cls.expected[value, image_value] = page_sizes.outcome(
            list(cls.inventory.hosts.values()), request, flavor['ram'],
            page_sizes.Way.SCHEDULER, cls.enforcement())
        cls.requested[value, image_value] = cls.request_server(
            flavor=flavor, image=image)

    def check_case(self, *case):
        """Assert that the server of a case runs where it may, or nowhere.

        :param case: values of flavor and image
        """
        self.assert_outcome(self.requested[case], self.expected[case])
