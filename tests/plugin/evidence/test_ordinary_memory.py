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


"""Tests of memory that pools have, and Nova hands out once more."""

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.evidence import ordinary_memory
from mempage_tempest_plugin.hosts import pools
from tests.plugin import samples

HOST = dataclasses.replace(samples.PLAIN, pools=(
    inventory.DeclaredPool(1048576, 110),))
PROMISED = dataclasses.replace(HOST, memory_mb_without_pools=True)
# 128 GiB, 110 of them in pages of 1 GiB.
RAM = 128 * 1024
SURVEY = samples.host_survey(memory_mib=RAM, pools=[
    pools.NodePool(0, 1048576, 60, 0, 0),
    pools.NodePool(1, 1048576, 55, 3, 5)])


@ddt.ddt
class OrdinaryMemoryTest(base.BaseTestCase):

    def _fact(self, host, reserved):
        [fact] = ordinary_memory.compare(host, SURVEY, RAM, reserved).facts
        return fact

    @ddt.data((HOST, True), (PROMISED, False))
    @ddt.unpack
    def test_pools_are_handed_out(self, host, agrees):
        fact = self._fact(host, 512)
        self.assertEqual(agrees, fact.agrees)
        self.assertEqual('at most %d' % (18 * 1024), fact.expected)
        self.assertTrue(fact.observed.startswith(
            '130560 (a hazard): ' if agrees else '130560: '))
        # All but 18 GiB.
        self.assertIn('reserved_host_memory_mb = 112640 ', fact.observed)

    def test_what_is_said_is_right(self):
        fact = self._fact(PROMISED, 112640)
        self.assertEqual((True, 18 * 1024), (fact.agrees, fact.observed))
        self.assertFalse(self._fact(PROMISED, 112639).agrees)

    @ddt.data(
        (HOST, True),
        (dataclasses.replace(HOST, pools=()), False),
        (dataclasses.replace(HOST, allowed_page_sizes=('large',)), False),
        (dataclasses.replace(HOST, pools=(
            inventory.DeclaredPool(2048, 0, 0, 64),)), True),
        (samples.FILE_BACKED, False))
    @ddt.unpack
    def test_is_at_stake(self, host, expected):
        self.assertEqual(expected, ordinary_memory.is_at_stake(host))

    def test_beyond_small_pages(self):
        found = dataclasses.replace(SURVEY, node_memory={
            0: RAM // 2, 1: RAM // 2})
        # On node 1, 50 GiB are in pages of the pool.
        self.assertEqual((14 + 25) * 1024,
                         ordinary_memory.beyond_small_pages(found))

    def test_beyond_small_pages_where_the_largest_node_has_no_pool(self):
        found = dataclasses.replace(SURVEY, node_memory={0: 8192, 1: 2048},
                                    pools=[pools.NodePool(1, 2048, 9, 0, 0)])
        self.assertIsNone(ordinary_memory.beyond_small_pages(found))
