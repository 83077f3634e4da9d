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

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import backing_trait
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import page_size_outcomes

CONF = config.CONF
REFUSED = page_sizes.Outcome({}, frozenset({page_sizes.NO_VALID_HOST}))
FILE = 'file'
PAGE_SIZE = 'page_size'
HAVING = {FILE: which.file_backed, PAGE_SIZE: which.large_pages}


class _BaseTraitTest(page_size_outcomes.BasePageSizeTest):

    may_skip = (observed.NO_TRAIT,)

    def use(self, kind):
        """Choose a host that has a trait.

        :param kind: FILE or PAGE_SIZE
        """
        if kind == PAGE_SIZE and not CONF.mempage.allowed_memory_pagesize:
            self.skipTest(joined.lacking('allowed_memory_pagesize'))
        self.having = self.first(HAVING[kind])
        self.size = (None if kind == FILE
                     else min(page_sizes.large(self.having.declared)))
        self.trait = (traits.FILE_BACKED if kind == FILE
                      else traits.PAGE_SIZE + str(self.size))

    def use_other(self):
        """Choose a host that has not, and takes ordinary guests."""
        lacks_size = which.Condition(
            lambda host, start: self.size not in page_sizes.available(host),
            after=('without trait %s' % self.trait,))
        self.lacking = self.first(
            ~which.file_backed & which.no_page_size & lacks_size)

    def skip_unless_reported(self):
        """Skip the test if no host can have the trait that it is about."""
        if self.trait == traits.FILE_BACKED:
            backing_trait.skip_unless_reported(self)

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
            server = self.request_server(host, flavor)
            self.addCleanup(self.begin_to_delete, [server])
            requested.append((server, expected))
        for server, expected in requested:
            self.assert_outcome(server, expected)

    def _flavor(self, size, needed):
        extra_specs = {'trait:%s' % self.trait: needed} if needed else {}
        return self.create_flavor(extra_specs, self.ram_mib(size),
                                  request=size)


@ddt.ddt
class TestTraitsInFlavors(_BaseTraitTest):
    """Flavors that require or forbid a trait."""

    take = which.one_of_each_policy

    @decorators.idempotent_id('ef9a40b1-5e27-4d40-bc3f-6ea12c50b1d5')
    @ddt.data(FILE, PAGE_SIZE)
    def test_required(self, kind):
        """Only a host that has the trait takes the server"""
        self.use(kind)
        self.use_other()
        self.skip_unless_reported()
        self.check((self.having, self.size, 'required', True),
                   (self.lacking, None, 'required', False))

    @decorators.idempotent_id('f0ab51c2-6f38-4e51-8d40-7fb23d61c2e6')
    @ddt.data(FILE, PAGE_SIZE)
    def test_forbidden(self, kind):
        """Only a host that has it not takes the server"""
        self.use(kind)
        self.use_other()
        self.skip_unless_reported()
        self.check((self.having, self.size, 'forbidden', False),
                   (self.lacking, None, 'forbidden', True))


@ddt.ddt
class TestIsolatedAggregates(_BaseTraitTest):
    """Aggregates that keep away who does not require their trait."""

    about = which.file_backed | which.large_pages
    take = (which.among(which.file_backed, which.first)
            + which.among(which.large_pages, which.first))
    alone_on = which.each
    promises = ('isolated_aggregates',)

    @decorators.idempotent_id('01bc62d3-7049-4f62-9e51-80c34e72d3f7')
    @ddt.data(FILE, PAGE_SIZE)
    def test_isolated(self, kind):
        """Who does not ask for what is special here goes elsewhere"""
        self.use(kind)
        self.skip_unless_reported()
        client = self.os_admin.aggregates_client
        service = self.services.host_of(self.having.name)
        aggregates.remove_left_of(client, [service])
        self.useFixture(aggregates.Aggregate(
            client, [service],
            {'trait:%s' % self.trait: 'required'}))
        self.check((self.having, self.size, None, False),
                   (self.having, self.size, 'required', True))
