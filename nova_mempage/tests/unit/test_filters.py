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

from unittest import mock

import ddt
import fixtures
from nova import objects
from nova.scheduler import request_filter
from oslotest import base

from nova_mempage import filters
from nova_mempage import policy
from nova_mempage import prefilter
from nova_mempage import report
from tests.unit import test_pages

objects.register_all()

HOST = ((4, 1000, 0), (2048, 100, 0), (1048576, 4, 0))
ONLY_2M = ((4, 1000, 0), (2048, 100, 0), (1048576, 0, 0))
RESERVED_1G = ((4, 1000, 0), (2048, 100, 0), (1048576, 4, 4))
NO_HUGE = ((4, 1000, 0), (2048, 0, 0), (1048576, 0, 0))
LARGE_ONLY = ((4, 0, 0), (2048, 100, 0), (1048576, 4, 0))
KIB_64 = ((64, 1000, 0), (2048, 100, 0))

SIZES = {'small': -1, 'large': -2, 'any': -3}


class FakeHostState:
    """What the filter looks at of nova.scheduler.host_manager.HostState."""

    def __init__(self, aggregates, topology, stats=None):
        self.host = 'host'
        self.aggregates = aggregates
        self.numa_topology = topology
        self.stats = stats


def host_state(values, *cells):
    aggregates = [
        objects.Aggregate(
            name='agg%d' % number,
            metadata={} if value is None else {'MemoryBacking': value})
        for number, value in enumerate(values)]
    topology = objects.NUMATopology(
        cells=[test_pages.cell(*pages) for pages in cells])
    return FakeHostState(aggregates, topology if cells else None)


def request(page_size, numa=True):
    """Make a request for 'small', 'large', 'any', KiB or None."""
    topology = objects.InstanceNUMATopology(cells=[
        objects.InstanceNUMACell(
            id=0, cpuset={0}, pcpuset=set(), memory=512,
            pagesize=SIZES.get(page_size, page_size))])
    return objects.RequestSpec(
        numa_topology=topology if numa else None, scheduler_hints={})


@ddt.ddt
class MemoryPageSizeFilterTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova.scheduler.request_filter.ALL_REQUEST_FILTERS', []))
        self.filter = filters.MemoryPageSizeFilter()

    @ddt.unpack
    @ddt.data(
        # refuses no page size, refuses one, request, passes
        (False, False, None, True), (False, False, 2048, True),
        (True, False, None, False), (True, False, 2048, True),
        (True, False, 'small', True), (True, False, 'any', True),
        (False, True, None, True), (False, True, 2048, False),
        (False, True, 'small', False))
    def test_host(self, no_page_size, page_size, asked, passes):
        state = FakeHostState([], None, report.stats(
            policy.Policy(no_page_size, page_size), ['any']))
        self.assertEqual(passes, [state] == list(
            self.filter.filter_all([state], request(asked))))
        self.assertEqual(
            passes, self.filter.host_passes(state, request(asked)))

    @ddt.data(None, {}, {'num_instances': '1'})
    def test_host_without_the_driver_passes(self, stats):
        self.assertTrue(self.filter.host_passes(
            FakeHostState([], None, stats), request(None, numa=False)))

    def test_rebuild_passes(self):
        state = FakeHostState([], None, report.stats(
            policy.Policy(no_page_size=True), ['large']))
        spec = request(None)
        spec.scheduler_hints = {'_nova_check_type': ['rebuild']}
        self.assertEqual([state], list(self.filter.filter_all([state], spec)))

    def test_brings_the_pre_filter_once(self):
        filters.MemoryPageSizeFilter()
        self.assertEqual([prefilter.memory_page_size_filter],
                         request_filter.ALL_REQUEST_FILTERS)


@ddt.ddt
class AggregateMemoryBackingFilterTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.filter = filters.AggregateMemoryBackingFilter()

    def _passes(self, state, spec):
        """Ask as the scheduler does, and as for a single host."""
        passes = [state] == list(self.filter.filter_all([state], spec))
        self.assertEqual(passes, self.filter.host_passes(state, spec))
        return passes

    @ddt.unpack
    @ddt.data(
        # metadata, request, pages of the host, passes
        (None, None, HOST, True), (None, 'any', HOST, True),
        ('small', None, HOST, True), ('small', 'small', HOST, True),
        ('small', 4, HOST, True), ('small', 2048, HOST, False),
        ('small', 'large', HOST, False), ('small', 'any', HOST, False),
        ('small', 'any', NO_HUGE, True),
        ('large', None, HOST, False), ('large', 'small', HOST, False),
        ('large', 4, HOST, False), ('large', 2048, HOST, True),
        ('large', 1048576, HOST, True), ('large', 'large', HOST, True),
        ('large', 'any', HOST, False), ('large', 'any', LARGE_ONLY, True),
        ('large', None, LARGE_ONLY, False),
        ('4', None, HOST, True), ('4', 'small', HOST, True),
        ('4', 4, HOST, True), ('4', 2048, HOST, False),
        ('4', None, KIB_64, False),
        ('2048', 2048, HOST, True), ('2048', 1048576, HOST, False),
        ('2048', 'large', HOST, False), ('2048', 'large', ONLY_2M, True),
        ('2048', 'large', RESERVED_1G, True), ('2048', 'any', ONLY_2M, False),
        ('2048', 'large', NO_HUGE, False), ('2048', None, HOST, False),
        ('1048576', 'large', HOST, False), ('1048576', 1048576, HOST, True),
        ('2048,1048576', 'large', HOST, True),
        ('2048,1048576', 'any', LARGE_ONLY, True),
        ('small,large', 'any', HOST, True), ('small,large', None, HOST, True),
        ('4,2048,1048576', 'any', HOST, True),
        ('small,2048', 'any', ONLY_2M, True), ('small,2048', None, HOST, True),
        ('2MB', 2048, HOST, True), ('2MB, 1GB', 'large', HOST, True),
        (' large ', 2048, HOST, True), ('large,', None, HOST, False),
        ('any', 'any', HOST, True), ('large,any', None, HOST, True),
        # The smallest size of other architectures.
        ('small', 64, KIB_64, True), ('large', 64, KIB_64, False),
        ('64', None, KIB_64, True),
        # A size that the host does not know.
        ('large', 64, HOST, False))
    def test_one_aggregate(self, value, page_size, pages, passes):
        self.assertEqual(passes, self._passes(
            host_state([value], pages), request(page_size)))

    @ddt.data('small', '4')
    def test_guest_without_numa_topology_counts_as_small(self, value):
        self.assertTrue(self._passes(
            host_state([value], HOST), request(None, numa=False)))
        self.assertFalse(self._passes(
            host_state(['large'], HOST), request(None, numa=False)))

    @ddt.unpack
    @ddt.data((['small', 'large'], 'any', True),
              (['2048', '1048576'], 'large', True),
              (['2048', None], 'large', False),
              (['2048', None], 2048, True),
              ([None, None], 'any', True),
              ([], 'any', True))
    def test_aggregates_add_up(self, values, page_size, passes):
        self.assertEqual(passes, self._passes(
            host_state(values, HOST), request(page_size)))

    def test_all_cells_of_the_host_count(self):
        self.assertFalse(self._passes(
            host_state(['2048'], ONLY_2M, HOST), request('large')))
        self.assertTrue(self._passes(
            host_state(['2048'], ONLY_2M, NO_HUGE), request('large')))

    @ddt.unpack
    @ddt.data(('small', None, True), ('large', 'large', True),
              ('2048', 2048, True), ('2048', 'large', False),
              ('4', None, False))
    def test_host_that_reports_no_pages(self, value, page_size, passes):
        """Only what needs no knowledge of the host is allowed there."""
        self.assertEqual(passes, self._passes(
            host_state([value]), request(page_size)))

    @ddt.data('huge', '', ',', '0', 'large,,4', '2 pages')
    def test_unintelligible_value(self, value):
        """The host is refused, and the log says why, once."""
        state = host_state(['large', value], HOST)
        for _ in range(3):
            self.assertFalse(self._passes(state, request(2048)))
        self.assertEqual(1, self.log.output.count('get no guests'))
        self.assertIn("aggregate 'agg1'", self.log.output)
        self.assertIn("MemoryBacking = '%s'" % value, self.log.output)

    def test_each_unintelligible_value_is_logged(self):
        for values in (['huge'], ['tiny'], ['huge']):
            self._passes(host_state(values, HOST), request(4))
        self.assertEqual(2, self.log.output.count('get no guests'))

    @ddt.unpack
    @ddt.data(
        # Megabits: 256 KiB
        (['2Mb'], 1), (['2Mb', '3'], 2), (['2Mb', 'small'], 0),
        (['2048'], 0), (['1048576'], 0), (['2Mb,2MB'], 0))
    def test_sizes_that_no_host_knows_are_logged_once(self, values, logged):
        self.logged = self.useFixture(fixtures.MockPatchObject(
            filters.LOG, 'error')).mock
        for size in 'small', 64, 4:
            for cells in [HOST], [HOST, HOST], [NO_HUGE]:
                self.filter.host_passes(host_state(values, *cells),
                                        request(size))
        self.assertEqual(logged, self.logged.call_count)

    def test_what_is_logged_of_unknown_sizes(self):
        log = self.useFixture(fixtures.FakeLogger())
        self.filter.host_passes(host_state(['2Mb'], HOST), request(2048))
        self.assertIn("aggregate 'agg0' gets no guests: its metadata "
                      "MemoryBacking = '2Mb' allows pages of 256 KiB, and the "
                      'host knows pages of 4, 2048, 1048576 KiB only.',
                      log.output)

    def test_list_of_hosts(self):
        states = [host_state(['large'], HOST), host_state(['small'], HOST),
                  host_state([None], HOST)]
        self.assertEqual(
            states[1:],
            list(self.filter.filter_all(states, request(None, numa=False))))

    def test_request_is_read_once_for_all_hosts(self):
        states = [host_state([value], HOST) for value in ('large', 'small')]
        spec = request(2048)
        with mock.patch.object(filters, '_request',
                               wraps=filters._request) as read:
            self.assertEqual(states[:1],
                             list(self.filter.filter_all(states, spec)))
        read.assert_called_once_with(spec)

    def test_rebuild_passes(self):
        states = [host_state(['large'], HOST)]
        spec = request(None)
        spec.scheduler_hints = {'_nova_check_type': ['rebuild']}
        self.assertEqual(states, list(self.filter.filter_all(states, spec)))

    def test_only_the_first_of_several_instances_is_filtered(self):
        self.assertTrue(self.filter.run_filter_for_index(0))
        self.assertFalse(self.filter.run_filter_for_index(1))
