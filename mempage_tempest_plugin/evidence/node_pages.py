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

"""On which NUMA nodes a server has its large pages."""

import collections

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import pool_counts


def compare(host, server, pools, possible, nova_mib, libvirt_mib, survey):
    """Compare where a server has its pages with where they may be.

    All witnesses have to name the same nodes.

    :param host: the host's declaration (inventory.Host)
    :param server: UUID of the server
    :param pools: the host's node_pools.NodePools
    :param possible: list of dicts of pages by node: where they may be
    :param nova_mib: dict of MiB by node, by Nova's word
    :param libvirt_mib: dict of MiB by node, by libvirt's word
    :param survey: a survey of the host, with that guest
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, server %s, NUMA nodes' % (host.name, server), host.name,
        server)
    name = 'pages of %d KiB, by node' % pools.size_kib
    told = _in_pages(pools, nova_mib)
    expected = told if told in possible else possible[0]
    comparison.holds('nova', name, ' or '.join(map(str, possible)), told,
                     told in possible)
    comparison.equal('libvirt', name, expected, _in_pages(pools, libvirt_mib))
    processes = survey.processes.get(server, [])
    comparison.equal('kernel', 'QEMU processes', 1, len(processes))
    for process in processes:
        # Where the kernel tells nothing, what is free on each node does.
        if process.node_pages is not None:
            comparison.equal('kernel', name, expected, {
                found.node: found.pages for found in process.node_pages
                if found.size_kib == pools.size_kib})
    return comparison


def _in_pages(pools, nodes_mib):
    return {node: pools.to_pages(ram_mib)
            for node, ram_mib in sorted(nodes_mib.items())}


def compare_free(host, before, survey, taken):
    """Compare the free pages of each node with those before.

    :param host: the host's declaration (inventory.Host)
    :param before: a survey of that host
    :param survey: a later survey
    :param taken: dict by (page size in KiB, node) of pages that guests have
        taken meanwhile, and have not given back
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, pools by node' % host.name,
                                  host.name)
    totals, free = _count(before)
    now_totals, now_free = _count(survey)
    for key in sorted(totals):
        comparison.equal('kernel', pool_counts.pages_name(*key), totals[key],
                         now_totals[key])
        comparison.equal('kernel', 'free ' + pool_counts.pages_name(*key),
                         free[key] - taken.get(key, 0), now_free[key])
    return comparison


def compare_reserved(host, pools, survey, ram_mib):
    """Compare what the kernel has with what a guest needs that is refused.

    Without that, the refusal would prove nothing.

    :param host: the host's declaration (inventory.Host)
    :param pools: its node_pools.NodePools
    :param survey: a survey of it
    :param ram_mib: RAM that only a node whose pages are in part reserved has
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, before a guest of %d MiB is refused' % (host.name, ram_mib),
        host.name)
    wanted = pools.to_pages(ram_mib)
    _, free = _count(survey)
    found = free[pools.size_kib, pools.reserved_node]
    comparison.holds(
        'kernel', 'free ' + pool_counts.pages_name(pools.size_kib,
                                                   pools.reserved_node),
        'at least %d' % wanted, found, found >= wanted)
    return comparison


def _count(survey):
    totals = collections.Counter()
    free = collections.Counter()
    for pool in survey.pools:
        totals[pool.size_kib, pool.node] += pool.persistent
        free[pool.size_kib, pool.node] += pool.free
    return totals, free
