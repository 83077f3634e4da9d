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

"""Pools of large pages that a lab can do without."""

from mempage_lab import hugepages
from mempage_lab import preflight


def settle(wanted, shown):
    """Build the optional pools, and leave out those that cannot be had.

    :param wanted: a :class:`mempage_lab.topology.Topology`
    :param shown: a :class:`mempage_lab.progress.Progress`, which is told what
        is left out
    :returns: the topology as it can be had
    """
    required = wanted.without_optional(wanted.optional_sizes)
    spare = preflight.memory_available() - preflight.memory_needed(required)
    left_out = []
    for size in wanted.optional_sizes:
        pages = wanted.pages(size) - required.pages(size)
        reason = (_too_little_memory(pages * size // 1024, spare)
                  or hugepages.try_build(wanted, size))
        if reason:
            shown.say('%d optional pages of %d KiB are left out: %s'
                      % (pages, size, reason))
            left_out.append(size)
        else:
            spare -= pages * size // 1024
    return wanted.without_optional(left_out)


def _too_little_memory(needed, spare):
    if needed <= spare:
        return None
    return ('they take %d MiB of memory, and the rest of the lab leaves %d '
            'MiB' % (needed, max(spare, 0)))
