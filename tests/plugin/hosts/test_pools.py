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

from oslotest import base

from mempage_tempest_plugin.hosts import pools

NODE = '/sys/devices/system/node/node%d/hugepages/hugepages-%dkB/'


class PoolsTest(base.BaseTestCase):

    def test_parse(self):
        large = NODE % (1, 2048)
        text = '\n'.join([
            large + 'free_hugepages:7', large + 'nr_hugepages:10',
            large + 'surplus_hugepages:1',
            NODE % (0, 1048576) + 'nr_hugepages:2',
            '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages:99'])
        self.assertEqual([pools.NodePool(0, 1048576, 2, 0, 0),
                          pools.NodePool(1, 2048, 10, 7, 1)],
                         pools.parse(text))

    def test_persistent(self):
        self.assertEqual(0, pools.NodePool(0, 2048, 100, 7, 100).persistent)

    def test_kernel_without_nodes(self):
        counters = '/sys/kernel/mm/hugepages/hugepages-%dkB/%s_hugepages:%d'
        self.assertEqual(
            [pools.NodePool(0, 2048, 9, 4, 1)],
            pools.parse('\n'.join(counters % counter for counter in (
                (2048, 'nr', 9), (2048, 'free', 4), (2048, 'surplus', 1),
                (2048, 'resv', 0), (2048, 'nr_overcommit', 50)))))

    def test_reserved(self):
        counters = '/sys/kernel/mm/hugepages/hugepages-%dkB/%s_hugepages:%d'
        self.assertEqual({2048: 3, 1048576: 0}, pools.parse_reserved(
            '\n'.join(counters % counter for counter in (
                (2048, 'resv', 3), (2048, 'free', 4), (1048576, 'resv', 0)))))

    def test_largest(self):
        nodes = [pools.NodePool(node, size, total, 0, 0)
                 for node, size, total in [
                     (0, 2048, 64), (1, 2048, 192), (1, 1048576, 200)]]
        self.assertEqual(nodes[1], pools.largest(nodes, 2048))

    def test_none(self):
        self.assertEqual([], pools.parse('\n'))
