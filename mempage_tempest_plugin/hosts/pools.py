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

"""Hugepage pools, as sysfs tells them."""

import dataclasses
import re

_COUNTER = re.compile(
    r'^/sys/devices/system/node/node(?P<node>\d+)/hugepages/'
    r'hugepages-(?P<size>\d+)kB/(?P<name>\w+)_hugepages:(?P<count>\d+)$')


@dataclasses.dataclass(frozen=True)
class NodePool:
    """One page size (KiB) on one NUMA node, counted in pages."""

    node: int
    size_kib: int
    total: int
    free: int
    surplus: int


def parse(text):
    """Read the pools of all NUMA nodes.

    :param text: what ``grep .`` prints of the counters nr_hugepages,
        free_hugepages and surplus_hugepages, with their paths
    :returns: list of :class:`NodePool`, ordered by node and page size
    """
    counters = {}
    for line in text.splitlines():
        match = _COUNTER.match(line.strip())
        if match:
            key = (int(match['node']), int(match['size']))
            counters.setdefault(key, {})[match['name']] = int(match['count'])
    return [NodePool(node, size, found.get('nr', 0), found.get('free', 0),
                     found.get('surplus', 0))
            for (node, size), found in sorted(counters.items())]
