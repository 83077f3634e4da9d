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

"""Scheduler filters: what hosts and their aggregates say of page sizes."""

import functools

from nova.scheduler import filters
from nova.scheduler.filters import utils as filter_utils
from nova.scheduler import utils
from nova.virt import hardware
from oslo_log import log as logging

from nova_mempage import pages
from nova_mempage import policy
from nova_mempage import prefilter
from nova_mempage import report

LOG = logging.getLogger(__name__)

KEY = 'MemoryBacking'


@functools.lru_cache(maxsize=1024)
def _parse(value):
    """Read the metadata of one aggregate.

    :returns: pages.Allowed, or None if it cannot be understood
    """
    try:
        return pages.parse(value.split(','))
    except ValueError:
        return None


@functools.lru_cache(maxsize=1024)
def _union(values):
    """Add up what several aggregates allow.

    :param values: frozenset of their metadata
    :returns: pages.Allowed, or None if one of them cannot be understood
    """
    parsed = [_parse(value) for value in values]
    if None in parsed:
        return None
    return pages.Allowed(
        small=any(allowed.small for allowed in parsed),
        large=any(allowed.large for allowed in parsed),
        sizes=frozenset().union(*(allowed.sizes for allowed in parsed)))


def _request(spec_obj):
    """Get the page size that a request asks for, from flavor and image.

    :returns: KiB or one of nova.virt.hardware.MEMPAGES_*
    """
    topology = spec_obj.numa_topology
    # Nova gives all cells of a guest the same size.
    size = topology.cells[0].pagesize if topology else None
    # Guests that ask for none get the smallest.
    return size or hardware.MEMPAGES_SMALL


def _plainly_allowed(request, allowed):
    """Tell whether a request is allowed whatever sizes a host has."""
    return {
        hardware.MEMPAGES_SMALL: allowed.small,
        hardware.MEMPAGES_LARGE: allowed.large,
        hardware.MEMPAGES_ANY: allowed.everything,
    }.get(request, request in allowed.sizes)


def _matches(request, size, smallest):
    """Tell whether a request accepts a page size in KiB of a cell."""
    if request == hardware.MEMPAGES_SMALL:
        return size == smallest
    if request == hardware.MEMPAGES_LARGE:
        return size != smallest
    return request in (hardware.MEMPAGES_ANY, size)


def _allowed_on(cells, request, allowed):
    """Tell whether a request gets allowed pages only, and gets some.

    Fields of Nova's objects are slow, and there are many hosts: this looks at
    no more of them than it must.
    """
    choice = request in (hardware.MEMPAGES_LARGE, hardware.MEMPAGES_ANY)
    found = False
    for cell in cells:
        by_size = {page.size_kb: page for page in cell.mempages}
        smallest = min(by_size, default=None)
        for size, page in by_size.items():
            if not _matches(request, size, smallest):
                continue
            is_allowed = allowed.allows(size, smallest)
            if is_allowed and found:
                continue
            # With a choice, Nova gives another size if a host has none.
            if choice and page.total <= page.reserved:
                continue
            if not is_allowed:
                return False
            found = True
    return found


def _listed(sizes):
    return ', '.join(str(size) for size in sorted(sizes))


class MemoryPageSizeFilter(filters.BaseHostFilter):
    """Passes hosts that do not refuse what the request is.

    Hosts tell with their statistics what they refuse; those without the driver
    refuse nothing. Most of them placement has left out already, because this
    brings the pre-filter with it. It is needed all the same, for hosts whose
    traits are not yet in placement.
    """

    RUN_ON_REBUILD = False
    run_filter_once_per_request = True

    def __init__(self):
        super().__init__()
        prefilter.install()

    # As below: what the request is, is the same for all hosts.
    def filter_all(self, filter_obj_list, spec_obj):
        if utils.request_is_rebuild(spec_obj):
            yield from filter_obj_list
            return
        key = self._key(spec_obj)
        for host_state in filter_obj_list:
            if self._passes(host_state, key):
                yield host_state

    def host_passes(self, host_state, spec_obj):
        return self._passes(host_state, self._key(spec_obj))

    @staticmethod
    def _key(spec_obj):
        """Get the statistic of hosts that refuse a request."""
        if policy.wants_page_size(spec_obj.numa_topology):
            return report.REFUSES_PAGE_SIZE
        return report.REFUSES_NO_PAGE_SIZE

    def _passes(self, host_state, key):
        if host_state.stats and host_state.stats.get(key) == 'True':
            LOG.debug('%(host)s says %(key)s',
                      {'host': host_state, 'key': key})
            return False
        return True


class AggregateMemoryBackingFilter(filters.BaseHostFilter):
    """Passes hosts whose aggregates allow the page sizes of a request.

    A host passes if every page size that the request could be given there is
    allowed by the MemoryBacking metadata of its aggregates, or if none of its
    aggregates has that metadata.
    """

    RUN_ON_REBUILD = False
    # Only the first instance of several still says 'large' or 'any': Nova
    # then writes the size that it was given into the request.
    run_filter_once_per_request = True

    def __init__(self):
        super().__init__()
        self._reported = set()
        self._looked_at = set()

    # Nova would ask anew for each host what the request is, and whether it is
    # a rebuild. That is the same for all of them, and a third of the time.
    def filter_all(self, filter_obj_list, spec_obj):
        if utils.request_is_rebuild(spec_obj):
            yield from filter_obj_list
            return
        request = _request(spec_obj)
        for host_state in filter_obj_list:
            if self._passes(host_state, request):
                yield host_state

    def host_passes(self, host_state, spec_obj):
        return self._passes(host_state, _request(spec_obj))

    def _passes(self, host_state, request):
        values = frozenset(
            filter_utils.aggregate_values_from_key(host_state, KEY))
        if not values:
            return True
        allowed = _union(values)
        if allowed is None:
            self._report(host_state.aggregates)
            return False
        if _plainly_allowed(request, allowed):
            return True
        topology = host_state.numa_topology
        if topology and _allowed_on(topology.cells, request, allowed):
            return True
        if topology:
            self._report_unknown(host_state, values, allowed)
        LOG.debug('%(host)s is in aggregates that allow only %(allowed)s',
                  {'host': host_state, 'allowed': allowed})
        return False

    def _report_unknown(self, host_state, values, allowed):
        """Log once which sizes a host does not know, if it knows no other.

        Such as 2Mb, which Nova takes for 256 KiB: megabits.
        """
        looked_at = (host_state.host, values)
        if looked_at in self._looked_at:
            return
        self._looked_at.add(looked_at)
        cells = host_state.numa_topology.cells
        known = pages.known_sizes(cells)
        if not known or pages.allowed_sizes(cells, allowed):
            return
        for aggregate in host_state.aggregates:
            value = aggregate.metadata.get(KEY)
            if value is None or (aggregate.name, value) in self._reported:
                continue
            self._reported.add((aggregate.name, value))
            LOG.error(
                "Host %(host)s of aggregate '%(name)s' gets no guests: its "
                "metadata %(key)s = '%(value)s' allows pages of %(sizes)s "
                "KiB, and the host knows pages of %(known)s KiB only.",
                {'host': host_state.host, 'name': aggregate.name, 'key': KEY,
                 'value': value, 'known': _listed(known),
                 'sizes': _listed(_parse(value).sizes)})

    def _report(self, aggregates):
        """Log once which aggregates cannot be understood."""
        for aggregate in aggregates:
            value = aggregate.metadata.get(KEY)
            if value is None or _parse(value) is not None:
                continue
            if (aggregate.name, value) in self._reported:
                continue
            self._reported.add((aggregate.name, value))
            LOG.error(
                "The hosts of aggregate '%(name)s' get no guests: its "
                "metadata %(key)s = '%(value)s' cannot be understood. Use "
                "any, small, large or page sizes in KiB, separated by commas.",
                {'name': aggregate.name, 'key': KEY, 'value': value})


def all_filters():
    """Get the filters of this module, for ``available_filters``."""
    return [MemoryPageSizeFilter, AggregateMemoryBackingFilter]
