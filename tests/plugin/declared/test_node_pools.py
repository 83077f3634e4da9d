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
from mempage_tempest_plugin.declared import node_pools
from tests.plugin import samples

GIB = 1048576


def _host(*pools, **changes):
    return dataclasses.replace(samples.PLAIN, pools=tuple(
        inventory.DeclaredPool(*pool) for pool in pools), **changes)


UNEVEN = _host((2048, 64, 0), (2048, 192, 1, 32))
EVEN = _host((2048, 192, 0), (2048, 192, 1))


def _pools(pages, size_kib=2048, reserved=0):
    return node_pools.NodePools(size_kib, dict(enumerate(pages)),
                                {node: reserved for node in range(len(pages))})


@ddt.ddt
class NodePoolsTest(base.BaseTestCase):

    @ddt.data(
        # pages by node, size: RAM of nodes, more than any, more than the
        # least, two cells
        (((64, 192), 2048), [384, 128], 386, 130, (130, 32)),
        (((192, 192), 2048), [384, 384], 386, 386, (384, 96)),
        (((2, 1), GIB), [2048, 1024], 3072, 2048, (2048, 1024)),
        (((9, 4, 100), 2048), [200, 18, 8], 202, 10, (20, 4)))
    @ddt.unpack
    def test_guests(self, pools, nodes, more, more_than_least, cells):
        found = _pools(*pools)
        self.assertEqual((nodes, more, more_than_least, cells), (
            found.nodes_mib, found.more_than_a_node(),
            found.more_than_the_least(), found.two_cells()))
        self.assertNotEqual([], found.placements(*cells))
        self.assertEqual([], found.placements(more))

    @ddt.data(((64, 192), True), ((192, 192), False))
    @ddt.unpack
    def test_uneven(self, pages, expected):
        self.assertIs(expected, _pools(pages).uneven)

    def test_placements(self):
        found = _pools((64, 192))
        self.assertEqual([{0: 64}, {1: 64}], found.placements(128))
        self.assertEqual([{1: 65}], found.placements(130))
        self.assertEqual([{0: 16, 1: 65}], found.placements(130, 32))
        self.assertEqual([{0: 16, 1: 8}, {0: 8, 1: 16}],
                         found.placements(32, 16))
        self.assertEqual([], found.placements(130, 130))

    def test_without(self):
        left = _pools((64, 192)).without({1: 192})
        self.assertEqual({0: 64, 1: 0}, left.pages)
        self.assertEqual([{0: 64}], left.placements(128))
        self.assertEqual({0: 64, 1: 192}, left.without({1: -192}).pages)

    @ddt.data(
        ((2048, 64, 0), (2048, 192, 1, 32), 1),
        ((2048, 64, 0, 500), (2048, 192, 1), None),
        ((2048, 192, 0, 32), (2048, 192, 1), 0),
        # Less than what RAM consists of.
        ((64, 160, 0), (64, 320, 1, 8), None))
    @ddt.unpack
    def test_reserved_node(self, first, second, expected):
        [found] = node_pools.of_host(_host(first, second))
        self.assertEqual(expected, found.reserved_node)


@ddt.ddt
class OfHostTest(base.BaseTestCase):

    def test_of_host(self):
        self.assertEqual(
            [node_pools.NodePools(2048, {0: 64, 1: 192}, {0: 0, 1: 32})],
            node_pools.of_host(UNEVEN))

    @ddt.data(
        samples.LARGE_PAGE,
        _host((2048, 64, 0)),
        _host((2048, 64, 0), (2048, 0, 1, 64)),
        _host((2048, 64, 0), (GIB, 4, 1)),
        # RAM consists of MiB.
        _host((64, 160, 0), (64, 8, 1)),
        dataclasses.replace(UNEVEN, allowed_page_sizes=('small',)),
        dataclasses.replace(samples.FILE_BACKED, pools=UNEVEN.pools))
    def test_no_choice_of_nodes(self, host):
        self.assertEqual([], node_pools.of_host(host))

    def test_in_common(self):
        self.assertEqual(
            (node_pools.of_host(UNEVEN)[0], node_pools.of_host(EVEN)[0]),
            node_pools.in_common(UNEVEN, EVEN))
        self.assertIsNone(node_pools.in_common(UNEVEN, samples.LARGE_PAGE))
        self.assertIsNone(node_pools.in_common(
            UNEVEN, _host((GIB, 4, 0), (GIB, 4, 1))))
