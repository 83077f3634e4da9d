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

"""A machine that has booted and has no name yet, to begin others from.

Its memory lies in files that QEMU maps: a machine that begins from there
reads what it needs of them and changes only its own copy. Those that were
begun from one snapshot share what none of them changed.
"""

import functools
import hashlib
import pathlib
import shlex

from mempage_lab.machines import image
from mempage_lab.machines import machine
from mempage_lab.machines import qemu
from mempage_lab.machines import sockets
from mempage_lab import paths
from mempage_lab import systems

STATE = 'state'
# What takes an emulated CPU long and is the same everywhere, done once: what
# it reads stays in the machine's memory.
WARM_UP = (
    # All machines would begin without what did not start here.
    ('sh', '-c', '! systemctl --no-pager --plain --failed --no-legend '
     '| grep .'),
    ('systemctl', 'is-active', 'libvirtd', 'virtlogd', 'ovsdb-server',
     'ovs-vswitchd', 'ovn-controller', 'ssh.socket'),
    # A disk that is plugged in later finds its driver there.
    ('modprobe', '-a', 'nvme', 'dm_mod', 'xfs', 'tun', 'openvswitch'),
    # libvirt asks each QEMU what it can do, and keeps the answers.
    ('virsh', '-q', '-c', 'qemu:///system', 'capabilities'),
    ('virsh', '-q', '-c', 'qemu:///system', 'domcapabilities'),
)
START_NOVA = (
    ('systemctl', 'enable', 'nova-compute'),
    ('systemctl', 'start', 'nova-compute'),
    ('sh', '-c', 'until test -e /run/nova-compute.ready; do sleep 0.5; '
     'systemctl --no-pager --full status nova-compute || exit; done'),
)


class Snapshot:
    """One of them.

    :param image: the :class:`mempage_lab.machines.image.Image` that it boots
    :param hardware: its :class:`mempage_lab.machines.qemu.Hardware`
    :param environment: None or the
        :class:`mempage_lab.machines.environment.Environment` that it has
    """

    def __init__(self, image, hardware, environment=None):
        self.image = image
        self.hardware = hardware
        self.environment = environment

    def arguments(self, directory, cards=()):
        """Return QEMU's arguments for a machine that begins from here.

        :param directory: of the machine's files
        :param cards: its network cards
        """
        return [*qemu.hardware_arguments(self.hardware),
                *qemu.boot_arguments(self.image, self.environment),
                *qemu.device_arguments(directory, cards,
                                       bool(self.environment))]

    @functools.cached_property
    def directory(self):
        """Where it is kept, named after all that it depends on.

        The disks that it boots from must be there.
        """
        recipe = [qemu.version(), self.arguments(pathlib.Path('/')),
                  *qemu.memory_arguments(self.hardware), WARM_UP,
                  image.disk_uuid(self.image.root)]
        if self.hardware.kvm:
            # A guest that saw one CPU goes on badly on another.
            recipe.append(_cpu())
        if self.environment:
            recipe += [image.disk_uuid(self.environment.disk),
                       self.environment.unit(), START_NOVA]
        return paths.CACHE / ('machine-snapshot-' + hashlib.sha256(
            repr(recipe).encode()).hexdigest()[:12])

    def make(self):
        """Boot a machine and save it, unless that was done.

        It appears under its name when it is complete: one that is killed
        leaves neither a process nor anything that is taken for a snapshot.

        :raises LabError: with the end of the machine's console
        """
        self.image.make()
        if self.environment:
            self.environment.make()
        if self.directory.exists():
            return
        try:
            self._boot_and_save()
        except sockets.Lost:
            # An emulated machine was seen to answer nobody any more, once.
            self._boot_and_save()

    def _boot_and_save(self):
        unfinished = self.directory.with_suffix('.new')
        systems.remove_tree(unfinished)
        unfinished.mkdir(parents=True)
        self._make_disks(unfinished)
        bare = machine.Bare(unfinished, self.hardware.kvm)
        try:
            bare.process.start([
                *self.arguments(unfinished),
                *qemu.memory_arguments(self.hardware, unfinished, True)],
                ends_with_us=True)
            bare.wait_for_boot()
            self._warm_up(bare)
            bare.run('sync')
            self._save(bare.process, unfinished)
        except sockets.Lost as error:
            raise sockets.Lost(str(bare.failure('is lost: %s' % error))
                               ) from error
        finally:
            bare.process.kill()
        unfinished.rename(self.directory)

    def _make_disks(self, directory):
        qemu.make_disk(directory / qemu.ROOT, self.image.root)
        if self.environment:
            qemu.make_disk(directory / qemu.ENVIRONMENT,
                           self.environment.disk)

    def give_disks(self, directory):
        """Make the disks of a machine that begins from here.

        :param directory: of the machine's files
        """
        for name in (qemu.ROOT, qemu.ENVIRONMENT):
            base = self.directory / name
            if base.exists():
                qemu.make_disk(directory / name, base)

    def _warm_up(self, bare):
        for command in WARM_UP:
            bare.run(*command)
        if self.environment:
            bare.agent.write(self.environment.unit())
            for command in START_NOVA:
                bare.run(*command)

    @staticmethod
    def _save(process, directory):
        with process.qmp() as peer:
            peer.ask('stop')
            _leave_memory_out(peer)
            peer.ask('migrate', uri='exec:cat > %s' % shlex.quote(
                str(directory / STATE)))
            process.migrated(peer)
        process.quit()

    def load(self, peer):
        """Have a QEMU that waits for it go on from here.

        :param peer: a QMP connection to it
        """
        _leave_memory_out(peer)
        peer.ask('migrate-incoming', uri='exec:cat %s' % shlex.quote(
            str(self.directory / STATE)))


def _leave_memory_out(peer):
    """Have QEMU neither write nor read memory that lies in files."""
    peer.ask('migrate-set-capabilities', capabilities=[
        {'capability': 'x-ignore-shared', 'state': True}])


def _cpu():
    """Return what identifies the CPU to a guest under KVM."""
    lines = pathlib.Path('/proc/cpuinfo').read_text().splitlines()
    return sorted({line for line in lines
                   if line.startswith(('model name', 'flags', 'microcode'))})
