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

import ddt
from nova import objects
from oslotest import base

from nova_mempage import pages

objects.register_all()


def cell(*entries, cell_id=0):
    """Make a NUMA cell from (size in KiB, total, reserved)."""
    return objects.NUMACell(
        id=cell_id, cpuset=set(), pcpuset=set(), memory=1024, cpu_usage=0,
        memory_usage=0, pinned_cpus=set(), siblings=[],
        mempages=[objects.NUMAPagesTopology(
            size_kb=size, total=total, used=0, reserved=reserved)
            for size, total, reserved in entries])


def reported(host_cell):
    return [(page.size_kb, page.total, page.reserved)
            for page in host_cell.mempages]


@ddt.ddt
class ParseSizeTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data(('4', 4), ('2048', 2048), (' 2048 ', 2048), ('1048576', 1048576),
              ('4KB', 4), ('2048KB', 2048), ('2MB', 2048), ('2MiB', 2048),
              ('1GB', 1048576), ('1GiB', 1048576), ('2097152B', 2048))
    def test_size(self, text, size):
        self.assertEqual(size, pages.parse_size(text))

    @ddt.data('', 'huge', '0', '-4', '2M B', '0MB', '4.5', '1B')
    def test_no_size(self, text):
        self.assertRaises(ValueError, pages.parse_size, text)


@ddt.ddt
class ParseTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data((['any'], True, True, set()),
              (['small'], True, False, set()),
              (['large'], False, True, set()),
              (['small', 'large'], True, True, set()),
              (['4'], False, False, {4}),
              (['2048', '1GB'], False, False, {2048, 1048576}),
              (['large', '4'], False, True, {4}),
              (['2048', 'any'], True, True, {2048}),
              (['large', ''], False, True, set()),
              ([' small '], True, False, set()))
    def test_list(self, values, small, large, sizes):
        self.assertEqual(pages.Allowed(small, large, frozenset(sizes)),
                         pages.parse(values))

    @ddt.unpack
    @ddt.data(([], 'the list is empty'),
              ([''], "'' is none of"),
              (['large', 'huge'], "'huge' is none of"),
              (['any', 'huge'], "'huge' is none of"),
              (['Large'], "'Large' is none of"))
    def test_refused(self, values, reason):
        error = self.assertRaises(ValueError, pages.parse, values)
        self.assertIn(reason, str(error))


@ddt.ddt
class WithholdTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data(
        (['small'], [(4, 9, 1), (2048, 0, 0), (1048576, 0, 0)]),
        (['large'], [(4, 0, 0), (2048, 8, 2), (1048576, 7, 3)]),
        (['any'], [(4, 9, 1), (2048, 8, 2), (1048576, 7, 3)]),
        (['4'], [(4, 9, 1), (2048, 0, 0), (1048576, 0, 0)]),
        (['2048'], [(4, 0, 0), (2048, 8, 2), (1048576, 0, 0)]),
        (['1048576', 'small'], [(4, 9, 1), (2048, 0, 0), (1048576, 7, 3)]))
    def test_cell(self, allowed, expected):
        host_cell = cell((4, 9, 1), (2048, 8, 2), (1048576, 7, 3))
        pages.withhold([host_cell], pages.parse(allowed))
        self.assertEqual(expected, reported(host_cell))

    def test_small_is_the_smallest_of_the_cell(self):
        """Some architectures know no 4 KiB."""
        host_cell = cell((524288, 8, 0), (64, 9, 0))
        pages.withhold([host_cell], pages.parse(['small']))
        self.assertEqual([(524288, 0, 0), (64, 9, 0)], reported(host_cell))

    def test_cell_without_page_sizes(self):
        host_cell = cell()
        pages.withhold([host_cell], pages.parse(['large']))
        self.assertEqual([], reported(host_cell))

    def test_any_changes_nothing_at_all(self):
        """Not even which fields count as changed."""
        topology = objects.NUMATopology(cells=[cell((4, 9, 1), (2048, 8, 2))])
        before = topology._to_json()
        pages.withhold(topology.cells, pages.parse(['any']))
        self.assertEqual(before, topology._to_json())


@ddt.ddt
class AllowsSmallTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data((['small'], True), (['any'], True), (['4'], True),
              (['large'], False), (['2048'], False), (['large', '4'], True))
    def test_cell(self, allowed, expected):
        self.assertEqual(expected, pages.allows_small(
            [cell((4, 9, 0), (2048, 8, 0))], pages.parse(allowed)))

    def test_all_cells_count(self):
        self.assertFalse(pages.allows_small(
            [cell((4, 9, 0)), cell((64, 9, 0))], pages.parse(['4'])))


@ddt.ddt
class AllowedSizesTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data((['any'], {4, 64, 2048}), (['small'], {4, 64}),
              (['large'], {2048}), (['4', '1048576'], {4}),
              (['1048576'], set()))
    def test_cells(self, allowed, sizes):
        self.assertEqual(sizes, pages.allowed_sizes(
            [cell((4, 9, 0), (2048, 0, 0)), cell((64, 9, 0))],
            pages.parse(allowed)))


class WithheldMibTest(base.BaseTestCase):

    def test_all_cells_count(self):
        before = [cell((4, 512, 0), (2048, 3, 1)), cell((4, 256, 0))]
        after = [cell((4, 0, 0), (2048, 3, 1)), cell((4, 0, 0))]
        self.assertEqual(3, pages.withheld_mib(before, after))
        self.assertEqual(0, pages.withheld_mib(before, before))
