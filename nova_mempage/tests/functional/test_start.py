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

"""What nova-compute does with the options when it starts."""

from unittest import mock

import ddt
from nova import exception

from nova_mempage import report
from tests.functional import base


@ddt.ddt
class RefusalToStartTest(base.TestCase):

    @ddt.unpack
    @ddt.named_data(
        ('empty', [], 'the list is empty'),
        ('unknown_word', ['large', 'huge'], "'huge' is none of small, large"),
        ('zero', ['0'], "'0' is none of small, large"),
        ('unknown_unit', ['2 pages'], "'2 pages' is none of small, large"),
        ('sizes_that_the_host_lacks', ['64', '512MB'],
         'this host knows no such pages. The sizes that it knows, in KiB: 4, '
         '2048, 1048576.'))
    def test_value(self, sizes, reason):
        error = self.assertRaises(
            exception.InvalidConfiguration, self.start_refused, sizes)
        self.assertIn('allowed_memory_pagesize', str(error))
        self.assertIn(reason, str(error))

    def start_refused(self, sizes, **kwargs):
        # start_host takes no sizes for the default.
        self.allow(*sizes)
        self.start_compute(hostname='first',
                           host_info=self.host_info(**kwargs))

    def test_large_without_large_pages(self):
        error = self.assertRaises(
            exception.InvalidConfiguration, self.start_refused, ['large'],
            huge=())
        self.assertIn('this host knows no such pages', str(error))

    def test_one_value_for_a_mixed_fleet(self):
        """What runs on a host without 1 GiB pages stays manageable."""
        self.start_host('first', '2048', '1048576', huge=((2048, 1024),))
        self.assertIn('this host knows no pages of 1048576 KiB, only of 4, '
                      '2048 KiB', self.log())
        self.assertEqual(2048, self.granted(self.boot('large')))

    def test_large_with_empty_pools_starts_with_a_warning(self):
        self.start_host('first', 'large', huge=((2048, 0), (1048576, 0)))
        self.assertIn('No guest can start here', self.log())

    def test_size_of_one_cell_only(self):
        info = self.host_info(cells=2)
        info.numa_topology.cells[1].mempages.pop()
        self.allow('1048576')
        self.start_compute(hostname='first', host_info=info)
        self.assertEqual({0: {4: (0, 0), 2048: (0, 0), 1048576: (2, 0)},
                          1: {4: (0, 0), 2048: (0, 0)}},
                         self.reported('first'))


class WordsTest(base.TestCase):
    """What nova-compute says when it starts."""

    def test_what_is_in_effect(self):
        self.start_host('first', '2048')
        for text in ('is in effect: [libvirt] allowed_memory_pagesize = 2048.',
                     'Memory in pages that guests do not get: 3072 MiB.',
                     'Guests that ask for no page size: refused.',
                     'Guests that ask for one: accepted.'):
            self.assertIn(text, self.log())

    def test_nothing_is_withheld(self):
        self.start_host('first')
        self.assertIn('guests do not get: 0 MiB. Guests that ask for no page '
                      'size: accepted.', self.log())

    def test_untested_release(self):
        with mock.patch('nova_mempage.series.version', return_value='35.0.0'):
            self.start_host('first')
        self.assertIn('nova-mempage is tested with Nova 30 to 34, and this is '
                      'Nova 35.0.0', self.log())

    def test_tested_release(self):
        self.start_host('first')
        self.assertNotIn('nova-mempage is tested with', self.log())


class FileBackedTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.set_file_backed(True)
        self.flags(ram_allocation_ratio=1.0, reserved_host_memory_mb=0)

    def test_large_only_is_refused(self):
        error = self.assertRaises(
            exception.InvalidConfiguration, self.start_host, 'first', 'large')
        self.assertIn('no guest could run here', str(error))

    def test_small_only_runs_guests_without_page_size(self):
        self.start_host('first', 'small')
        self.assertEqual('first', self.host_of(self.boot()))

    def test_no_page_size_is_advertised(self):
        self.start_host('first')
        self.assertEqual({report.REFUSED}, self.traits_of('first'))
        self.assertEqual({0: {4: (1024 * base.MIB_4K, 0), 2048: (0, 0),
                              1048576: (0, 0)}}, self.reported('first'))

    def test_file_backed_memory_is_reported(self):
        """By Nova itself since 31; by the driver before."""
        self.start_host('first')
        self.assertIn('COMPUTE_MEM_BACKING_FILE', self._get_provider_traits(
            self.compute_rp_uuids['first']))

    def test_file_backed_memory_is_not_reported_any_more(self):
        self.start_host('first')
        self.set_file_backed(False)
        self.restart_compute_service('first')
        self.assertNotIn('COMPUTE_MEM_BACKING_FILE', self._get_provider_traits(
            self.compute_rp_uuids['first']))

    def test_guests_with_page_sizes_are_listed(self):
        self.set_file_backed(False)
        self.start_host('first')
        server = self.boot('2048')
        self.set_file_backed(True)
        self.restart_compute_service('first')
        self.assertIn('Guest %s (%s, active, pages of 2048 KiB) could not come'
                      % (server['id'], server['name']), self.log())


class ReservedTest(base.TestCase):

    def test_reserved_huge_pages(self):
        """Reservations of allowed sizes stay; the others go with the pages."""
        self.flags(reserved_huge_pages=[
            {'node': '0', 'size': '2048', 'count': '24'},
            {'node': '0', 'size': '1GB', 'count': '1'},
            {'node': '1', 'size': '4', 'count': '100'}])
        self.start_host('first', '2048', cells=2)
        self.assertEqual(
            {0: {4: (0, 0), 2048: (1024, 24), 1048576: (0, 0)},
             1: {4: (0, 0), 2048: (1024, 0), 1048576: (0, 0)}},
            self.reported('first'))


class TraitsTest(base.TestCase):

    # Traits are to do without the filter.
    ADDITIONAL_FILTERS = ['NUMATopologyFilter']

    def sizes(self, *suffixes):
        return {'CUSTOM_MEMORY_PAGE_SIZE_' + suffix for suffix in suffixes}

    def test_one_for_each_allowed_size(self):
        self.start_host('first', 'large')
        self.assertEqual(self.sizes('2048', '1048576', 'REQUIRED'),
                         self.traits_of('first'))

    def test_none_for_sizes_without_pages(self):
        self.start_host('first', huge=((2048, 16), (1048576, 0)))
        self.assertEqual(self.sizes('4', '2048'), self.traits_of('first'))

    def test_follow_the_option(self):
        self.start_host('first', 'large')
        self.allow('small')
        self.restart_compute_service('first')
        self.assertEqual(self.sizes('4'), self.traits_of('first'))

    def test_what_the_host_does_not_know_any_more_is_withdrawn(self):
        """As with another kernel; what operators have set stays."""
        self.start_host('first')
        uuid = self.compute_rp_uuids['first']
        kept = self._get_provider_traits(uuid)
        others = self.sizes('16777216') | {'CUSTOM_MEM_PAGE_SIZE_2048'}
        self._create_trait('CUSTOM_OF_THE_OPERATOR')
        for trait in others:
            self._create_trait(trait)
        self._set_provider_traits(
            uuid, [*kept, *others, 'CUSTOM_OF_THE_OPERATOR'])
        self.restart_compute_service('first')
        self.assertEqual(self.sizes('4', '2048', '1048576'),
                         self.traits_of('first'))
        self.assertIn('CUSTOM_OF_THE_OPERATOR',
                      self._get_provider_traits(uuid))

    def test_flavor_selects_hosts(self):
        self.start_host('first', 'small')
        self.start_host('second')
        server = self._create_server(
            flavor_id=self.flavor(
                'large', **{'trait:CUSTOM_MEMORY_PAGE_SIZE_2048': 'required'}),
            networks='none')
        self.assertEqual('second', self.host_of(server))

    def test_isolated_aggregate_keeps_others_off(self):
        """Stock filters do the job of the guards, as documented."""
        self.flags(enable_isolated_aggregate_filtering=True,
                   group='scheduler')
        self.start_host('first', '2048')
        self.start_host('second', 'small')
        aggregate = self.api.post_aggregate({'aggregate': {'name': 'huge'}})
        self.api.add_host_to_aggregate(aggregate['id'], 'first')
        self.api.post_aggregate_action(aggregate['id'], {
            'set_metadata': {'metadata': {
                'trait:CUSTOM_MEMORY_PAGE_SIZE_2048': 'required'}}})
        self.assertEqual('second', self.host_of(self.boot()))
        self.assertNotIn('ask for no memory page size',
                         self.log())
