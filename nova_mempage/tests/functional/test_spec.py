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

"""The rows of the specification: what a host reports, and who gets there."""

import ddt
from nova import context
from nova import objects

from nova_mempage import backing
from tests.functional import base

SMALL = 1024 * base.MIB_4K
STOCK = {4: (SMALL, 0), 2048: (1024, 0), 1048576: (2, 0)}


def withheld(*sizes):
    return {size: (0, 0) if size in sizes else pages
            for size, pages in STOCK.items()}


@ddt.ddt
class AllowedMemoryPagesizeTest(base.TestCase):

    @ddt.unpack
    @ddt.named_data(
        ('any_is_the_default_and_withholds_nothing', ['any'], STOCK),
        ('small_reports_4k_only', ['small'], withheld(2048, 1048576)),
        ('large_reports_2m_and_1g_only', ['large'], withheld(4)),
        ('number_4', ['4'], withheld(2048, 1048576)),
        ('number_2048', ['2048'], withheld(4, 1048576)),
        ('number_1048576', ['1048576'], withheld(4, 2048)),
        ('list_small_large', ['small', 'large'], STOCK),
        ('list_of_numbers', ['2048', '1048576'], withheld(4)),
        ('list_small_and_number', ['small', '2048'], withheld(1048576)),
        ('any_wins_over_others', ['small', 'any'], STOCK),
        ('number_with_unit', ['2MB'], withheld(4, 1048576)))
    def test_reported(self, sizes, expected):
        """A host reports no pages of the sizes that are not allowed."""
        self.start_host('first', *sizes, cells=2)
        self.assertEqual({0: expected, 1: expected}, self.reported('first'))

    def test_any_reports_what_stock_nova_reports(self):
        """Byte for byte."""
        self.flags(reserved_huge_pages=[
            {'node': '0', 'size': '2048', 'count': '24'}])
        self.start_host('first', 'any', cells=2)
        self.flags(compute_driver='libvirt.LibvirtDriver')
        self.start_host('second', 'small', cells=2)
        self.assertEqual(
            *(objects.ComputeNode.get_by_nodename(
                context.get_admin_context(), host).numa_topology
              for host in ('first', 'second')))

    @ddt.unpack
    @ddt.named_data(
        ('small_host_small_guest', ['small'], 'small', 4),
        ('small_host_4_guest', ['small'], '4', 4),
        ('small_host_any_guest', ['small'], 'any', 4),
        ('small_host_plain_guest', ['small'], None, None),
        ('large_host_large_guest', ['large'], 'large', 1048576),
        ('large_host_2048_guest', ['large'], '2048', 2048),
        ('large_host_1g_guest', ['large'], '1GB', 1048576),
        ('large_host_any_guest', ['large'], 'any', 1048576),
        ('2048_host_large_guest', ['2048'], 'large', 2048),
        ('2048_host_any_guest', ['2048'], 'any', 2048),
        ('any_host_plain_guest', ['any'], None, None),
        ('any_host_large_guest', ['any'], 'large', 1048576))
    def test_accepted(self, sizes, page_size, expected):
        """A guest gets a page size that the host allows."""
        self.start_host('first', *sizes)
        server = self.boot(page_size)
        self.assertEqual(expected, self.granted(server))

    @ddt.unpack
    @ddt.named_data(
        ('small_host_large_guest', ['small'], 'large'),
        ('small_host_2048_guest', ['small'], '2048'),
        ('large_host_small_guest', ['large'], 'small'),
        ('large_host_4_guest', ['large'], '4'),
        ('large_host_plain_guest', ['large'], None),
        ('2048_host_small_guest', ['2048'], 'small'))
    def test_refused(self, sizes, page_size):
        """A guest that no host has allowed pages for is not started."""
        self.start_host('first', *sizes)
        server = self.boot(page_size, expected_state='ERROR')
        self.assertIsNone(self.host_of(server))

    def test_large_guest_runs_on_hugepages(self):
        """What is accounted as large is large: the XML says so."""
        self.start_host('first', 'large')
        server = self.boot('2048')
        connection = self.computes['first'].driver._host.get_connection()
        xml = connection.lookupByUUIDString(server['id']).XMLDesc(0)
        self.assertEqual({2048}, backing.page_sizes(xml))
