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

"""The page sizes of the machine that this runs on."""

import os
import pathlib

from nova import objects
from oslo_utils import units

NODES = pathlib.Path('/sys/devices/system/node')


def _hugepage_sizes(node):
    return [int(pool.name.split('-')[1].removesuffix('kB'))
            for pool in node.glob('hugepages/hugepages-*kB')]


def cells():
    """Get the machine's NUMA nodes with the page sizes that they know.

    :returns: list of nova.objects.NUMACell which have no number of pages
    """
    small = os.sysconf('SC_PAGESIZE') // units.Ki
    return [
        objects.NUMACell(
            id=int(node.name.removeprefix('node')),
            mempages=[objects.NUMAPagesTopology(size_kb=size, total=0)
                      for size in (small, *sorted(_hugepage_sizes(node)))])
        for node in sorted(NODES.glob('node[0-9]*'))]
