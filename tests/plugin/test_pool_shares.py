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

from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin import inventory
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin import pool_shares
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
        pool = pool_shares.Pool(*pool)
        self.assertEqual([more_than_all], pool.more_than_all())
        self.assertEqual(filling, pool.filling())
        self.assertEqual([more_than_left], pool.more_than_left())
        self.assertEqual(more_than_half, pool.more_than_half())

    @ddt.data(*((size, pages, nodes) for size in (64, 2048, GIB)
                for pages in range(128, 192, 7) for nodes in (1, 2, 4)))
    @ddt.unpack
    def test_guests_of_any_pool(self, size, pages, nodes):
        pool = pool_shares.Pool(size, pages, nodes)
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


@ddt.ddt
class OfHostTest(base.BaseTestCase):

    HOST = dataclasses.replace(samples.PLAIN, pools=(
        inventory.Pool(GIB, 2), inventory.Pool(2048, 100),
        inventory.Pool(64, 0)))
    SURVEY = samples.host_survey(pools=[
        pools.Pool(0, 2048, 70, 70, 0), pools.Pool(1, 2048, 70, 70, 0),
        pools.Pool(0, GIB, 2, 2, 0), pools.Pool(1, GIB, 0, 0, 0)])

    def _of(self, **changes):
        return pool_shares.of_host(dataclasses.replace(self.HOST, **changes),
                                   self.SURVEY)

    def test_pages_as_declared_nodes_as_seen(self):
        self.assertEqual([pool_shares.Pool(2048, 100, 2),
                          pool_shares.Pool(GIB, 2, 1)], self._of())

    def test_only_sizes_that_are_allowed(self):
        self.assertEqual([pool_shares.Pool(GIB, 2, 1)],
                         self._of(allowed_page_sizes=('small', GIB)))

    def test_none_on_file_backed_hosts(self):
        self.assertEqual([], self._of(
            file_backed=samples.FILE_BACKED.file_backed))

    def test_a_node_for_pages_that_are_missing(self):
        self.assertEqual([pool_shares.Pool(2048, 100, 1)],
                         pool_shares.of_host(
                             dataclasses.replace(
                                 self.HOST, pools=self.HOST.pools[1:]),
                             samples.host_survey(pools=[])))

    @ddt.data((4, 191, 191), (2048, 191, 192), (2048, 192, 192),
              (GIB, 192, 1024), (GIB, 1025, 2048))
    @ddt.unpack
    def test_whole_pages(self, size, ram, expected):
        self.assertEqual(expected, page_sizes.whole_pages(size, ram))
