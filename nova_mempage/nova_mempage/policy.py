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

"""Which guests may come to a host, by what they ask for.

Knows nothing of Nova. What is said here reaches the owners of servers, who
know flavors and images, and neither configuration files nor hosts.
"""

import dataclasses

NO_PAGE_SIZE = (
    'guests that ask for no memory page size are not allowed on this host; '
    'choose a flavor or an image that asks for one (hw:mem_page_size)')
PAGE_SIZE = (
    'guests that ask for a memory page size are not allowed on this host, '
    'which has the memory of guests in files; choose a flavor and an image '
    'that ask for none (hw:mem_page_size)')


def wants_page_size(numa_topology):
    """Tell whether a guest asks for a page size, or was given one.

    :param numa_topology: nova.objects.InstanceNUMATopology or None
    """
    return bool(numa_topology
                and any(cell.pagesize for cell in numa_topology.cells))


@dataclasses.dataclass(frozen=True)
class Policy:
    """What a host refuses.

    :ivar no_page_size: whether it refuses guests that ask for no page size,
        which would get the smallest
    :ivar page_size: whether it refuses guests that ask for one, because it has
        the memory of guests in files
    """

    no_page_size: bool = False
    page_size: bool = False

    def __bool__(self):
        return self.no_page_size or self.page_size

    def refusal(self, numa_topology):
        """Tell why a guest must not come.

        :param numa_topology: nova.objects.InstanceNUMATopology that the guest
            asks for, or None
        :returns: the reason, or None if the host does not mind
        """
        if wants_page_size(numa_topology):
            return PAGE_SIZE if self.page_size else None
        return NO_PAGE_SIZE if self.no_page_size else None
