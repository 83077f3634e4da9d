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

"""Page sizes, and which of them are allowed. Knows nothing of Nova."""

import dataclasses

from oslo_utils import strutils
from oslo_utils import units

SMALL = 'small'
LARGE = 'large'
ANY = 'any'


def parse_size(text):
    """Read a page size as Nova reads ``hw:mem_page_size``.

    :param text: KiB, or a number with a unit such as '2MB' (1024-based)
    :returns: the size in KiB
    :raises: ValueError if that is no page size
    """
    try:
        size = int(text)
    except ValueError:
        size = strutils.string_to_bytes(
            text, unit_system='IEC', return_int=True) // units.Ki
    if size <= 0:
        raise ValueError('%s is no page size' % text)
    return size


@dataclasses.dataclass(frozen=True)
class Allowed:
    """The page sizes that guests may be given.

    :ivar small: whether the smallest size of a NUMA cell is allowed
    :ivar large: whether all other sizes of a NUMA cell are
    :ivar sizes: the sizes in KiB that are allowed by number
    """

    small: bool = False
    large: bool = False
    sizes: frozenset = frozenset()

    @property
    def everything(self):
        return self.small and self.large

    def allows(self, size, smallest):
        """Tell whether guests may be given pages of a size.

        :param size: the size in KiB
        :param smallest: the smallest size in KiB that the NUMA cell knows
        """
        by_word = self.small if size == smallest else self.large
        return by_word or size in self.sizes


#: What guests get where memory is in files.
SMALL_ONLY = Allowed(small=True)
LARGE_ONLY = Allowed(large=True)


def parse(values):
    """Read a list of allowed page sizes.

    :param values: words (small, large, any) and sizes as in parse_size
    :returns: Allowed
    :raises: ValueError naming the value that cannot be understood, or saying
        that there is none
    """
    values = [value.strip() for value in values]
    # What a trailing comma leaves.
    if len(values) > 1 and not values[-1]:
        values.pop()
    if not values:
        raise ValueError('the list is empty')
    sizes = set()
    for value in values:
        if value in (SMALL, LARGE, ANY):
            continue
        try:
            sizes.add(parse_size(value))
        except ValueError as error:
            raise ValueError(
                "'%s' is none of small, large, any or a page size in KiB"
                % value) from error
    return Allowed(small=SMALL in values or ANY in values,
                   large=LARGE in values or ANY in values,
                   sizes=frozenset(sizes))


def smallest(cell):
    """Get the smallest page size that a NUMA cell knows.

    :param cell: nova.objects.NUMACell
    :returns: the size in KiB, or None if the cell knows none
    """
    return min((page.size_kb for page in cell.mempages), default=None)


def known_sizes(cells):
    """Get the page sizes that NUMA cells know, whether they have any or not.

    :param cells: list of nova.objects.NUMACell
    :returns: the set of sizes in KiB
    """
    return {page.size_kb for cell in cells for page in cell.mempages}


def usable_sizes(cells):
    """Get the page sizes of which NUMA cells have pages for guests.

    :param cells: list of nova.objects.NUMACell
    :returns: the set of sizes in KiB
    """
    return {page.size_kb for cell in cells for page in cell.mempages
            if page.total > page.reserved}


def allowed_sizes(cells, allowed):
    """Get the page sizes that NUMA cells know and that are allowed.

    :param cells: list of nova.objects.NUMACell
    :param allowed: Allowed
    :returns: the set of sizes in KiB
    """
    return {page.size_kb for cell in cells for page in cell.mempages
            if allowed.allows(page.size_kb, smallest(cell))}


def allows_small(cells, allowed):
    """Tell whether guests that ask for no page size may run on NUMA cells.

    :param cells: list of nova.objects.NUMACell
    :param allowed: Allowed
    """
    return all(allowed.allows(smallest(cell), smallest(cell))
               for cell in cells if cell.mempages)


def withhold(cells, allowed):
    """Report no pages of the sizes that are not allowed.

    Those sizes stay listed: Nova takes the smallest that is listed for the
    one which guests without hugepages get, so removing it would turn the
    next one into ordinary memory.

    :param cells: list of nova.objects.NUMACell, which are changed
    :param allowed: Allowed
    """
    for cell in cells:
        for page in cell.mempages:
            if not allowed.allows(page.size_kb, smallest(cell)):
                page.total = 0
                page.reserved = 0


def withheld_mib(before, after):
    """Get how much memory is in pages that guests do not get.

    :param before: list of nova.objects.NUMACell, as the host has them
    :param after: the same, as the host reports them
    :returns: MiB
    """
    return (_total_kib(before) - _total_kib(after)) // units.Ki


def _total_kib(cells):
    return sum(page.size_kb * page.total
               for cell in cells for page in cell.mempages)
