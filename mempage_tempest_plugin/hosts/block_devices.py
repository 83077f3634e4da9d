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

"""Block devices below a file system, and what has been written to them."""

import dataclasses
import json

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import sections
from mempage_tempest_plugin.hosts import smart

SCRIPT = 'block_devices.sh'
# Which number of /sys/block/NAME/stat counts sectors written, and their size.
_WRITTEN = 6
_SECTOR = 512


@dataclasses.dataclass(frozen=True)
class BlockDevices:
    """What is below a file system, by kernel name: nvme0n1p1.

    :ivar written: dict of bytes written, by the kernel's count; the file
        system's own device first
    :ivar disks: names of the disks at the bottom
    :ivar smart: dict by disk of bytes written, by its own count; without
        those that are not NVMe, or cannot be asked as there is no nvme-cli
    """

    written: dict[str, int]
    disks: list[str]
    smart: dict[str, int]

    @property
    def lacking(self):
        """Why its disks cannot tell what is written; None if they can."""
        others = [disk for disk in self.disks if not disk.startswith('nvme')]
        if not self.disks:
            return 'its store is on no block device'
        if others:
            return 'its store is on %s, which is no NVMe disk' % (
                ', '.join(others))
        if not self.smart:
            return 'nvme-cli is not installed'
        return None


def look(host):
    """Look what has been written below a host's backing store.

    All that is to be written there is written before.

    :param host: the compute_host.ComputeHost, which is file-backed
    :returns: a :class:`BlockDevices`
    :raises HostError: if the host cannot be reached or asked
    """
    directory = host.real(host.declared.file_backed.directory)
    libvirt_root.execute(host.ssh, ['sync', '-f', '--', directory])
    return parse(host.name, describe(
        host, mounts.holding(host.survey().mounts, directory)))


def describe(host, mount):
    """Have a host describe what is below a file system.

    :param host: the compute_host.ComputeHost
    :param mount: its mounts.Mount
    :returns: text in sections, for :func:`parse` and disks.parse
    :raises HostError: if the host cannot be reached or asked
    """
    # With the host's own root directory: a container has no nvme-cli.
    return scripts.run(host.ssh, SCRIPT, number=mount.device,
                       source=mount.source)


def read_ahead_kib(host, mount):
    """Ask how much the kernel reads around what is missing in memory.

    :param host: the compute_host.ComputeHost
    :param mount: the mounts.Mount of the file system
    :returns: KiB; None if the file system has no device of its own
    :raises HostError: if the host cannot be reached
    """
    result = host.ssh.execute(
        ['cat', '/sys/class/bdi/%s/read_ahead_kb' % mount.device],
        check=False)
    return None if result.status else int(result.stdout)


def parse(host, text):
    """Read what the script printed.

    :param host: name of the host, for errors
    :param text: the output
    :returns: a :class:`BlockDevices`
    :raises FactsMissing: if a disk does not tell what is written to it
    """
    written, disks, counted = {}, {}, {}
    for heading, body in sections.split(text).items():
        kind, _, name = heading.partition(' ')
        if kind == 'device':
            _, stat = body.strip().splitlines()
            written[name] = int(stat.split()[_WRITTEN]) * _SECTOR
        elif kind == 'disk':
            disks[name] = None
        elif kind == 'smart':
            counted[name] = _data_units(host, name, body) * smart.DATA_UNIT
    return BlockDevices(written, list(disks), counted)


def _data_units(host, disk, body):
    try:
        # Large numbers are texts in some versions of nvme-cli.
        return int(json.loads(body)['data_units_written'])
    except (KeyError, TypeError, ValueError) as error:
        raise exceptions.FactsMissing(
            host, 'data_units_written of %s: nvme smart-log says %.200r' % (
                disk, body.strip())) from error
