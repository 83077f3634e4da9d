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

"""How much RAM a guest must have to take what of a pool of large pages."""

import dataclasses

from mempage_tempest_plugin.declared import page_sizes

#: How many guests on each node are not too many to fill it with.
FEW = 8


@dataclasses.dataclass(frozen=True)
class PoolShare:
    """The pages of one size that the guests of a host can have.

    A guest's pages have to be on one NUMA node.

    :ivar size_kib: the page size in KiB
    :ivar pages: how many there are on all nodes
    :ivar node_pages: how many there are on each node that has some, a tuple.
        Together they may be fewer, as the kernel does not tell where it puts
        what is left when it divides a pool.
    """

    size_kib: int
    pages: int
    node_pages: tuple

    @property
    def unit_mib(self):
        """The least RAM that consists of whole pages."""
        return page_sizes.whole_pages(self.size_kib, 1)

    @property
    def mib(self):
        """The RAM of all guests together, at most."""
        return self._whole(self.pages * self.size_kib // 1024)

    @property
    def node_mib(self):
        """The RAM of all guests on one node, at most."""
        return max(self._nodes_mib)

    @property
    def half_mib(self):
        """The RAM of a guest beside which another one fits on its node.

        If nodes differ, it may do so on the node with the most pages only.
        """
        return self._whole(self.node_mib // 2)

    @property
    def nodes(self):
        """How many nodes can take a guest of :meth:`more_than_half`."""
        return self.nodes_for(self.more_than_half())

    def nodes_for(self, ram_mib):
        """Tell how many nodes can take a guest.

        :param ram_mib: its RAM
        """
        return sum(1 for mib in self._nodes_mib if mib >= ram_mib)

    def more_than_all(self):
        """Return the RAM in MiB of a guest that the pool is too small for."""
        return [self.mib + self.unit_mib]

    def filling(self):
        """Return the RAM in MiB of guests that together fill all nodes.

        Nodes that differ may keep some pages, fewer than a guest has.
        """
        if len(set(self._nodes_mib)) > 1:
            return self._filling_alike()
        node = [self.half_mib, self.node_mib - self.half_mib]
        return [ram for ram in node * len(self.node_pages) if ram]

    def _filling_alike(self):
        """Nobody knows which node a guest gets: all fit wherever one does."""
        def filling(ram_mib):
            return [ram_mib] * sum(mib // ram_mib for mib in self._nodes_mib)

        few = [guests for guests in map(filling, range(
            self.node_mib, 0, -self.unit_mib))
            if len(guests) <= FEW * len(self.node_pages)]
        return max(few, key=sum)

    def more_than_left(self):
        """Return the RAM in MiB of a guest that a full pool cannot take."""
        return [self.mib - sum(self.filling()) + self.unit_mib]

    def more_than_half(self):
        """Return the RAM in MiB of a guest that takes a node for itself."""
        return self.half_mib + self.unit_mib

    @property
    def _nodes_mib(self):
        return [self._whole(pages * self.size_kib // 1024)
                for pages in self.node_pages]

    def _whole(self, ram_mib):
        return ram_mib - ram_mib % self.unit_mib


def of_host(host, survey):
    """Tell which pools of large pages the guests of a host can have.

    :param host: the host's declaration (inventory.Host)
    :param survey: a survey of the host, which knows its NUMA nodes
    :returns: list of :class:`PoolShare`, by page size
    """
    return [PoolShare(size, sum(host.node_pages(size).values()),
                      _node_pages(host, size, survey))
            for size in sorted(page_sizes.large(host))]


def _node_pages(host, size_kib, survey):
    declared = host.node_pages(size_kib)
    if None not in declared:
        return tuple(pages for _, pages in sorted(declared.items()) if pages)
    nodes = sum(1 for found in survey.pools
                if found.size_kib == size_kib and found.total) or 1
    # As the kernel divides a pool.
    return (declared[None] // nodes,) * nodes


def reserve_all_but(survey, guests, ram_mib):
    """Reserve all large pages of a host but some of one size on one node.

    :param survey: a survey of the host
    :param guests: the pools.NodePool in which guests may have pages
    :param ram_mib: how much RAM they may have there
    :returns: list of values of nova's reserved_huge_pages
    """
    left = {(guests.node, guests.size_kib): ram_mib * 1024 // guests.size_kib}
    return ['node:%d,size:%d,count:%d' % (
        pool.node, pool.size_kib,
        max(0, pool.total - left.get((pool.node, pool.size_kib), 0)))
        for pool in survey.pools]
