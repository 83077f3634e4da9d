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

"""What one round trip to a host tells about guest memory."""

import dataclasses
import re

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import numa_maps
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.hosts import sections
from mempage_tempest_plugin.hosts import smaps

SCRIPT = 'survey.sh'
_MAPPER = re.compile(r'^/proc/(\d+)/maps:\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) ')
_MEMORY = re.compile(r'^(\w+): +(\d+) kB$', re.MULTILINE)
_NODE_MEMORY = re.compile(r'^Node (\d+) MemTotal: +(\d+) kB$', re.MULTILINE)
_BLOCK = 512


@dataclasses.dataclass(frozen=True)
class Process:
    """A QEMU process of a guest; ``uid`` and ``gid`` are in effect.

    :ivar node_pages: its large pages by NUMA node; None if the host has one
        node only, or its kernel does not tell
    """

    pid: int
    uid: int
    mappings: list[smaps.Mapping]
    node_pages: list[numa_maps.NodePages] | None = None
    gid: int | None = None


@dataclasses.dataclass(frozen=True)
class Store:
    """Space of the file system of a backing store, in bytes.

    :ivar available: what others than root may have of what is free
    :ivar in_guests: the part of what is in files that guests' memory is
    """

    total: int
    free: int
    in_files: int
    available: int
    in_guests: int

    @property
    def unexplained(self):
        """What is used, but by no file that still has a name."""
        return self.total - self.free - self.in_files

    @property
    def room(self):
        """What guests have, or can have."""
        return self.available + self.in_guests


@dataclasses.dataclass(frozen=True)
class Survey:
    """The answer of :data:`SCRIPT`, parsed.

    :ivar hostname: the machine's name
    :ivar boot: the kernel's boot ID: hosts that have it in common are
        containers of one machine, and so have its pools in common
    :ivar memory_mib: the host's RAM
    :ivar files: by path: the backing directory, what is in it, what guests
        have on any hugetlbfs, the files asked for, and all directories above
        these
    :ivar store: None where nothing is mounted
    :ivar processes: by guest UUID
    :ivar mappers: by file asked for: who maps its inode number, as
        (PID, device)
    :ivar programs: by PID of those who map a file: the name of the program
    :ivar available_mib: how much RAM the kernel could still hand out; None if
        it does not tell
    :ivar small_page_kib: the kernel's page size; None if it is not told
    :ivar backing_directory: where guests' files are, or would be
    :ivar real_paths: by declared path of the store: the one that all paths
        here begin with, see compute_host.ComputeHost.real_paths
    :ivar nodes_mib: the RAM of all NUMA nodes together, which is less while
        some of it is being plugged in; None if the kernel does not tell
    :ivar node_memory: the RAM by NUMA node, in MiB
    :ivar reserved: as pools.parse_reserved tells it
    """

    hostname: str
    boot: str
    memory_mib: int
    mounts: list[mounts.Mount]
    pools: list[pools.NodePool]
    files: dict[str, files.File]
    store: Store | None
    processes: dict[str, list[Process]]
    mappers: dict[str, list[tuple[int, str]]]
    programs: dict[int, str] = dataclasses.field(default_factory=dict)
    available_mib: int | None = None
    nodes_mib: int | None = None
    node_memory: dict[int, int] = dataclasses.field(default_factory=dict)
    reserved: dict[int, int] = dataclasses.field(default_factory=dict)
    small_page_kib: int | None = None
    backing_directory: str | None = None
    real_paths: dict[str, str] = dataclasses.field(default_factory=dict)

    def real(self, declared):
        """Spell a declared path of the store as all paths here.

        :param declared: the backing directory, or the store's mount point
        """
        return self.real_paths.get(declared, declared)


def take(ssh, host, directory, store, guests, paths):
    """Look at the kernel and the file systems of a host, in one round trip.

    It has libvirt's root directory, and paths without symbolic links.

    :param ssh: ssh.SSHConnection of the host
    :param host: name of the host, for errors
    :param directory: where guests' files are, or would be
    :param store: declared mount point of the backing store, or None
    :param guests: UUIDs of guests that may run there
    :param paths: backing files to look at
    :returns: a :class:`Survey`
    :raises HostError: if the host cannot be reached or asked
    """
    found = parse(host, libvirt_root.run(
        ssh, SCRIPT, paths, find_format=files.FIND_FORMAT,
        below=files.GUESTS, directory=directory, store=store or '',
        guests=' '.join(guests)))
    return dataclasses.replace(found, backing_directory=directory)


def parse(host, text):
    """Read what the script printed.

    :param host: name of the host, for errors
    :param text: the output
    :returns: a :class:`Survey`
    :raises FactsMissing: if the output lacks a section it must have
    """
    found = sections.split(text)
    for name in ('hostname', 'boot', 'memory', 'mounts', 'pools'):
        if name not in found:
            raise exceptions.FactsMissing(
                host, 'no section %r in the survey: %.200r' % (name, text))
    known = files.parse(found.get('files', ''))
    for name, body in found.items():
        if name.startswith('path '):
            known.update(files.parse(body))
    memory = dict(_MEMORY.findall(found['memory']))
    nodes = {int(node): int(kib) for node, kib
             in _NODE_MEMORY.findall(found['memory'])}
    return Survey(
        hostname=found['hostname'].strip(),
        boot=found['boot'].strip(),
        memory_mib=int(memory['MemTotal']) // 1024,
        mounts=mounts.parse(found['mounts']),
        pools=pools.parse(found['pools']),
        files=known,
        store=_store(found.get('store')),
        processes=_processes(found),
        mappers={name.partition(' ')[2]: _mappers(body)
                 for name, body in found.items()
                 if name.startswith('maps ')},
        programs={int(pid): program for name, body in found.items()
                  if name.startswith('programs ')
                  for pid, program in re.findall(r'^(\d+) (.+)$', body, re.M)},
        available_mib=(int(memory['MemAvailable']) // 1024
                       if 'MemAvailable' in memory else None),
        reserved=pools.parse_reserved(found.get('reserved', '')),
        nodes_mib=sum(nodes.values()) // 1024 if nodes else None,
        node_memory={node: kib // 1024 for node, kib in (
            nodes or {0: int(memory['MemTotal'])}).items()},
        small_page_kib=_page_kib(found.get('page', '')))


def _page_kib(body):
    return int(body) // 1024 if body.strip() else None


def _store(body):
    if body is None:
        return None
    size, total, free, available, files, guests = (
        int(word) for word in body.split())
    return Store(size * total, size * free, _BLOCK * files, size * available,
                 _BLOCK * guests)


def _processes(found):
    processes = {}
    for name, body in found.items():
        if not name.startswith('process ') or not body.strip():
            continue
        _, guest, pid = name.split()
        mappings = smaps.parse(found.get('smaps %s %s' % (guest, pid), ''))
        numa = found.get('numa %s %s' % (guest, pid))
        uid, gid = (int(word) for word in body.split())
        processes.setdefault(guest, []).append(Process(
            int(pid), uid, mappings,
            None if numa is None else numa_maps.parse(numa), gid))
    return processes


def _mappers(body):
    found = set()
    for line in body.splitlines():
        match = _MAPPER.match(line)
        if match:
            found.add((int(match[1]), '%d:%d' % (int(match[2], 16),
                                                 int(match[3], 16))))
    return sorted(found)
