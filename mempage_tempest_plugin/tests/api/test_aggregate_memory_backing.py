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

"""AggregateMemoryBackingFilter passes hosts whose aggregates allow it.

The tests are named after the rows of the specification: AMB1 to AMB6.
"""

import contextlib

from tempest.lib import decorators

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.declared import aggregate_filter
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import page_size_outcomes

HOST = page_sizes.Way.HOST
BY_FILTER = page_sizes.Outcome({}, frozenset({page_sizes.NO_VALID_HOST}))


def _with_unit(size_kib):
    """Write a page size with the largest unit that fits."""
    for unit, kib in ('GB', 1024 * 1024), ('MB', 1024):
        if not size_kib % kib:
            return '%d%s' % (size_kib // kib, unit)
    return '%dKB' % size_kib


class TestAggregateMemoryBacking(page_size_outcomes.BasePageSizeTest):
    """Hosts that have small and large pages for guests.

    One of them is put in temporary aggregates. What it can do itself is
    everything, so that all refusals are the filter's.
    """

    scope = base.PER_CLOUD
    about = which.small_pages & which.large_pages
    alone_on = which.each
    promises = ('aggregate_memory_backing_filter',)
    may_skip = (observed.IN_AGGREGATES,)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.client = cls.os_admin.aggregates_client
        services = {host: cls.services.host_of(host.name)
                    for host in cls.hosts}
        aggregates.remove_left_of(cls.client, services.values())
        taken = aggregates.hosts_with(cls.client, aggregate_filter.KEY)
        free = [host for host in cls.hosts if services[host] not in taken]
        if not free:
            observed.skip(
                cls, observed.IN_AGGREGATES, 'all declared hosts that have '
                'small and large pages for guests')
        cls.host = free[0]
        cls.small = cls.host.declared.small_page_kib
        cls.large = min(page_sizes.large(cls.host.declared))

    def check(self, values, allowed, requests):
        """Assert whom the host takes in aggregates with MemoryBacking.

        :param values: the value of each aggregate; None for one without
        :param allowed: what they allow together, as words and sizes; nothing
            if one of them cannot be understood
        :param requests: list of small, large, any, sizes in KiB, or None
        """
        with contextlib.ExitStack() as there:
            for value in values:
                there.enter_context(aggregates.Aggregate(
                    self.client, [self.services.host_of(self.host.name)],
                    {aggregate_filter.KEY: value} if value else {}))
            self.check_outcomes(
                {self.host: {request: self._expected(request, allowed)
                             for request in requests}}, HOST,
                'in aggregates with %s = %s; does nova-scheduler have '
                'AggregateMemoryBackingFilter in [filter_scheduler] '
                'available_filters and enabled_filters' % (
                    aggregate_filter.KEY, ' and '.join(
                        value or 'nothing' for value in values)))

    def check_sizes(self, write):
        """Assert that of several sizes each is allowed, and no other.

        :param write: function of texts that returns the values of aggregates
        """
        allowed = page_size_outcomes.forbidding_list(self.host)
        self.check(write([str(size) for size in allowed]), allowed, [
            None, page_sizes.ANY, page_sizes.LARGE, self.small,
            *page_sizes.in_pools(self.host.declared)])

    def _expected(self, request, allowed):
        declared = self.host.declared
        if not aggregate_filter.passes(declared, request, allowed):
            return BY_FILTER
        return self.outcome(request, declared, HOST)

    @decorators.idempotent_id('45f0a617-b48d-43a6-9295-c40782b6173b')
    def test_amb1_unset(self):
        """An aggregate that says nothing, or any, allows everything"""
        self.check([None], ('any',), [None, page_sizes.LARGE])
        self.check(['any'], ('any',), [None, page_sizes.LARGE])

    @decorators.idempotent_id('5601b728-c59e-44b7-a3a6-d51893c7284c')
    def test_amb2_small(self):
        """Small passes requests for small pages, and for none"""
        self.check(['small'], ('small',), [
            None, page_sizes.SMALL, self.small, page_sizes.ANY,
            page_sizes.LARGE, self.large])

    @decorators.idempotent_id('6712c839-d6af-45c8-b4b7-e629a4d8395d')
    def test_amb3_large(self):
        """Large passes requests for large pages of any size"""
        self.check(['large'], ('large',), [
            None, page_sizes.SMALL, self.small, page_sizes.ANY,
            page_sizes.LARGE, self.large])

    @decorators.idempotent_id('7823d94a-e7b0-46d9-85c8-f73ab5e94a6e')
    def test_amb4_number(self):
        """A size in KiB passes just that"""
        self.check([str(self.large)], (self.large,),
                   [None, page_sizes.LARGE, self.large, self.small])

    @decorators.idempotent_id('8934ea5b-f8c1-47ea-96d9-084bc6fa5b7f')
    def test_amb4_list(self):
        """Several values pass each of them, and no other"""
        self.check(['%d, large' % self.small], (self.small, 'large'),
                   [None, page_sizes.ANY, self.large])
        self.check_sizes(lambda texts: [','.join(texts)])

    @decorators.idempotent_id('9a45fb6c-09d2-48fb-a7ea-195cd70b6c80')
    def test_amb4_several_aggregates(self):
        """What several aggregates of a host allow adds up, to no more"""
        self.check(['small', 'large', None], ('small', 'large'),
                   [None, page_sizes.ANY, self.large])
        self.check_sizes(list)

    @decorators.idempotent_id('ab560c7d-1ae3-490c-b8fb-2a6de81c7d91')
    def test_amb5_image(self):
        """What the image asks for counts where the flavor has a choice"""
        image = self.create_image(hw_mem_page_size='small')
        for value, expected in (
                ('large', BY_FILTER),
                ('small', self._expected(page_sizes.SMALL, ('small',)))):
            with aggregates.Aggregate(
                    self.client, [self.services.host_of(self.host.name)],
                    {aggregate_filter.KEY: value}):
                server = self.request_server(
                    self.host, self.flavor_for(page_sizes.ANY), image)
                self.addCleanup(self.begin_to_delete, [server])
                self.assert_outcome(server, expected)

    @decorators.idempotent_id('bc671d8e-2bf4-4a1d-890c-3b7ef92d8ea2')
    def test_amb6_units(self):
        """2MB is 2048"""
        self.check([_with_unit(self.large)], (self.large,),
                   [None, self.large])

    @decorators.idempotent_id('cd782e9f-3c05-4b2e-9a1d-4c8f0a3e9fb3')
    def test_unintelligible(self):
        """A value that cannot be understood keeps everything away"""
        self.check(['medium'], (), [None, page_sizes.LARGE, page_sizes.ANY])

    @decorators.idempotent_id('de893fa0-4d16-4c3f-ab2e-5d901b4fa0c4')
    def test_unintelligible_beside_others(self):
        """An aggregate that can be understood does not make up for it"""
        self.check(['small,large', 'medium'], (), [None, page_sizes.LARGE])
