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

"""Tests of on which NUMA nodes servers have their pages."""

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import node_pools
from mempage_tempest_plugin.evidence import node_pages
from mempage_tempest_plugin.hosts import numa_maps
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.hosts import survey
from tests.plugin import samples

HOST = dataclasses.replace(samples.PLAIN, name='numa1', pools=(
    inventory.DeclaredPool(2048, 64, 0),
    inventory.DeclaredPool(2048, 192, 1, reserved=32)))
[POOLS] = node_pools.of_host(HOST)
NAME = 'pages of 2048 KiB, by node'


def _survey(*nodes, told=True, processes=1):
    pages = [numa_maps.NodePages(node, 2048, count) for node, count in nodes]
    return samples.host_survey(processes={samples.SERVER: [
        survey.Process(samples.PID, samples.QEMU_USER, [],
                       pages if told else None)] * processes})


def _wrong(comparison):
    return [(fact.witness, fact.name) for fact in comparison.disagreements]


@ddt.ddt
class CompareTest(base.BaseTestCase):

    @ddt.data(
        # Nova, libvirt, kernel; who is wrong
        ({1: 130}, {1: 130}, _survey((1, 65)), []),
        ({1: 130}, {1: 130}, _survey(told=False), []),
        ({0: 130}, {0: 130}, _survey((0, 65)), ['nova', 'libvirt', 'kernel']),
        ({1: 130}, {0: 130}, _survey((0, 65)), ['libvirt', 'kernel']),
        ({1: 130}, {1: 130}, _survey((0, 1), (1, 64)), ['kernel']),
        ({1: 130}, {1: 130}, _survey((1, 64)), ['kernel']),
        ({1: 130}, {1: 130}, _survey(), ['kernel']),
        ({1: 130}, {1: 130}, _survey(processes=0), ['kernel']),
        ({}, {}, _survey((1, 65)), ['nova', 'libvirt']),
        ({0: 64, 1: 66}, {1: 130}, _survey((1, 65)), ['nova']))
    @ddt.unpack
    def test_only_one_node_has_room(self, nova, libvirt, found, wrong):
        comparison = node_pages.compare(
            HOST, samples.SERVER, POOLS, POOLS.placements(130), nova, libvirt,
            found)
        self.assertEqual(wrong, [fact.witness for fact
                                 in comparison.disagreements])
        for word in ('numa1', samples.SERVER):
            self.assertIn(word, comparison.subject)

    @ddt.data(
        ({0: 64}, {0: 64}, _survey((0, 32)), []),
        ({1: 64}, {1: 64}, _survey((1, 32)), []),
        # All name a node that may be, but not the same one.
        ({1: 64}, {1: 64}, _survey((0, 32)), [('kernel', NAME)]),
        ({0: 64}, {1: 64}, _survey((0, 32)), [('libvirt', NAME)]))
    @ddt.unpack
    def test_two_nodes_have_room(self, nova, libvirt, found, wrong):
        self.assertEqual(wrong, _wrong(node_pages.compare(
            HOST, samples.SERVER, POOLS, POOLS.placements(64), nova, libvirt,
            found)))

    def test_what_is_expected_is_told(self):
        comparison = node_pages.compare(
            HOST, samples.SERVER, POOLS, POOLS.placements(64), {2: 64},
            {2: 64}, _survey((2, 32)))
        self.assertIn('{0: 32} or {1: 32}', str(comparison))


@ddt.ddt
class CompareFreeTest(base.BaseTestCase):

    @staticmethod
    def _see(*free, total=224):
        return samples.host_survey(pools=[
            pools.NodePool(0, 2048, 64, free[0], 0),
            pools.NodePool(1, 2048, total, free[1], 0)])

    @ddt.data(
        ({}, (64, 224), []),
        ({(2048, 1): 65}, (64, 159), []),
        ({(2048, 1): 65}, (63, 160), [0, 1]),
        ({(2048, 0): 8, (2048, 1): 8}, (56, 216), []),
        ({(2048, 0): 8, (2048, 1): 8}, (48, 224), [0, 1]),
        ({}, (64, 223), [1]))
    @ddt.unpack
    def test_compare(self, taken, free, wrong):
        self.assertEqual(
            [('kernel', 'free pages of 2048 KiB on node %d' % node)
             for node in wrong], _wrong(node_pages.compare_free(
                 HOST, self._see(64, 224), self._see(*free), taken)))

    def test_pool_that_changes(self):
        self.assertIn(
            ('kernel', 'pages of 2048 KiB on node 1'),
            _wrong(node_pages.compare_free(
                HOST, self._see(64, 224), self._see(64, 223, total=223), {})))

    @ddt.data((224, []), (193, []), (192, [1]))
    @ddt.unpack
    def test_reserved_pages_that_are_not_there(self, free, wrong):
        self.assertEqual(
            [('kernel', 'free pages of 2048 KiB on node %d' % node)
             for node in wrong], _wrong(node_pages.compare_reserved(
                 HOST, POOLS, self._see(64, free),
                 POOLS.more_than_a_node())))
