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

"""How many large pages guests may have on each NUMA node of a host."""

import collections
import dataclasses
import itertools

from mempage_tempest_plugin.declared import page_sizes


@dataclasses.dataclass(frozen=True)
class NodePools:
    """The pages of one size that guests may have, by NUMA node.

    :ivar size_kib: the page size in KiB
    :ivar pages: dict of pages by node
    :ivar reserved: dict by node of how many more there are, which guests may
        not have
    """

    size_kib: int
    pages: dict
    reserved: dict

    @property
    def unit_mib(self):
        """The least RAM that consists of whole pages."""
        return page_sizes.whole_pages(self.size_kib, 1)

    @property
    def nodes_mib(self):
        """The RAM of all guests on each node, at most; the largest first."""
        return sorted((self._mib(pages) for pages in self.pages.values()),
                      reverse=True)

    @property
    def uneven(self):
        """Whether some guest fits on one node and not on every other."""
        return len(set(self.nodes_mib)) > 1

    @property
    def reserved_node(self):
        """The node that guests may have most of, and not all; None if none.

        A guest that needs a little more than they may have would find its
        pages there.
        """
        most, reserved, node = max(
            (pages, self.reserved[node], node)
            for node, pages in self.pages.items())
        more = self._mib(most + reserved) > self._mib(most)
        return node if more else None

    def more_than_a_node(self):
        """Return the RAM in MiB of a guest that no node is enough for."""
        return self.nodes_mib[0] + self.unit_mib

    def more_than_the_least(self):
        """Return the RAM of a guest that not every node is enough for."""
        return self.nodes_mib[-1] + self.unit_mib

    def two_cells(self):
        """Return the RAM in MiB of each of two cells, both of which fit.

        They differ, and if nodes do, the first fits on the largest only.
        """
        first, second = self.nodes_mib[:2]
        larger = min(first, second + self.unit_mib)
        return larger, self._whole(max(second // 4, self.unit_mib))

    def to_pages(self, ram_mib):
        """Return of how many pages a guest's RAM consists.

        :param ram_mib: the RAM
        """
        return ram_mib * 1024 // self.size_kib

    def placements(self, *cells_mib):
        """Tell where guests can have their pages: each cell on a node.

        :param cells_mib: RAM of each of its cells
        :returns: list of dicts of pages by node
        """
        cells = [self.to_pages(ram_mib) for ram_mib in cells_mib]
        return [dict(sorted(zip(nodes, cells)))
                for nodes in itertools.permutations(sorted(self.pages),
                                                    len(cells))
                if all(self.pages[node] >= pages
                       for node, pages in zip(nodes, cells))]

    def without(self, taken):
        """Return what is left when a guest has some pages.

        :param taken: dict of pages by node
        """
        return dataclasses.replace(self, pages={
            node: pages - taken.get(node, 0)
            for node, pages in self.pages.items()})

    def _mib(self, pages):
        return self._whole(pages * self.size_kib // 1024)

    def _whole(self, ram_mib):
        return ram_mib - ram_mib % self.unit_mib


def of_host(host):
    """Tell which large pages the guests of a host can have on its nodes.

    :param host: the host's declaration (inventory.Host)
    :returns: list of :class:`NodePools`, by page size, of which at least two
        nodes have some
    """
    found = [_of_size(host, size) for size in sorted(page_sizes.large(host))]
    return [pools for pools in found if len(pools.pages) > 1
            and pools.nodes_mib[1]]


def _of_size(host, size_kib):
    pages = {node: count for node, count in host.node_pages(size_kib).items()
             if count and node is not None}
    reserved = collections.Counter()
    for pool in host.pools:
        if pool.size_kib == size_kib:
            reserved[pool.node] += pool.reserved
    return NodePools(size_kib, pages, {node: reserved[node]
                                       for node in pages})


def in_common(host, other):
    """Tell for which page size a guest finds a choice of nodes on one host.

    :param host: the declaration (inventory.Host) of where it starts
    :param other: that of where it goes: two nodes there can take it
    :returns: a pair of :class:`NodePools`, of both; None if there is none
    """
    there = {pools.size_kib: pools for pools in of_host(other)}
    return next(((pools, there[pools.size_kib]) for pools in of_host(host)
                 if pools.size_kib in there), None)
