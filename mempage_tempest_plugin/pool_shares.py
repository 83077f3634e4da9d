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

from mempage_tempest_plugin import page_sizes


@dataclasses.dataclass(frozen=True)
class Pool:
    """The pages of one size that the guests of a host can have.

    A guest's pages have to be on one NUMA node, and the nodes have equal
    shares of the pool, as the kernel divides it.

    :ivar size_kib: the page size in KiB
    :ivar pages: how many there are on all nodes
    :ivar nodes: how many nodes have such pages
    """

    size_kib: int
    pages: int
    nodes: int = 1

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
        return self._whole(self.pages // self.nodes * self.size_kib // 1024)

    @property
    def half_mib(self):
        """The RAM of a guest beside which another one fits on its node."""
        return self._whole(self.node_mib // 2)

    def more_than_all(self):
        """Return the RAM in MiB of a guest that the pool is too small for."""
        return [self.mib + self.unit_mib]

    def filling(self):
        """Return the RAM in MiB of guests that together fill all nodes."""
        node = [self.half_mib, self.node_mib - self.half_mib]
        return [ram for ram in node * self.nodes if ram]

    def more_than_left(self):
        """Return the RAM in MiB of a guest that a full pool cannot take."""
        return [self.mib - sum(self.filling()) + self.unit_mib]

    def more_than_half(self):
        """Return the RAM in MiB of a guest that takes a node for itself."""
        return self.half_mib + self.unit_mib

    def _whole(self, ram_mib):
        return ram_mib - ram_mib % self.unit_mib


def of_host(host, survey):
    """Tell which pools of large pages the guests of a host can have.

    :param host: the host's declaration (inventory.Host)
    :param survey: a survey of the host, which knows its NUMA nodes
    :returns: list of :class:`Pool`, by page size
    """
    pages = {}
    for pool in host.pools:
        if not host.file_backed and host.allows(pool.size_kib):
            pages[pool.size_kib] = pages.get(pool.size_kib, 0) + pool.pages
    return [Pool(size, total, max(1, sum(
        1 for found in survey.pools if found.size_kib == size
        and found.total))) for size, total in sorted(pages.items()) if total]
