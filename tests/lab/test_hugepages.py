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


from unittest import mock

import ddt

from mempage_lab import boot
from mempage_lab import errors
from mempage_lab import hugepages
from mempage_lab import optional_pools
from mempage_lab import preflight
from mempage_lab import progress
from mempage_lab import topology
from tests.lab import base

HOSTS = """\
network: 10.7.0.0/23
hosts:
  a: {pools: [{size_kib: 2048, pages: 50},
              {size_kib: 1048576, pages: 2, optional: true}]}
  b: {pools: [{size_kib: 2048, pages: 20}]}
"""
GIB = 1048576


class HugepagesTestCase(base.LabTestCase):
    """A kernel with some pages, which gives no more than a few.

    :ivar pages: dict of page size in KiB to the pages of the machine
    :ivar limits: dict of page size in KiB to the pages it can have
    """

    def setUp(self):
        super().setUp()
        self.patch_object(hugepages, 'BEFORE',
                          self.directory / 'hugepages.json')
        self.boot = self.patch_object(boot, 'identity')
        self.boot.return_value = 'first'
        self.pages = {2048: 7, GIB: 1}
        self.limits = {2048: 1000, GIB: 4}
        self.patch_object(hugepages, '_pages',
                          lambda size: self.pages[size])
        self.patch_object(hugepages, 'kernel_sizes',
                          lambda: sorted(self.pages))
        self.patch_object(hugepages, '_call', self._call)
        self.topology = topology.load(self.write_topology(HOSTS), [])

    def _call(self, function, size, pages):
        if pages > self.limits[size]:
            raise errors.CommandFailed(['bash'], 1, 'ERROR: only %d\n'
                                       % self.limits[size])
        self.pages[size] = pages


class HugepagesTest(HugepagesTestCase):

    def test_pools_come_on_top_and_go(self):
        hugepages.build(self.topology)
        self.assertEqual({2048: 77, GIB: 3}, self.pages)
        hugepages.restore()
        self.assertEqual({2048: 7, GIB: 1}, self.pages)

    def test_built_twice(self):
        hugepages.build(self.topology)
        hugepages.build(self.topology)
        self.assertEqual({2048: 77, GIB: 3}, self.pages)

    def test_what_an_optional_pool_took_goes_back_too(self):
        self.assertIsNone(hugepages.try_build(self.topology, GIB))
        self.assertEqual({2048: 7, GIB: 3}, self.pages)
        hugepages.build(self.topology.without_optional([GIB]))
        self.assertEqual({2048: 77, GIB: 3}, self.pages)
        hugepages.restore()
        self.assertEqual({2048: 7, GIB: 1}, self.pages)

    def test_the_kernel_gives_too_few_for_an_optional_pool(self):
        self.limits[GIB] = 2
        self.assertEqual('ERROR: only 2',
                         hugepages.try_build(self.topology, GIB))
        self.assertEqual({2048: 7, GIB: 1}, self.pages)

    def test_the_kernel_gives_too_few_for_another_pool(self):
        self.limits[2048] = 2
        self.assertRaises(errors.CommandFailed, hugepages.build,
                          self.topology)

    def test_the_kernel_does_not_know_the_pages(self):
        del self.pages[GIB]
        self.assertEqual('this kernel has no such pages',
                         hugepages.try_build(self.topology, GIB))

    def test_before_is_from_before(self):
        hugepages.build(self.topology)
        self.assertEqual({2048: 7, GIB: 1}, hugepages.before([2048, GIB]))

    def test_a_record_ends_with_the_machines_run(self):
        hugepages.build(self.topology)
        self.boot.return_value = 'second'
        self.pages = {2048: 0, GIB: 0}
        hugepages.restore()
        self.assertEqual({2048: 0, GIB: 0}, self.pages)
        self.assertFalse(hugepages.BEFORE.exists())


class KernelSizesTest(base.LabTestCase):

    def test_the_kernels_sizes(self):
        pools = self.directory / 'pools'
        for name in ('hugepages-2048kB', 'hugepages-64kB'):
            (pools / name).mkdir(parents=True)
        self.patch_object(hugepages, '_POOLS', pools)
        self.assertEqual([64, 2048], hugepages.kernel_sizes())


@ddt.ddt
class OptionalPoolsTest(HugepagesTestCase):

    def setUp(self):
        super().setUp()
        self.required = self.topology.without_optional([GIB])
        self.shown = mock.Mock(spec=progress.Progress)
        self.memory = self.patch_object(preflight, 'memory_available')
        self.memory.return_value = 100000

    def _settle(self):
        return optional_pools.settle(self.topology, self.shown)

    def test_built(self):
        self.assertEqual(self.topology, self._settle())
        self.assertEqual(3, self.pages[GIB])
        self.shown.say.assert_not_called()

    def test_left_out_with_the_kernels_reason(self):
        self.limits[GIB] = 2
        self.assertEqual(self.required, self._settle())
        self.shown.say.assert_called_once_with(
            '2 optional pages of 1048576 KiB are left out: ERROR: only 2')

    @ddt.data((2048, True), (2047, False))
    @ddt.unpack
    def test_only_where_the_rest_leaves_enough_memory(self, spare, built):
        self.memory.return_value = spare + preflight.memory_needed(
            self.required)
        self.assertEqual(self.topology if built else self.required,
                         self._settle())
        self.assertEqual(3 if built else 1, self.pages[GIB])
        self.assertEqual(0 if built else 1, self.shown.say.call_count)

    def test_nothing_optional(self):
        self.topology = self.required
        self.assertEqual(self.required, self._settle())
        self.assertEqual(1, self.pages[GIB])
