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

from nova_mempage import guests
from nova_mempage import pages
from nova_mempage import policy
from tests.unit import test_pages

CELLS = [test_pages.cell((4, 9, 0), (2048, 8, 0), cell_id=0),
         test_pages.cell((4, 9, 0), (2048, 8, 0), cell_id=1)]
LARGE_ONLY = policy.Policy(no_page_size=True)
FILES = policy.Policy(page_size=True)


def instance(*page_sizes, name='vm', state='active', first_cell=0):
    """Make a guest with a cell for each page size in KiB, None for none."""
    topology = objects.InstanceNUMATopology(cells=[
        objects.InstanceNUMACell(
            id=first_cell + number, cpuset={0}, pcpuset=set(), memory=512,
            pagesize=size)
        for number, size in enumerate(page_sizes)])
    return objects.Instance(
        uuid='5e1f6b58-5e4c-4f6a-9d4b-1f4c8c0a7d11', display_name=name,
        vm_state=state, numa_topology=topology if page_sizes else None)


def violating(found, allowed, refuses=policy.Policy()):
    return guests.violating(found, CELLS, pages.parse(allowed), refuses)


@ddt.ddt
class ViolatingTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data(
        # page sizes by cell, allowed, violates
        ((), ['large'], True), ((), ['small'], False), ((), ['4'], False),
        ((2048,), ['large'], False), ((2048,), ['small'], True),
        ((4,), ['large'], True), ((None,), ['large'], True),
        ((None,), ['small'], False), ((1048576,), ['2048'], True),
        # Cells of a guest may have been given different sizes.
        ((2048, 4), ['large'], True), ((2048, 4), ['small'], True),
        ((2048, 4), ['any'], False), ((2048, 2048), ['2048'], False))
    def test_page_sizes(self, page_sizes, allowed, violates):
        self.assertEqual(violates, bool(violating(
            [instance(*page_sizes)], allowed)))

    @ddt.unpack
    @ddt.data(((), LARGE_ONLY, True), ((2048,), LARGE_ONLY, False),
              ((), FILES, False), ((2048,), FILES, True), ((4,), FILES, True))
    def test_policy(self, page_sizes, refuses, violates):
        self.assertEqual(violates, bool(violating(
            [instance(*page_sizes)], ['any'], refuses)))

    @ddt.data('stopped', 'active', 'paused')
    def test_state_does_not_matter(self, state):
        violation, = violating([instance(state=state)], ['large'])
        self.assertEqual(state, violation.state)

    def test_words(self):
        violation, = violating([instance(2048, 4)], ['large'])
        self.assertEqual(
            '5e1f6b58-5e4c-4f6a-9d4b-1f4c8c0a7d11 (vm, active, pages of 4 and '
            '2048 KiB)', str(violation))

    def test_sorted_by_name(self):
        found = violating([instance(name='b'), instance(name='a')], ['large'])
        self.assertEqual(['a', 'b'], [violation.name for violation in found])

    def test_host_without_numa_nodes(self):
        self.assertEqual([], guests.violating(
            [instance()], [], pages.parse(['large']), policy.Policy()))
