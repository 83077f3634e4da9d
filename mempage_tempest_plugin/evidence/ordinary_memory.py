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


"""Memory that Nova hands out to ordinary guests, and pools have taken.

Nova's MEMORY_MB is all of a host's RAM, that of its pools of large pages
included. Guests without large pages cannot have that.
"""

import collections

from mempage_tempest_plugin.evidence import facts


def is_at_stake(host):
    """Tell whether ordinary guests may be where there are pools.

    :param host: the host's declaration (inventory.Host)
    """
    return (host.file_backed is None and host.allows(host.small_page_kib)
            and any(pool.pages or pool.reserved for pool in host.pools))


def beyond_small_pages(survey):
    """Choose RAM that is more than the small pages of any NUMA node.

    It is half of the way to the RAM of the largest node.

    :param survey: a survey.Survey
    :returns: MiB; None if the largest node has all of its RAM in small pages
    """
    memory = survey.node_memory
    pools_kib = collections.Counter()
    for pool in survey.pools:
        pools_kib[pool.node] += pool.persistent * pool.size_kib
    small = max(memory[node] - pools_kib[node] // 1024 for node in memory)
    most = max(memory.values())
    return small + (most - small) // 2 if most > small else None


def compare(host, survey, total_mib, reserved_mib):
    """Compare what Nova hands out with what pools leave.

    It agrees if the inventory does not say that it has to fit. What a ratio
    makes of it is the operator's.

    :param host: the host's declaration (inventory.Host)
    :param survey: a survey of the host
    :param total_mib: MEMORY_MB
    :param reserved_mib: the part of it that is for no guest
    :returns: a facts.Comparison
    """
    pools_mib = sum(pool.persistent * pool.size_kib
                    for pool in survey.pools) // 1024
    left_mib = survey.memory_mib - pools_mib
    given_mib = total_mib - reserved_mib
    fits = given_mib <= left_mib
    comparison = facts.Comparison(
        'host %s, guests without large pages' % host.name, host.name)
    comparison.holds(
        'Nova', 'MEMORY_MB less reserved_host_memory_mb',
        'at most %d' % left_mib,
        given_mib if fits else
        '%d%s: the pools have %d MiB of the host\'s %d, and Nova hands them '
        'out once more. reserved_host_memory_mb = %d leaves what there is; '
        'guests with large pages then count against that, too' % (
            given_mib, '' if host.memory_mb_without_pools else ' (a hazard)',
            pools_mib, survey.memory_mib, total_mib - left_mib),
        fits or not host.memory_mb_without_pools)
    return comparison
