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

"""What a schema cannot say of a topology's hosts."""

import pathlib

from mempage_lab import errors

#: What machines run, and nothing else was tried.
MACHINE_SYSTEM = 'debian-13'


def check(path, hosts):
    """Refuse hosts that cannot be, each by the key that is wrong.

    :param path: of the topology's file
    :param hosts: list of :class:`mempage_lab.topology.LabHost`
    :raises LabError: naming the file and the key
    """
    direct = [host.name for host in hosts if not host.shape.jump]
    for host in hosts:
        where = '%s: hosts.%s.' % (path, host.name)
        store = host.policy.file_backed
        if host.machine:
            _check_machine(where, host)
        if store and store.disk:
            _check_disk(where, store, host.machine)
        _check_pools(where, host)
        if store:
            _check_store(where + 'file_backed.', store)
        if host.shape.jump not in (None, *direct):
            raise errors.LabError(
                '%sjump: %s is not a host that the tests can reach without '
                'another one; such are %s' % (
                    where, host.shape.jump, ', '.join(direct) or 'none'))
        if host.shape.switch and host.shape.contained:
            raise errors.LabError(
                '%sswitch: not of a host whose services are contained: '
                'nobody has tried it' % where)


def _check_store(where, store):
    if store.capacity_mib > store.size_mib:
        raise errors.LabError(
            '%ssize_mib: %d MiB cannot hold the declared capacity of %d MiB'
            % (where, store.size_mib, store.capacity_mib))
    if store.link and pathlib.PurePath(store.directory).is_relative_to(
            store.link):
        raise errors.LabError(
            '%slink: %s cannot be a link to %s' % (
                where, store.link, store.directory))


def _check_machine(where, host):
    """Refuse what a machine cannot be, or cannot have."""
    store = host.policy.file_backed
    unusual = [key for key in ('contained', 'domain', 'jump', 'switch')
               if getattr(host.shape, key)]
    if unusual or store and store.link:
        raise errors.LabError('%s%s: not of a machine' % (
            where, unusual[0] if unusual else 'file_backed.link'))
    if host.system != MACHINE_SYSTEM:
        raise errors.LabError('%ssystem: a machine runs %s, not %s' % (
            where, MACHINE_SYSTEM, host.system))
    if len({disk.serial for disk in host.machine.disks}) < len(
            host.machine.disks):
        raise errors.LabError(
            '%smachine.disks: two have the same serial number' % where)
    if (store and store.filesystem == 'tmpfs'
            and store.size_mib > host.machine.memory_mib):
        raise errors.LabError(
            '%sfile_backed.size_mib: %d MiB, and the machine has %d MiB of '
            'memory' % (where, store.size_mib, host.machine.memory_mib))


def _check_disk(where, store, machine):
    """Refuse a store on a disk that cannot hold it."""
    disks = {disk.serial: disk for disk in machine.disks} if machine else {}
    if store.disk not in disks:
        raise errors.LabError('%sfile_backed.disk: %s; it has %s' % (
            where, store.disk, ', '.join(disks) or 'no disks'))
    if store.size_mib > disks[store.disk].size_mib:
        raise errors.LabError(
            '%sfile_backed.size_mib: %d MiB, and the disk %s has %d MiB' % (
                where, store.size_mib, store.disk,
                disks[store.disk].size_mib))
    if store.filesystem == 'tmpfs':
        raise errors.LabError(
            '%sfile_backed.disk: a tmpfs is not on a disk' % where)


def _check_pools(where, host):
    """Refuse pools on NUMA nodes that a host does not have."""
    nodes = len(host.machine.numa) if host.machine else 1
    for pool in host.policy.pools:
        if pool.node is None and pool.reserved and nodes > 1:
            raise errors.LabError(
                '%spools: reserved pages of %d KiB: on which NUMA node? Nova '
                'keeps them back by node' % (where, pool.size_kib))
        if pool.node is not None and pool.node >= nodes:
            raise errors.LabError(
                '%spools: NUMA node %d; the host has %s' % (
                    where, pool.node, 'one node, 0' if nodes == 1
                    else 'nodes 0 to %d' % (nodes - 1)))
