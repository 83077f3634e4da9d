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

import ddt
from nova import exception

from tests.functional import base


@ddt.ddt
class RefusalToStartTest(base.TestCase):

    @ddt.unpack
    @ddt.named_data(
        ('empty', [], 'the list is empty'),
        ('unknown_word', ['large', 'huge'], "'huge' is none of small, large"),
        ('zero', ['0'], "'0' is none of small, large"),
        ('unknown_unit', ['2 pages'], "'2 pages' is none of small, large"),
        ('size_that_the_host_lacks', ['small', '64'],
         'no NUMA node of this host knows pages of 64 KiB. The sizes that '
         'this host knows, in KiB: 4, 2048, 1048576.'))
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
        self.assertIn('this host knows no large pages', str(error))

    def test_large_with_empty_pools_starts_with_a_warning(self):
        self.start_host('first', 'large', huge=((2048, 0), (1048576, 0)))
        self.assertIn('No guest can start here', self.stdlog.logger.output)

    def test_size_of_one_cell_only(self):
        info = self.host_info(cells=2)
        info.numa_topology.cells[1].mempages.pop()
        self.allow('1048576')
        self.start_compute(hostname='first', host_info=info)
        self.assertEqual({0: {4: (0, 0), 2048: (0, 0), 1048576: (2, 0)},
                          1: {4: (0, 0), 2048: (0, 0)}},
                         self.reported('first'))


class FileBackedTest(base.TestCase):

    def setUp(self):
        super().setUp()
        self.flags(file_backed_memory=16384, group='libvirt')
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
        self.assertFalse(
            [trait for trait in self._get_provider_traits(
                self.compute_rp_uuids['first'])
             if trait.startswith('CUSTOM_MEM_PAGE_SIZE')])


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

    def traits(self):
        return {trait for trait in self._get_provider_traits(
            self.compute_rp_uuids['first'])
            if trait.startswith('CUSTOM_MEM_PAGE_SIZE')}

    def test_one_for_each_allowed_size(self):
        self.start_host('first', 'large')
        self.assertEqual({'CUSTOM_MEM_PAGE_SIZE_2048',
                          'CUSTOM_MEM_PAGE_SIZE_1048576'}, self.traits())

    def test_none_for_sizes_without_pages(self):
        self.start_host('first', huge=((2048, 16), (1048576, 0)))
        self.assertEqual({'CUSTOM_MEM_PAGE_SIZE_4',
                          'CUSTOM_MEM_PAGE_SIZE_2048'}, self.traits())

    def test_follow_the_option(self):
        self.start_host('first', 'large')
        self.allow('small')
        self.restart_compute_service('first')
        self.assertEqual({'CUSTOM_MEM_PAGE_SIZE_4'}, self.traits())

    def test_flavor_selects_hosts(self):
        self.start_host('first', 'small')
        self.start_host('second')
        server = self._create_server(
            flavor_id=self.flavor(
                'large', **{'trait:CUSTOM_MEM_PAGE_SIZE_2048': 'required'}),
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
                'trait:CUSTOM_MEM_PAGE_SIZE_2048': 'required'}}})
        self.assertEqual('second', self.host_of(self.boot()))
        self.assertNotIn('asks for no memory page size',
                         self.stdlog.logger.output)
