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

"""Traits keep guests on the right hosts, with what Nova has itself.

File-backed hosts have a trait of Nova's own. Those of page sizes come from
the driver of nova_mempage.
"""

import ddt
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin import aggregates
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin import policy
from mempage_tempest_plugin.tests import on_host

CONF = config.CONF
REFUSED = page_sizes.Outcome({}, frozenset({page_sizes.NO_VALID_HOST}))
FILE = 'file'
PAGE_SIZE = 'page_size'


def _large_size(host):
    """Get the smallest size in KiB of large pages for guests, or None."""
    return min(page_sizes.large(host), default=None)


class _BaseTraitTest(on_host.BaseOnHostTest):

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        cls.declared = page_sizes.one_of_each_policy(cls.declared)

    def use(self, kind):
        """Choose a host that has a trait.

        :param kind: FILE or PAGE_SIZE
        """
        if kind == PAGE_SIZE and not CONF.mempage.allowed_memory_pagesize:
            self.skipTest('[mempage] allowed_memory_pagesize does not promise '
                          'that hosts have traits for page sizes')
        self.having = self._first(
            lambda host: (host.file_backed if kind == FILE
                          else _large_size(host)),
            'file-backed' if kind == FILE else 'with large pages for guests')
        self.size = (None if kind == FILE
                     else _large_size(self.having.declared))
        self.trait = (policy.TRAIT if kind == FILE
                      else policy.PAGE_SIZE_TRAIT + str(self.size))

    def use_other(self):
        """Choose a host that has not, and takes ordinary guests."""
        self.lacking = self._first(
            lambda host: (not host.file_backed
                          and host.allows(host.small_page_kib)
                          and self.size not in page_sizes.available(host)),
            'without trait %s that takes guests without page size'
            % self.trait)

    def _first(self, condition, what):
        for host in self.hosts:
            if condition(host.declared):
                return host
        self.skipTest('%s declares no host %s' % (self.inventory.path, what))

    def check(self, *cases):
        """Assert what becomes of servers, all requested at the same time.

        :param cases: each is a compute_host.ComputeHost where a server is
            sent, the page size in KiB that it asks for, or None, whether its
            flavor has the trait required, forbidden, or neither (None), and
            whether the trait lets it in. The host itself would take it
            anyway.
        """
        requested = []
        for host, size, needed, accepted in cases:
            flavor = self._flavor(size, needed)
            expected = page_sizes.outcome(
                [host.declared], size, flavor['ram'], page_sizes.Way.HOST,
                self.enforcement()) if accepted else REFUSED
            server = self.request_server(flavor,
                                         hypervisor_hostname=host.name)
            self.addCleanup(self.begin_to_delete, [server])
            requested.append((server, expected))
        for server, expected in requested:
            self.assert_outcome(server, expected)

    def _flavor(self, size, needed):
        extra_specs = {'trait:%s' % self.trait: needed} if needed else {}
        if size:
            extra_specs['hw:mem_page_size'] = str(size)
        return self.create_flavor(extra_specs, self.ram_mib(size))


@ddt.ddt
class TestTraitsInFlavors(_BaseTraitTest):
    """Flavors that require or forbid a trait."""

    @decorators.idempotent_id('ef9a40b1-5e27-4d40-bc3f-6ea12c50b1d5')
    @ddt.data(FILE, PAGE_SIZE)
    def test_required(self, kind):
        """Only a host that has the trait takes the server"""
        self.use(kind)
        self.use_other()
        self.check((self.having, self.size, 'required', True),
                   (self.lacking, None, 'required', False))

    @decorators.idempotent_id('f0ab51c2-6f38-4e51-8d40-7fb23d61c2e6')
    @ddt.data(FILE, PAGE_SIZE)
    def test_forbidden(self, kind):
        """Only a host that has it not takes the server"""
        self.use(kind)
        self.use_other()
        self.check((self.having, self.size, 'forbidden', False),
                   (self.lacking, None, 'forbidden', True))


@decorators.serial
@ddt.ddt
class TestIsolatedAggregates(_BaseTraitTest):
    """Aggregates that keep away who does not require their trait."""

    promises = {
        'isolated_aggregates':
            'does not promise that nova-scheduler has [scheduler] '
            'enable_isolated_aggregate_filtering'}

    @decorators.idempotent_id('01bc62d3-7049-4f62-9e51-80c34e72d3f7')
    @ddt.data(FILE, PAGE_SIZE)
    def test_isolated(self, kind):
        """Who does not ask for what is special here goes elsewhere"""
        self.use(kind)
        client = self.os_admin.aggregates_client
        aggregates.remove_left(client)
        self.useFixture(aggregates.Aggregate(
            client, [self.services.host_of(self.having.name)],
            {'trait:%s' % self.trait: 'required'}))
        self.check((self.having, self.size, None, False),
                   (self.having, self.size, 'required', True))
