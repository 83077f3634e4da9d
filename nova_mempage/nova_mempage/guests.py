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

"""Which guests of a host violate its page sizes."""

import dataclasses

from nova_mempage import pages
from nova_mempage.policy import wants_page_size


@dataclasses.dataclass(frozen=True)
class Violation:
    """A guest that must not come any more, but is there.

    :ivar uuid: of the server
    :ivar name: of the server
    :ivar state: what Nova says of the server, such as 'active' or 'stopped'
    :ivar sizes: sorted tuple of the page sizes in KiB that it has
    :ivar asks: whether it asks for a page size
    """

    uuid: str
    name: str
    state: str
    sizes: tuple
    asks: bool

    def __str__(self):
        return '%s (%s, %s, pages of %s KiB)' % (
            self.uuid, self.name, self.state, ' and '.join(
                str(size) for size in self.sizes) or 'unknown')


def _sizes(instance, smallest):
    """Get the sizes of a guest's pages, by the host's NUMA cell.

    :param smallest: dict of cell id to the smallest size there in KiB
    :returns: set of (size in KiB, smallest size in KiB of the cell)
    """
    topology = instance.numa_topology
    if topology is None:
        # Such a guest floats over all cells.
        return {(size, size) for size in smallest.values()}
    # What a guest was given can differ from cell to cell. Ids of a guest that
    # no host has taken yet are the guest's own, hence the default.
    fallback = min(smallest.values(), default=None)
    return {(cell.pagesize or smallest.get(cell.id, fallback),
             smallest.get(cell.id, fallback)) for cell in topology.cells}


def _violates(instance, sizes, allowed, policy):
    if policy.refusal(instance.numa_topology):
        return True
    return not all(allowed.allows(size, smallest) for size, smallest in sizes)


def violating(instances, cells, allowed, policy):
    """Get the guests that violate what a host allows.

    :param instances: iterable of nova.objects.Instance with numa_topology
    :param cells: list of nova.objects.NUMACell of the host
    :param allowed: pages.Allowed
    :param policy: policy.Policy
    :returns: list of Violation, by name
    """
    smallest = {cell.id: pages.smallest(cell)
                for cell in cells if cell.mempages}
    found = []
    for instance in instances:
        sizes = _sizes(instance, smallest)
        if _violates(instance, sizes, allowed, policy):
            found.append(Violation(
                uuid=instance.uuid,
                name=instance.display_name or instance.uuid,
                state=instance.vm_state,
                sizes=tuple(sorted({size for size, _ in sizes if size})),
                asks=wants_page_size(instance.numa_topology)))
    return sorted(found, key=lambda violation: violation.name)
