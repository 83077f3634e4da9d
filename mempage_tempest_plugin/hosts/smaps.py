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

"""Memory mappings of a process, as /proc/PID/smaps tells them."""

import dataclasses
import re

_HEADER = re.compile(
    r'^(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) (?P<permissions>\S{4}) '
    r'\S+ (?P<major>[0-9a-f]+):(?P<minor>[0-9a-f]+) (?P<inode>\d+)'
    r'(?: +(?P<path>.*))?$')
_DELETED = ' (deleted)'


@dataclasses.dataclass(frozen=True)
class Mapping:
    """One mapping; sizes in KiB, ``device`` is MAJOR:MINOR in decimal."""

    size_kib: int
    shared: bool
    device: str
    inode: int
    path: str
    page_kib: int
    resident_kib: int

    @property
    def anonymous(self):
        """Whether no file of any kind is behind it."""
        return self.inode == 0


def parse(smaps):
    """Read a smaps file.

    Resident memory counts hugepages too, which the kernel leaves out of
    Rss.

    :param smaps: the text of /proc/PID/smaps, or its header lines with at
        least KernelPageSize, Rss, Shared_Hugetlb and Private_Hugetlb
    :returns: list of :class:`Mapping`
    """
    blocks = []
    for line in smaps.splitlines():
        header = _HEADER.match(line)
        if header:
            blocks.append((header, {}))
        elif blocks and line.endswith(' kB'):
            key, value = line.split(':')
            blocks[-1][1][key] = int(value.split()[0])
    return [_mapping(header, values) for header, values in blocks]


def _mapping(header, values):
    return Mapping(
        size_kib=(int(header['end'], 16) - int(header['start'], 16)) // 1024,
        shared=header['permissions'][3] == 's',
        device='%d:%d' % (int(header['major'], 16), int(header['minor'], 16)),
        inode=int(header['inode']),
        path=(header['path'] or '').removesuffix(_DELETED),
        page_kib=values.get('KernelPageSize', 0),
        resident_kib=sum(values.get(key, 0) for key in (
            'Rss', 'Shared_Hugetlb', 'Private_Hugetlb')))
