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

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.evidence import pool_counts
from mempage_tempest_plugin.hosts import pools
from tests.plugin import samples


def _survey(free, total=100):
    return samples.host_survey(pools=[
        pools.NodePool(0, 2048, total, free, 0),
        pools.NodePool(1, 2048, 100, 100, 0),
        pools.NodePool(0, 1048576, 2, 2, 0)])


@ddt.ddt
class PoolCountsTest(base.BaseTestCase):

    def test_hosts_of_one_machine_share_its_pools(self):
        taken = pool_counts.taken(
            [('a', 2048, 192), ('b', 2048, 4), ('b', 1048576, 1024),
             ('c', 2048, 2)], {'a': 'one', 'b': 'one', 'c': 'two'})
        self.assertEqual({'one': {2048: 98, 1048576: 1}, 'two': {2048: 1}},
                         taken)

    @ddt.data(
        ({}, _survey(90), []),
        ({2048: 10}, _survey(80), []),
        ({2048: 9}, _survey(80), ['free pages of 2048 KiB']),
        ({2048: 10}, _survey(90), ['free pages of 2048 KiB']),
        # Small pages are in no pool.
        ({4: 1000}, _survey(90), []),
        ({1048576: 1}, _survey(90), ['free pages of 1048576 KiB']),
        ({}, _survey(90, total=99), ['pages of 2048 KiB']))
    @ddt.unpack
    def test_compare(self, pages, survey, wrong):
        comparison = pool_counts.compare(samples.PLAIN, _survey(90), survey,
                                         pages)
        self.assertEqual(wrong, [fact.name for fact
                                 in comparison.disagreements])

    def test_surplus_pages_come_and_go(self):
        surplus = samples.host_survey(pools=[
            pools.NodePool(0, 2048, 110, 90, 10), *_survey(90).pools[1:]])
        self.assertEqual([], pool_counts.compare(
            samples.PLAIN, _survey(90), surplus, {}).disagreements)

    def test_compare_by_node(self):
        host = dataclasses.replace(samples.PLAIN, pools=(
            inventory.DeclaredPool(2048, 64, node=0),))
        comparison = pool_counts.compare(host, _survey(90),
                                         _survey(80, total=99), {2048: 10})
        self.assertEqual(['pages of 2048 KiB on node 0'],
                         [fact.name for fact in comparison.disagreements])


LARGE = dataclasses.replace(samples.LARGE_PAGE, pools=(
    inventory.DeclaredPool(2048, 100),))
WITHHELD = dataclasses.replace(LARGE, allowed_page_sizes=('small',))
ON_NODE = dataclasses.replace(LARGE, pools=(
    inventory.DeclaredPool(2048, 90, node=0, reserved=10),))


@ddt.ddt
class CompareUntakenTest(base.BaseTestCase):

    @ddt.data(
        ([LARGE], 0, []),
        ([LARGE, LARGE], 100, []),
        # Nova takes the pages of both hosts for free.
        ([LARGE, LARGE], 99, ['free pages of 2048 KiB, for guests']),
        # Those who have others are welcome to them.
        ([LARGE, WITHHELD], 0, []),
        ([ON_NODE], 90, []),
        ([ON_NODE], 89, ['free pages of 2048 KiB on node 0, for guests']))
    @ddt.unpack
    def test_compare(self, hosts, free, wrong):
        comparison = pool_counts.compare_untaken(hosts, _survey(free))
        self.assertEqual(wrong, [fact.name for fact
                                 in comparison.disagreements])

    @ddt.data((0, []), (10, []), (11, [
        'free pages of 2048 KiB that nobody has reserved (resv_hugepages), '
        'for guests']))
    @ddt.unpack
    def test_what_a_process_may_take_is_not_for_guests(self, reserved, wrong):
        found = dataclasses.replace(_survey(10), reserved={
            2048: reserved, 1048576: 2})
        self.assertEqual(wrong, [
            fact.name for fact in pool_counts.compare_untaken(
                [LARGE], found).disagreements])
