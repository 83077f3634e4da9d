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

"""On which NUMA nodes a process has its large pages, as numa_maps tells."""

import collections
import dataclasses
import re

_NODE = re.compile(r' N(\d+)=(\d+)')
_SIZE = re.compile(r' kernelpagesize_kB=(\d+)')


@dataclasses.dataclass(frozen=True)
class NodePages:
    """Large pages of one size (KiB) that a process has on one NUMA node."""

    node: int
    size_kib: int
    pages: int


def parse(text):
    """Read a numa_maps file.

    Blanks in the paths of files are escaped there, so that no path looks
    like a count.

    :param text: the text of /proc/PID/numa_maps, or its lines with "huge"
    :returns: list of :class:`NodePages`, ordered by node and page size
    """
    pages = collections.Counter()
    for line in text.splitlines():
        size = _SIZE.search(line)
        if size and 'huge' in line.split():
            for node, count in _NODE.findall(line):
                pages[int(node), int(size[1])] += int(count)
    return [NodePages(node, size, count)
            for (node, size), count in sorted(pages.items())]
