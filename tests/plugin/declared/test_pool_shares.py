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
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import pool_shares
from mempage_tempest_plugin.hosts import pools
from tests.plugin import samples

GIB = 1048576


@ddt.ddt
class PoolTest(base.BaseTestCase):

    @ddt.data(
        # size in KiB, pages, nodes: all, filling, left over, half
        ((2048, 384, 1), 770, [384, 384], 2, 386),
        ((2048, 385, 1), 772, [384, 386], 2, 386),
        ((2048, 1, 1), 4, [2], 2, 2),
        ((2048, 385, 2), 772, [192, 192, 192, 192], 4, 194),
        ((GIB, 2, 1), 3072, [1024, 1024], 1024, 2048),
        ((GIB, 1, 1), 2048, [1024], 1024, 1024),
        # Not all pages together are whole MiB.
        ((64, 100, 1), 7, [3, 3], 1, 4))
    @ddt.unpack
    def test_guests(self, pool, more_than_all, filling, more_than_left,
                    more_than_half):
        size, pages, nodes = pool
        pool = pool_shares.PoolShare(size, pages, (pages // nodes,) * nodes)
        self.assertEqual(nodes, pool.nodes)
        self.assertEqual(nodes, pool.nodes_for(pool.node_mib))
        self.assertEqual(0, pool.nodes_for(pool.node_mib + 1))
        self.assertEqual([more_than_all], pool.more_than_all())
        self.assertEqual(filling, pool.filling())
        self.assertEqual([more_than_left], pool.more_than_left())
        self.assertEqual(more_than_half, pool.more_than_half())

    @ddt.data(*((size, pages, nodes) for size in (64, 2048, GIB)
                for pages in range(128, 192, 7) for nodes in (1, 2, 4)))
    @ddt.unpack
    def test_guests_of_any_pool(self, size, pages, nodes):
        pool = pool_shares.PoolShare(size, pages, (pages // nodes,) * nodes)
        node_kib = pages // nodes * size
        for ram in (*pool.more_than_all(), *pool.filling(),
                    *pool.more_than_left(), pool.more_than_half()):
            self.assertEqual(0, ram * 1024 % size)
        self.assertTrue(node_kib / 2 < pool.more_than_half() * 1024
                        <= node_kib)
        [left] = pool.more_than_left()
        self.assertTrue(left * 1024 > pages * size
                        - sum(pool.filling()) * 1024)
        self.assertTrue(pool.more_than_all()[0] * 1024 > pages * size)

    @ddt.data(
        # size in KiB, pages of each node: filling, left over, half, nodes
        # that have a half
        ((2048, (100, 50)), [100] * 3, 2, 102, 1),
        ((2048, (100, 80)), [40] * 9, 2, 102, 2),
        ((2048, (100, 1)), [200], 4, 102, 1),
        ((2048, (65536, 65535)), [131070] * 2, 4, 65538, 2),
        ((GIB, (3, 1)), [1024] * 4, 1024, 2048, 1),
        # A node may have less than a MiB.
        ((64, (100, 8)), [6], 1, 4, 1))
    @ddt.unpack
    def test_guests_of_nodes_that_differ(self, pool, filling, more_than_left,
                                         more_than_half, nodes):
        size, pages = pool
        pool = pool_shares.PoolShare(size, sum(pages), pages)
        self.assertEqual(filling, pool.filling())
        self.assertEqual([more_than_left], pool.more_than_left())
        self.assertEqual(more_than_half, pool.more_than_half())
        self.assertEqual(nodes, pool.nodes)


@ddt.ddt
class OfHostTest(base.BaseTestCase):

    HOST = dataclasses.replace(samples.PLAIN, pools=(
        inventory.DeclaredPool(GIB, 2), inventory.DeclaredPool(2048, 100),
        inventory.DeclaredPool(64, 0)))
    SURVEY = samples.host_survey(pools=[
        pools.NodePool(0, 2048, 70, 70, 0), pools.NodePool(1, 2048, 70, 70, 0),
        pools.NodePool(0, GIB, 2, 2, 0), pools.NodePool(1, GIB, 0, 0, 0)])

    def _of(self, **changes):
        return pool_shares.of_host(dataclasses.replace(self.HOST, **changes),
                                   self.SURVEY)

    def test_pages_as_declared_nodes_as_seen(self):
        self.assertEqual([pool_shares.PoolShare(2048, 100, (50, 50)),
                          pool_shares.PoolShare(GIB, 2, (2,))], self._of())

    def test_nodes_as_declared(self):
        self.assertEqual(
            [pool_shares.PoolShare(2048, 100, (70, 30))],
            self._of(pools=(inventory.DeclaredPool(2048, 30, 1, reserved=40),
                            inventory.DeclaredPool(2048, 70, 0),
                            inventory.DeclaredPool(2048, 0, 2, reserved=9))))

    def test_only_sizes_that_are_allowed(self):
        self.assertEqual([pool_shares.PoolShare(GIB, 2, (2,))],
                         self._of(allowed_page_sizes=('small', GIB)))

    def test_none_on_file_backed_hosts(self):
        self.assertEqual([], self._of(
            file_backed=samples.FILE_BACKED.file_backed))

    def test_a_node_for_pages_that_are_missing(self):
        self.assertEqual([pool_shares.PoolShare(2048, 100, (100,))],
                         pool_shares.of_host(
                             dataclasses.replace(
                                 self.HOST, pools=self.HOST.pools[1:]),
                             samples.host_survey(pools=[])))

    @ddt.data((4, 191, 191), (2048, 191, 192), (2048, 192, 192),
              (GIB, 192, 1024), (GIB, 1025, 2048))
    @ddt.unpack
    def test_whole_pages(self, size, ram, expected):
        self.assertEqual(expected, page_sizes.whole_pages(size, ram))


class AllButTest(base.BaseTestCase):

    POOLS = [pools.NodePool(0, 2048, 100, 100, 0),
             pools.NodePool(0, 1048576, 4, 4, 0),
             pools.NodePool(1, 2048, 90, 90, 0)]

    def _all_but(self, ram_mib):
        return pool_shares.reserve_all_but(
            samples.host_survey(pools=self.POOLS), self.POOLS[0], ram_mib)

    def test_some_are_left_in_one_pool(self):
        self.assertEqual(['node:0,size:2048,count:60',
                          'node:0,size:1048576,count:4',
                          'node:1,size:2048,count:90'], self._all_but(80))

    def test_fewer_than_none_are_not_reserved(self):
        self.assertIn('node:0,size:2048,count:0', self._all_but(300))
