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

"""What the devices below a file system are."""

import dataclasses
import json
import re

from mempage_tempest_plugin.hosts import smart

# By how the kernel calls them: what they are, whatever else is known.
_NAMES = (('pmem', 'pmem'), ('ram', 'memory'), ('zram', 'memory'),
          ('loop', 'loop'), ('rbd', 'network'), ('nbd', 'network'),
          ('drbd', 'network'))
# By the target of the device mapper.
_TARGETS = {'thin': 'thin', 'thin-pool': 'thin', 'crypt': 'crypt',
            'multipath': 'multipath', 'raid': 'raid', 'mirror': 'raid'}
# By the word of lsblk.
_TYPES = {'disk': 'disk', 'part': 'partition', 'loop': 'loop', 'lvm': 'lvm',
          'crypt': 'crypt', 'mpath': 'multipath', 'linear': 'raid'}
# How a controller, or a bus, is reached that is elsewhere.
_ELSEWHERE = {'tcp': 'network', 'rdma': 'network', 'fc': 'network',
              'iscsi': 'network', 'fcoe': 'network', 'loop': 'loop'}
_TRANSPORTS = ('nvme', 'sata', 'sas')
# "Linux" is the target of NVMe over fabrics, unless it is told otherwise.
_PLAYED = re.compile(
    r'QEMU|virtual|VBOX|Msft|scsi_debug|null_blk|^Linux$|PersistentDisk|'
    r'nvme_card|Elastic Block Store|Microsoft NVMe', re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Disk:
    """A device at the bottom.

    :ivar transport: nvme, sata, sas, pmem, virtio or other
    :ivar emulated: whether software plays it
    :ivar smart: a smart.Smart; None if it does not tell
    """

    model: str
    serial: str
    firmware: str
    transport: str
    emulated: bool
    size_bytes: int
    block_bytes: int
    read_ahead_kib: int
    scheduler: str
    smart: smart.Smart | None


@dataclasses.dataclass(frozen=True)
class Stack:
    """What is below a file system.

    :ivar kinds: of the layers, the file system's own device first: disk,
        partition, loop, thin, crypt, raid, lvm, multipath, memory, pmem,
        network or other
    :ivar disks: list of :class:`Disk`; none of memory and of loop devices
    """

    kinds: list[str]
    disks: list[Disk]


def parse(found):
    """Read what block_devices.sh printed.

    :param found: dict of texts by heading
    :returns: a :class:`Stack`
    """
    told = _told(found.get('lsblk', ''))
    kinds, disks = [], []
    for heading in found:
        word, _, name = heading.partition(' ')
        if word != 'device':
            continue
        entry = told.get(name, {})
        kind = _kind(name, entry, found)
        kinds.append(kind)
        if 'disk ' + name in found and kind not in ('loop', 'memory'):
            disks.append(_disk(name, entry, found, kind))
    return Stack(kinds, disks)


def _told(text):
    """Read lsblk's tree: dict of entries by kernel name."""
    entries = {}
    left = json.loads(text)['blockdevices'] if text.strip() else []
    while left:
        entry = left.pop()
        left += entry.get('children', [])
        entries[entry['kname']] = entry
    return entries


def _words(found, heading):
    return found.get(heading, '').split()


def _kind(name, entry, found):
    for beginning, kind in _NAMES:
        if re.match(beginning + r'\d', name):
            return kind
    for word in [*_words(found, 'disk ' + name), entry.get('tran')]:
        if word in _ELSEWHERE:
            return _ELSEWHERE[word]
    for target in _words(found, 'target ' + name):
        if target in _TARGETS:
            return _TARGETS[target]
    told = entry.get('type') or ''
    if told.startswith('raid'):
        return 'raid'
    if not told and 'disk ' + name in found:
        return 'disk'
    return _TYPES.get(told, 'other')


def _disk(name, entry, found, kind):
    model = (entry.get('model') or '').strip()
    transport = _transport(name, entry, kind)
    return Disk(
        model, (entry.get('serial') or '').strip(),
        ' '.join(_words(found, 'firmware ' + name)[:1]), transport,
        transport == 'virtio' or bool(_PLAYED.search(model)),
        _whole(entry.get('size')), _whole(entry.get('log-sec')),
        _whole(entry.get('ra')), entry.get('sched') or 'none',
        _smart(name, found))


def _whole(value):
    # Older lsblk writes numbers as texts.
    return int(value or 0)


def _transport(name, entry, kind):
    if kind == 'pmem':
        return 'pmem'
    if re.match(r'vd[a-z]', name):
        return 'virtio'
    told = 'nvme' if name.startswith('nvme') else entry.get('tran')
    return told if told in _TRANSPORTS else 'other'


def _smart(name, found):
    if 'smart ' + name in found:
        return smart.of_nvme(found['smart ' + name])
    if 'smartctl ' + name in found:
        return smart.of_smartctl(found['smartctl ' + name])
    return None
