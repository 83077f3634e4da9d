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

"""Compare how many pages are free with how many should be."""

import collections

from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import pools

HOLDERS = 'processes that have large pages, and are no guests'


def taken(guests, boots):
    """Add up the pages that guests have taken from each machine's pools.

    :param guests: iterable of (host name, page size in KiB, RAM in MiB)
    :param boots: dict by host name of the boot ID of its machine: hosts that
        are containers of one machine see each other's guests in the pools
    :returns: dict by boot ID of collections.Counter of pages by page size
    """
    pages = collections.defaultdict(collections.Counter)
    for host, size_kib, ram_mib in guests:
        pages[boots[host]][size_kib] += ram_mib * 1024 // size_kib
    return pages


def compare(host, before, survey, pages):
    """Compare a host's pools with what they were before there were guests.

    Where nodes are declared, each one has to have its pages still. On which
    node a guest has taken some, Nova does not tell.

    :param host: the host's declaration (inventory.Host)
    :param before: a survey of that host
    :param survey: a later survey
    :param pages: dict of pages by page size in KiB that guests have taken
        meanwhile, and have not given back
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, pools' % host.name, host.name)
    by_node = {pool.size_kib for pool in host.pools if pool.node is not None}
    totals, free = _count(before, by_node)
    now_totals, now_free = _count(survey, by_node)
    for size, node in sorted(totals):
        comparison.equal('kernel', pages_name(size, node),
                         totals[size, node], now_totals[size, node])
    for size in sorted(free):
        comparison.equal('kernel', 'free pages of %d KiB' % size,
                         free[size] - pages.get(size, 0), now_free[size])
    return comparison


def compare_untaken(hosts, survey):
    """Compare free pages with those for guests, while there are no guests.

    Nova takes all of them for free, and guests that get none die: whoever
    else has pages has to be content with those that are not for guests.

    :param hosts: declarations (inventory.Host) of a host, and of all others
        that have its pools in common with it
    :param survey: a survey of the first one
    :returns: a facts.Comparison
    """
    wanted = collections.Counter()
    for host in hosts:
        for size in page_sizes.large(host):
            for node, pages in host.node_pages(size).items():
                wanted[size, node] += pages
    comparison = facts.Comparison(
        'host %s, pools before there are guests' % hosts[0].name,
        hosts[0].name)
    for (size, node), pages in wanted.items():
        free = pools.free_pages(survey.pools, size, node)
        comparison.holds(
            'kernel', 'free ' + pages_name(size, node) + ', for guests',
            'at least %d' % pages, free, free >= pages)
    for size, reserved in survey.reserved.items():
        pages = sum(count for (each, _), count in wanted.items()
                    if each == size)
        if not reserved or not pages:
            continue
        # A process may take them at any time, and has not yet.
        free = pools.free_pages(survey.pools, size) - reserved
        comparison.holds(
            'kernel', 'free pages of %d KiB that nobody has reserved '
            '(resv_hugepages), for guests' % size,
            'at least %d' % pages, free, free >= pages)
    return comparison


def compare_used(host, due, of_nobody, used):
    """Compare what nova-compute takes for used with what is handed out.

    Of what placement holds for no server, nova-compute knows nothing.

    :param host: name of the host
    :param due: MiB that are not for guests, or that placement has handed out
    :param of_nobody: which of them are for no server, as
        cloud.Cloud.memory_of_nobody tells it
    :param used: MiB that nova-compute takes for used
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, before its pools are filled' % host, host)
    name = 'MiB used, once update_resources_interval is over'
    if of_nobody:
        name += ' (without those that placement holds for no server: %s)' % (
            ', '.join('%d for consumer %s' % (mib, consumer)
                      for consumer, mib in sorted(of_nobody.items())))
    comparison.equal('compute API', name, due - sum(of_nobody.values()),
                     used)
    return comparison


def compare_holders(comparison, holders, guests):
    """Add who else than guests has large pages mapped.

    :param comparison: the facts.Comparison to add it to
    :param holders: list of page_holders.Holder
    :param guests: iterable of lists of survey.Process
    """
    pids = {process.pid for processes in guests for process in processes}
    comparison.equal('kernel', HOLDERS, [], [
        '%d (%s)' % (holder.pid, holder.program) for holder in holders
        if holder.pid not in pids])


def pages_name(size_kib, node):
    """Name the fact how many pages of a size there are.

    :param size_kib: the page size
    :param node: the NUMA node; None if it is all of them
    """
    name = 'pages of %d KiB' % size_kib
    return name if node is None else '%s on node %d' % (name, node)


def _count(survey, by_node):
    totals = collections.Counter()
    free = collections.Counter()
    for pool in survey.pools:
        node = pool.node if pool.size_kib in by_node else None
        totals[pool.size_kib, node] += pool.persistent
        free[pool.size_kib] += pool.free
    return totals, free
