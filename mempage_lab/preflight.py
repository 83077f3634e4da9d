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

"""What is checked before anything on the machine is changed."""

import os
import pathlib
import platform
import shutil

import psutil

from mempage_lab import errors
from mempage_lab import hugepages
from mempage_lab import paths
from mempage_lab import shares
from mempage_lab import shell
from mempage_lab import tenant

SYSTEMS = {('debian', '12'), ('debian', '13')}
#: Measured: what the controller and each host take, idle, and what the tests'
#: guests need besides, in MiB.
CONTROLLER_MIB = 2048
HOST_MIB = 320
GUESTS_MIB = 1024
#: Of shares: Ceph, and Manila.
SHARES_MIB = 1024
#: Packages, environments, image and one lab's state, in GiB; and that of the
#: state alone.
DISK_GIB = 8
STATE_GIB = 2
#: What a tree has besides, with a switch of DPDK and Ceph, and Manila.
CONSUMERS_GIB = 1
#: Of machines, while they are made: a tree, disks and a snapshot.
MACHINES_GIB = 5


def check_root():
    """Refuse to go on without root's privileges.

    :raises LabError: if the user is not root
    """
    if os.geteuid() != 0:
        raise errors.LabError('the lab makes namespaces and mounts: run it '
                              'as root or with sudo')


def check_system():
    """Refuse a system that nobody has seen the lab work on.

    :raises LabError: naming the system and those that work
    """
    release = platform.freedesktop_os_release()
    system = release.get('ID', '?'), release.get('VERSION_ID', '?')
    if system not in SYSTEMS or platform.machine() != 'x86_64':
        raise errors.LabError(
            'the lab runs on %s, x86_64; this is %s %s, %s' % (
                ' and '.join(' '.join(known) for known in sorted(SYSTEMS)),
                *system, platform.machine()))


def check_resources(wanted):
    """Refuse a machine that is too small for a topology.

    :param wanted: a :class:`mempage_lab.topology.Topology`
    :raises LabError: saying how much there is and how much it takes
    """
    required = wanted.without_optional(wanted.optional_sizes)
    needed = memory_needed(required)
    available = memory_available()
    if available < needed:
        raise errors.LabError(
            '%d MiB of memory are available, and these %d hosts take %d '
            'MiB: free some, or use a smaller topology'
            % (available, len(wanted.hosts), needed))
    installations = [*wanted.installations,
                     *([shares.manila(wanted)] if wanted.shares else [])]
    cached = all((found.venv / 'complete').exists()
                 for found in installations)
    disk = STATE_GIB if cached else DISK_GIB
    if not cached and (wanted.switched or wanted.shares):
        disk += CONSUMERS_GIB
    if wanted.machines:
        disk += MACHINES_GIB
    _check_disk(paths.STATE if cached else paths.CACHE, disk)
    _check_stores(wanted)


def _check_stores(wanted):
    """Refuse stores that the machine could not hold if tests fill them.

    One at a time: no test fills two hosts' stores and keeps them so.
    """
    room = {'memory': psutil.virtual_memory().total // 2 ** 20,
            'disk': shutil.disk_usage(_existing(paths.STATE)).free // 2 ** 20}
    for host in wanted.hosts:
        store = host.policy.file_backed
        in_memory = store and store.filesystem == 'tmpfs'
        # A ramdisk of a machine is part of the memory that it has anyway.
        if not store or (in_memory and host.machine):
            continue
        place = 'memory' if in_memory else 'disk'
        if store.size_mib > room[place]:
            raise errors.LabError(
                'hosts.%s.file_backed.size_mib: a store of %d MiB on %s takes '
                'up to as much %s, and the machine has %d MiB' % (
                    host.name, store.size_mib, store.filesystem, place,
                    room[place]))


def _check_disk(path, needed):
    free = shutil.disk_usage(_existing(path)).free // 2 ** 30
    if free < needed:
        raise errors.LabError('%d GiB are free for %s, and the lab takes %d '
                              'GiB' % (free, path, needed))


def memory_available():
    """Return the memory in MiB that new processes can have."""
    return psutil.virtual_memory().available // 2 ** 20


def memory_needed(wanted):
    """Return the memory in MiB that a topology takes with a few guests."""
    pools = sum(wanted.pages(size) * size // 1024
                for size in wanted.page_sizes)
    machines = sum(host.machine.memory_mib for host in wanted.machines)
    tenants = tenant.RAM_MIB * sum(host.shape.tenant_guests
                                   for host in wanted.hosts)
    return (CONTROLLER_MIB + HOST_MIB * len(wanted.hosts) + pools + machines
            + GUESTS_MIB + tenants + SHARES_MIB * wanted.shares)


def _existing(path):
    while not path.exists():
        path = path.parent
    return path


def check_kernel(wanted):
    """Refuse a machine whose kernel, or container, withholds what it takes.

    :param wanted: a :class:`mempage_lab.topology.Topology`
    :raises LabError: naming what is missing
    """
    try:
        shell.run('unshare', '--mount', '--net', '--pid', '--uts', '--ipc',
                  '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt')
    except errors.CommandFailed as error:
        raise errors.LabError(
            'root may make no namespaces and mounts here; is this an '
            'unprivileged container? %s' % error) from error
    devices = ['/dev/net/tun']
    # Machines have their own.
    stores = [host.policy.file_backed for host in wanted.hosts
              if not host.machine]
    if any(store and store.filesystem != 'tmpfs' for store in stores):
        devices.append('/dev/loop-control')
    for device in devices:
        if not pathlib.Path(device).exists():
            raise errors.LabError('this machine has no %s' % device)
    check_page_sizes(wanted)


def check_page_sizes(wanted):
    """Refuse page sizes that the kernel does not have.

    :param wanted: a :class:`mempage_lab.topology.Topology`
    :raises LabError: naming the sizes that it has
    """
    known = hugepages.kernel_sizes()
    required = wanted.without_optional(wanted.optional_sizes)
    for size in required.page_sizes:
        if size not in known:
            raise errors.LabError(
                'pools: this kernel has no pages of %d KiB; it has %s'
                % (size, ', '.join(map(str, known)) or 'none'))
