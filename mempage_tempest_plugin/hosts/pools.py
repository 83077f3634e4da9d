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

"""Hugepage pools, as sysfs tells them."""

import dataclasses
import re

_COUNTER = re.compile(
    r'^/sys/(?:devices/system/node/node(?P<node>\d+)|kernel/mm)/hugepages/'
    r'hugepages-(?P<size>\d+)kB/(?P<name>\w+)_hugepages:(?P<count>\d+)$')


@dataclasses.dataclass(frozen=True)
class NodePool:
    """One page size (KiB) on one NUMA node, counted in pages.

    :ivar surplus: how many of them the kernel has made beyond the pool
        (nr_overcommit_hugepages), and takes back when they are free
    """

    node: int
    size_kib: int
    total: int
    free: int
    surplus: int

    @property
    def persistent(self):
        """How many pages the pool has, whoever has taken some."""
        return self.total - self.surplus


def parse(text):
    """Read the pools of all NUMA nodes.

    :param text: what ``grep .`` prints of the counters nr_hugepages,
        free_hugepages and surplus_hugepages, with their paths: those of
        the nodes, or those of a kernel that knows no nodes
    :returns: list of :class:`NodePool`, ordered by node and page size
    """
    matches = list(filter(None, (_COUNTER.match(line.strip())
                                 for line in text.splitlines())))
    counters = {}
    for match in ([each for each in matches if each['node']] or matches):
        # Without nodes, Nova and libvirt take the machine for node 0.
        key = (int(match['node'] or 0), int(match['size']))
        counters.setdefault(key, {})[match['name']] = int(match['count'])
    return [NodePool(node, size, found.get('nr', 0), found.get('free', 0),
                     found.get('surplus', 0))
            for (node, size), found in sorted(counters.items())]


def free_pages(pools, size_kib, node=None):
    """Add up the free pages of a size.

    :param pools: iterable of :class:`NodePool`
    :param size_kib: the size
    :param node: the NUMA node; None for all
    """
    return sum(pool.free for pool in pools
               if pool.size_kib == size_kib and node in (None, pool.node))


def largest(pools, size_kib):
    """Find the NUMA node that has the most pages of a size.

    :param pools: iterable of :class:`NodePool`, some of that size
    :param size_kib: the size
    :returns: its :class:`NodePool`
    """
    return max((pool for pool in pools if pool.size_kib == size_kib),
               key=lambda pool: pool.total)


def parse_reserved(text):
    """Read how many free pages processes have reserved: nobody else gets them.

    Only the kernel as a whole tells, no NUMA node.

    :param text: what ``grep .`` prints of resv_hugepages, with their paths
    :returns: dict of pages by page size in KiB
    """
    return {int(match['size']): int(match['count']) for match in filter(
        None, (_COUNTER.match(line.strip()) for line in text.splitlines()))
        if match['name'] == 'resv'}
