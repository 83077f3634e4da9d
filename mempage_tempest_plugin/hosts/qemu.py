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

"""QEMU's own objects, asked through its monitor."""

import dataclasses
import re

# Addresses of the first byte of a guest's RAM, if not 0, on the machines that
# Nova asks for.
_RAM_STARTS = {'aarch64': 1 << 30, 'arm': 1 << 30, 'riscv64': 1 << 31}
_ADDRESS = re.compile(r'^Host virtual address for .* is (0x[0-9a-f]+)')
_BACKEND = re.compile(r'^child<(memory-backend-\w+)>$')


@dataclasses.dataclass(frozen=True)
class MemoryBackend:
    """A host memory backend of QEMU.

    :ivar mem_path: None without a file
    :ivar discard: whether QEMU gives up what is in the file when it ends;
        None without a file
    """

    name: str
    type: str
    size: int
    share: bool
    prealloc: bool
    mem_path: str | None
    discard: bool | None = None


def memory_backends(ask):
    """List the memory that QEMU gives to a guest.

    :param ask: function of a QMP command's name and its arguments that
        returns QEMU's answer
    :returns: list of :class:`MemoryBackend`; sizes in bytes
    """
    found = []
    for item in ask('qom-list', path='/objects'):
        match = _BACKEND.match(item['type'])
        if match:
            found.append(_backend(ask, item['name'], match[1]))
    return found


def read_memory(ask, offset, size):
    """Read what a guest has in its RAM, as QEMU sees it.

    :param ask: as of :func:`memory_backends`
    :param offset: where it begins, from the first byte of the RAM; below
        2 GiB, where no machine has put anything between
    :param size: how many bytes
    :returns: bytes
    """
    dump = _ask_of_ram(ask, 'xp /%dxb' % size, offset)
    return bytes(int(byte, 16) for line in dump.splitlines()
                 for byte in line.partition(':')[2].split())


def host_address(ask, offset):
    """Tell where QEMU itself has a guest's RAM in its address space.

    :param ask: as of :func:`memory_backends`
    :param offset: as of :func:`read_memory`
    :returns: the address; None if the guest has no RAM there
    """
    match = _ADDRESS.match(_ask_of_ram(ask, 'gpa2hva', offset))
    return int(match[1], 16) if match else None


def _ask_of_ram(ask, question, offset):
    """Ask the human monitor about an address in the guest's RAM."""
    start = _RAM_STARTS.get(ask('query-target')['arch'], 0)
    return ask('human-monitor-command', **{
        'command-line': '%s 0x%x' % (question, start + offset)})


def _backend(ask, name, kind):
    def get(prop):
        return ask('qom-get', path='/objects/' + name, property=prop)

    found = MemoryBackend(
        name=name, type=kind, size=get('size'), share=get('share'),
        prealloc=get('prealloc'), mem_path=None)
    if kind != 'memory-backend-file':
        return found
    return dataclasses.replace(found, mem_path=get('mem-path'),
                               discard=get('discard-data'))
