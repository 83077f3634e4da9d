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

"""QEMU's command line for a machine."""

import dataclasses
import json

from mempage_lab import shell

PROGRAM = 'qemu-system-x86_64'
#: What QEMU keeps and makes in a machine's directory.
ROOT, ENVIRONMENT = 'root.qcow2', 'environment.qcow2'
QMP, AGENT = 'qmp.sock', 'agent.sock'
CONSOLE, COMPUTE_LOG, LOG = 'console.log', 'nova-compute.log', 'qemu.log'

# Checksums and segments are left to nobody: there is no hardware to do that,
# and a userspace datapath forwards packets without.
_NO_OFFLOAD = {name: False for name in (
    'csum', 'gso', 'guest_csum', 'guest_tso4', 'guest_tso6', 'guest_ecn',
    'guest_ufo', 'host_tso4', 'host_tso6', 'host_ecn', 'host_ufo')}
# The first slot of disks that are plugged in when the machine runs; those
# before it are its own devices.
_FIRST_DISK_SLOT = 0x10


@dataclasses.dataclass(frozen=True)
class Numa:
    """A NUMA node of a machine.

    :ivar memory_mib: its memory
    :ivar cpus: how many CPUs it has
    """
    memory_mib: int
    cpus: int = 1


@dataclasses.dataclass(frozen=True)
class Hardware:
    """What a machine is made of, as far as it cannot be changed later.

    :ivar numa: its :class:`Numa` nodes, one at least
    :ivar kvm: whether it runs under KVM; it is emulated otherwise
    """
    numa: tuple = (Numa(1024, 1), Numa(1024, 1))
    kvm: bool = False

    @property
    def memory_mib(self):
        """The memory of all nodes."""
        return sum(node.memory_mib for node in self.numa)

    @property
    def cpus(self):
        """The CPUs of all nodes."""
        return sum(node.cpus for node in self.numa)


@dataclasses.dataclass(frozen=True)
class Card:
    """A network card: the first is eth0 in the machine, the second eth1.

    :ivar tap: its tap device, in the machine's network namespace
    :ivar mac: its address
    """
    tap: str
    mac: str


@dataclasses.dataclass(frozen=True)
class Nvme:
    """An NVMe disk.

    The machine has it as /dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_SERIAL.

    :ivar serial: its serial number
    :ivar size_mib: its size; only what is written takes space
    :ivar kind: what a topology file calls it
    """
    serial: str
    size_mib: int
    kind: str = 'nvme'

    @property
    def file(self):
        """Its file in the machine's directory."""
        return 'nvme-%s.qcow2' % self.serial


def version():
    """Return the version of QEMU; another one does not resume its machines."""
    return shell.run(PROGRAM, '--version').splitlines()[0]


def make_disk(path, base):
    """Make a disk that keeps what differs from another one.

    :param path: of the new disk
    :param base: path of the other one, which must not change any more
    """
    shell.run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F',
              base.suffix.replace('.ext4', 'raw').lstrip('.'), '-b', base,
              path)


def make_nvme(directory, disk):
    """Make the file of an NVMe disk, unless it is there."""
    path = directory / disk.file
    if not path.exists():
        # Not raw: what was not flushed is lost with QEMU, see _block().
        shell.run('qemu-img', 'create', '-q', '-f', 'qcow2', path,
                  '%dM' % disk.size_mib)


def hardware_arguments(hardware):
    """Return the arguments that a saved machine and its heirs share.

    :param hardware: a :class:`Hardware`
    """
    yield from ('-no-user-config', '-nodefaults', '-display', 'none',
                '-machine', 'pc,usb=off,vmport=off')
    if hardware.kvm:
        yield from ('-accel', 'kvm', '-cpu', 'host,migratable=on')
    else:
        yield from ('-accel', 'tcg,thread=multi', '-cpu', 'max')
    # Linux wants CPUs of one socket in one NUMA node.
    yield from ('-smp', '{0},sockets={0}'.format(hardware.cpus),
                '-m', str(hardware.memory_mib), '-rtc', 'base=utc')
    first = 0
    for number, node in enumerate(hardware.numa):
        yield from ('-numa', 'node,nodeid={0},memdev=node{0},cpus={1}-{2}'
                    .format(number, first, first + node.cpus - 1))
        first += node.cpus


def memory_arguments(hardware, directory=None, share=False):
    """Return the arguments for a machine's memory.

    :param directory: of files that the memory is in; none for a memory that
        begins empty
    :param share: whether the files change with it
    """
    for number, node in enumerate(hardware.numa):
        memory = {'qom-type': 'memory-backend-ram', 'id': 'node%d' % number,
                  'size': node.memory_mib * 2 ** 20}
        if directory:
            memory.update({'qom-type': 'memory-backend-file', 'share': share,
                           'mem-path': str(directory / memory_file(number))})
        yield from ('-object', json.dumps(memory))


def memory_file(number):
    """Return the name of the file with a NUMA node's memory."""
    return 'memory-%d' % number


def boot_arguments(image, environment):
    """Return the arguments for the kernel.

    :param image: the :class:`mempage_lab.machines.image.Image`
    :param environment: None or the
        :class:`mempage_lab.machines.environment.Environment`
    """
    words = ['console=ttyS0', 'quiet', 'net.ifnames=0', 'rw',
             # Debian's default, without what the CPU is too slow for.
             'mitigations=off', 'nowatchdog', 'audit=0',
             # An emulated timer that comes late is not a broken one.
             'no_timer_check',
             'systemd.show_status=error', 'fsck.mode=skip']
    if environment:
        words.append('systemd.mount-extra=/dev/vdb:%s:ext4:noatime'
                     % environment.mount)
    return ['-kernel', str(image.kernel), '-initrd', str(image.initramfs),
            '-append', ' '.join(words)]


def device_arguments(directory, cards=(), environment=True):
    """Return the arguments for a machine's own devices.

    :param directory: where it has its files; a :class:`pathlib.Path`
    :param cards: two :class:`Card` objects; without, its two network cards
        are plugged into nothing
    :param environment: whether it has a disk with OpenStack
    """
    for node, name in (('console', CONSOLE), ('compute', COMPUTE_LOG)):
        yield from ('-chardev', 'file,id=%s,path=%s,append=on'
                    % (node, directory / name))
    yield from ('-device', _json('isa-serial', chardev='console'))
    yield from ('-qmp', 'unix:%s,server=on,wait=off' % (directory / QMP))
    yield from ('-chardev', 'socket,id=agent,path=%s,server=on,wait=off'
                % (directory / AGENT))
    yield from ('-device', _json('virtio-serial-pci', addr='0x3'))
    yield from ('-device', _json('virtserialport', chardev='agent',
                                 name='org.qemu.guest_agent.0'))
    # The machine's /dev/hvc0. A serial port costs an emulated CPU more.
    yield from ('-device', _json('virtconsole', chardev='compute'))
    yield from ('-device', _json('virtio-rng-pci', addr='0x4'))
    # The kernel's random numbers begin anew in each that is resumed.
    yield from ('-device', 'vmgenid')
    disks = [ROOT, ENVIRONMENT] if environment else [ROOT]
    for number, name in enumerate(disks):
        node = name.removesuffix('.qcow2')
        yield from ('-blockdev', json.dumps(_block(node, directory / name)))
        yield from ('-device', _json('virtio-blk-pci', drive=node,
                                     addr='0x%x' % (5 + number)))
    yield from _card_arguments(cards)


def _card_arguments(cards):
    for number, card in enumerate(cards or (None, None)):
        device = {'addr': '0x%x' % (8 + number), 'romfile': '',
                  **_NO_OFFLOAD}
        if card:
            yield from ('-netdev', 'tap,id=card{},ifname={},script=no,'
                        'downscript=no'.format(number, card.tap))
            device.update(netdev='card%d' % number, mac=card.mac)
        yield from ('-device', _json('virtio-net-pci', **device))


def nvme(number, disk, directory):
    """Return block node and device of an NVMe disk.

    :param number: which of the machine's it is, from 0
    :returns: two dicts, of what QMP's blockdev-add and device_add take
    """
    node = 'nvme%d' % number
    return (_block(node, directory / disk.file),
            {'driver': 'nvme', 'id': 'disk%d' % number, 'drive': node,
             'serial': disk.serial,
             'addr': '0x%x' % (_FIRST_DISK_SLOT + number)})


def nvme_arguments(disks, directory):
    """Return the arguments for the NVMe disks of a machine that boots."""
    for number, disk in enumerate(disks):
        block, device = nvme(number, disk, directory)
        yield from ('-blockdev', json.dumps(block),
                    '-device', json.dumps(device))


def _block(node, path):
    # The machine's memory of what is where in a qcow2 file is written back
    # when the machine flushes its disk. The file is never synchronized, which
    # only a crash of the machine that the lab runs on would need: so a power
    # cut, QEMU's death, loses what was written to a new place and not flushed.
    cache = {'direct': False, 'no-flush': True}
    return {'driver': 'qcow2', 'node-name': node, 'cache': cache,
            'discard': 'unmap',
            'file': {'driver': 'file', 'filename': str(path),
                     'discard': 'unmap'}}


def _json(driver, **properties):
    return json.dumps({'driver': driver, **properties})
