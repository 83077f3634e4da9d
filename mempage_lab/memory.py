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


"""How much memory the nodes take."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import re

from mempage_lab import network

_PROC = pathlib.Path('/proc')
_NETNS = pathlib.Path('/run/netns')


@dataclasses.dataclass(frozen=True)
class Usage:
    """Memory of a node's processes, in KiB.

    Pages that several processes share count once, in equal parts.

    :ivar own: all but what follows
    :ivar shared: files on a tmpfs, as the guests of a host are that is
        file-backed there, and other shared memory
    """
    own: int = 0
    shared: int = 0

    def __add__(self, other):
        return Usage(self.own + other.own, self.shared + other.shared)


def processes(names):
    """Return the machine's numbers of all processes of nodes.

    :param names: the nodes' names
    :returns: dict of name to list of numbers
    """
    result = {name: [] for name in names}
    namespaces = {}
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            namespaces[(_NETNS / (network.PREFIX + name)).stat().st_ino] = name
    for entry in _PROC.glob('[0-9]*'):
        # It may have ended meanwhile.
        with contextlib.suppress(OSError):
            name = namespaces.get(os.stat(entry / 'ns' / 'net').st_ino)
            if name:
                result[name].append(int(entry.name))
    return result


def measure(pids_by_name):
    """Return the memory that groups of processes take.

    :param pids_by_name: dict of name to numbers of processes
    :returns: dict of name to :class:`Usage`
    """
    names = [name for name, pids in pids_by_name.items() for _ in pids]
    pids = [pid for pids in pids_by_name.values() for pid in pids]
    total = dict.fromkeys(pids_by_name, Usage())
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for name, usage in zip(names, pool.map(_usage, pids)):
            total[name] += usage
    return total


def large_pages(pids, but=()):
    """Return the large pages that processes have mapped.

    :param pids: numbers of processes
    :param but: names of programs whose processes do not count
    :returns: dict of page size in KiB to number of pages
    """
    result = collections.Counter()
    for pid in pids:
        rollup = dict(_fields(pid, 'smaps_rollup'))
        mapped = rollup.get('Shared_Hugetlb') or rollup.get('Private_Hugetlb')
        if mapped and _program(pid) not in but:
            size = None
            for name, value in _fields(pid, 'smaps'):
                if name == 'KernelPageSize':
                    size = value
                elif name.endswith('_Hugetlb') and value:
                    result[size] += value // size
    return dict(result)


def _usage(pid):
    rollup = dict(_fields(pid, 'smaps_rollup'))
    shared = rollup.get('Pss_Shmem', 0)
    return Usage(rollup.get('Pss', 0) - shared, shared)


def _program(pid):
    """Return what the kernel keeps of the name of a process's program."""
    try:
        return (_PROC / str(pid) / 'comm').read_text().rstrip('\n')
    except OSError:
        return ''


def _fields(pid, name):
    """Return the fields of a smaps file with their values in KiB."""
    try:
        text = (_PROC / str(pid) / name).read_text()
    except OSError:
        # The process has ended.
        return []
    return [(field, int(value)) for field, value in
            re.findall(r'^(\w+): +(\d+) kB$', text, re.MULTILINE)]
