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

"""Page sizes: what a request for one gets on a declared host."""

import dataclasses
import enum
import re

from mempage_tempest_plugin.declared import traits

#: What a flavor asks for a page size with.
EXTRA_SPEC = 'hw:mem_page_size'
# What else says where a guest's memory is: in pages that must not be swapped,
# on which nodes and how much on each, on hosts that have some page sizes.
_ABOUT_MEMORY = re.compile(
    'hw:(mem_page_size|locked_memory|numa_.*)|resources[^:]*:MEMORY_MB|'
    'trait[^:]*:(%s|%s.*)' % (traits.FILE_BACKED, traits.PAGE_SIZE))

SMALL = 'small'
LARGE = 'large'
ANY = 'any'

# What Nova says when no host is left.
NO_VALID_HOST = 'No valid host was found.'
NO_MORE_RETRIES = 'Exceeded maximum number of retries.'


class Refusal(enum.Enum):
    """Why nova-compute refuses a server, in the words of its fault."""

    CANNOT_FIT = ('Requested instance NUMA topology cannot fit the given '
                  'host NUMA topology')
    FILE_BACKED = 'Host does not support guests with custom memory page sizes'
    PAGE_SIZE = ('guests that ask for a memory page size are not allowed on '
                 'this host')
    NO_PAGE_SIZE = ('guests that ask for no memory page size are not allowed '
                    'on this host')


class Way(enum.Enum):
    """How a server is sent to hosts."""

    #: The scheduler chooses among all hosts.
    SCHEDULER = 'scheduler'
    #: The scheduler may choose this host only: parameter host of API 2.74.
    HOST = 'host'
    #: No filter of the scheduler is asked: availability zone ZONE:HOST.
    ZONE = 'zone'


@dataclasses.dataclass(frozen=True)
class Enforcement:
    """What enforces the declared page sizes in a cloud.

    :ivar driver: whether hosts do, with [libvirt] allowed_memory_pagesize
    :ivar aggregates: whether the scheduler does, with
        AggregateMemoryBackingFilter and aggregates that say what is declared
    :ivar numa_filter: whether the scheduler asks NUMATopologyFilter. Without
        it, hosts still refuse what does not fit.
    :ivar page_size_filter: whether the scheduler asks MemoryPageSizeFilter,
        which knows what the drivers of hosts refuse
    """

    driver: bool = True
    aggregates: bool = True
    numa_filter: bool = True
    page_size_filter: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What must become of a server.

    :ivar granted: the page size in KiB, None for none, by the name of each
        host on which it may run
    :ivar faults: texts, one of which its fault has to have if it is refused;
        none if it must not be refused
    :ivar late: names of hosts that refuse it only when they are to build it
    """

    granted: dict
    faults: frozenset
    late: frozenset = frozenset()


def not_about_memory(extra_specs):
    """Choose what a flavor demands besides memory of some kind.

    :param extra_specs: dict
    :returns: dict without those that say where the memory comes from
    """
    return {key: value for key, value in extra_specs.items()
            if not _ABOUT_MEMORY.fullmatch(key)}


def available(host):
    """Tell which page sizes guests that ask for one can get on a host.

    :param host: the host's declaration (inventory.Host)
    :returns: the set of sizes in KiB
    """
    # Nova refuses all guests that ask for a page size there.
    if host.file_backed:
        return set()
    sizes = {host.small_page_kib, *in_pools(host)}
    return {size for size in sizes if host.allows(size)}


def in_pools(host):
    """Tell which large pages a host has, whether guests may have them or not.

    :param host: the host's declaration (inventory.Host)
    :returns: the set of sizes in KiB
    """
    return {pool.size_kib for pool in host.pools if pool.pages}


def forbidding_list(host, known):
    """Choose sizes to allow that leave out one that the host has pages of.

    A list of all that it has would forbid nothing.

    :param host: the declaration of a host with a pool (inventory.Host)
    :param known: the sizes of large pages in KiB that its kernel knows, with
        pages or without
    :returns: a tuple of sizes in KiB: that of small pages, and another one
        if there is one
    """
    first, *others = sorted(in_pools(host))
    chosen = [first] if others else sorted(set(known) - {first})[:1]
    return (host.small_page_kib, *chosen)


def large(host):
    """Tell which large pages guests that ask for some can get on a host.

    :param host: the host's declaration (inventory.Host)
    :returns: the set of sizes in KiB
    """
    return available(host) - {host.small_page_kib}


def granted(host, request, ram_mib):
    """Tell which page size a request is granted on a host with free pages.

    Nova takes the largest that fits
    (nova.virt.hardware._numa_cell_supports_pagesize_request).

    :param host: the host's declaration (inventory.Host)
    :param request: small, large, any, or a size in KiB
    :param ram_mib: the RAM of the guest
    :returns: KiB, or None if the host can never serve the request
    """
    sizes = {size for size in available(host)
             if _fits(host, size, ram_mib * 1024)}
    if request == SMALL:
        sizes &= {host.small_page_kib}
    elif request == LARGE:
        sizes -= {host.small_page_kib}
    elif request != ANY:
        sizes &= {request}
    return max(sizes, default=None)


def _fits(host, size_kib, ram_kib):
    if size_kib == host.small_page_kib:
        return True
    # A guest without a NUMA topology of its own has all pages on one node.
    pages = max(host.node_pages(size_kib).values())
    return ram_kib % size_kib == 0 and pages * size_kib >= ram_kib


def whole_pages(size_kib, ram_mib):
    """Round RAM up to what consists of whole pages.

    :param size_kib: the page size
    :param ram_mib: what is needed
    :returns: MiB
    """
    unit = max(size_kib // 1024, 1)
    return -(-ram_mib // unit) * unit


def whole_ram(hosts, ram_mib):
    """Round RAM up to what consists of whole large pages on all hosts.

    :param hosts: declarations (inventory.Host); some may have none for guests
    :param ram_mib: what is needed
    :returns: MiB
    """
    return max([whole_pages(min(large(host)), ram_mib)
                for host in hosts if large(host)], default=ram_mib)


def common_ram(hosts, ram_mib):
    """Choose RAM for which all hosts grant the same large pages.

    An odd number of pages of one size is no number of whole larger ones, of
    which Nova would grant the largest.

    :param hosts: declarations (inventory.Host) with a size of large pages for
        guests in common
    :param ram_mib: what is needed at least
    :returns: MiB
    """
    size = min(set.intersection(*map(large, hosts)))
    unit = whole_pages(size, 1)
    return (-(-ram_mib // unit) | 1) * unit


def refusal(host, request, ram_mib, driver=True):
    """Tell why a host with free pages refuses a server.

    :param host: the host's declaration (inventory.Host)
    :param request: small, large, any, a size in KiB, or None
    :param ram_mib: the RAM of the guest
    :param driver: whether the host has the driver of nova_mempage
    :returns: a :class:`Refusal`, or None
    """
    if request is None:
        return (None if host.allows(host.small_page_kib)
                else Refusal.NO_PAGE_SIZE)
    # The driver is asked before Nova looks for pages, which it does before
    # it looks where memory comes from.
    if host.file_backed and driver:
        return Refusal.PAGE_SIZE
    if _cannot_fit(host, request, ram_mib, driver):
        return Refusal.CANNOT_FIT
    return Refusal.FILE_BACKED if host.file_backed else None


def _cannot_fit(host, request, ram_mib, driver):
    """Tell whether a host reports no pages for a request."""
    if host.file_backed and driver:
        # The driver reports none of its large pages.
        host = dataclasses.replace(host, pools=())
    return bool(request) and granted(dataclasses.replace(
        host, file_backed=None), request, ram_mib) is None


def outcome(hosts, request, ram_mib, way, enforcement):
    """Tell what must become of a server.

    :param hosts: the declarations of the hosts that it may be sent to
    :param request: small, large, any, a size in KiB, or None
    :param ram_mib: the RAM of the guest
    :param way: a :class:`Way`
    :param enforcement: :class:`Enforcement`
    :returns: :class:`Outcome`
    """
    takers = {}
    faults = set()
    late = set()
    for host in hosts:
        expected = _faults(host, request, ram_mib, way, enforcement)
        faults |= expected
        if expected - {NO_VALID_HOST}:
            late.add(host.name)
        if not expected:
            takers[host.name] = request and granted(
                _as_enforced(host, enforcement), request, ram_mib)
    if takers:
        # The scheduler does not know of all refusals, and may have tried
        # too many of these hosts before it came to one that takes it.
        faults &= {NO_MORE_RETRIES}
    return Outcome(takers, frozenset(faults), frozenset(late))


def _as_enforced(host, enforcement):
    return host if enforcement.driver else _unrestricted(host)


def _unrestricted(host):
    return dataclasses.replace(host, allowed_page_sizes=(ANY,))


def _faults(host, request, ram_mib, way, enforcement):
    """Texts, one of which the fault has on this host; none if it accepts."""
    enforced, driver = _as_enforced(host, enforcement), enforcement.driver
    declared = refusal(host, request, ram_mib, driver)
    by_host = refusal(enforced, request, ram_mib, driver)
    if enforcement.page_size_filter and by_host in (
            Refusal.NO_PAGE_SIZE, Refusal.PAGE_SIZE):
        # Placement is asked for forced hosts as well.
        return {NO_VALID_HOST}
    if way is Way.ZONE:
        return {by_host.value} if by_host else set()
    by_aggregate = enforcement.aggregates and declared and not refusal(
        _unrestricted(host), request, ram_mib, driver)
    cannot_fit = _cannot_fit(enforced, request, ram_mib, driver)
    if by_aggregate or (cannot_fit and enforcement.numa_filter):
        return {NO_VALID_HOST}
    if by_host is None:
        return set()
    # The host's own words are seen where the scheduler never tries again.
    late = {NO_MORE_RETRIES, by_host.value}
    return late | {NO_VALID_HOST} if cannot_fit else late
