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

"""A compute host that is a virtual machine."""

import shutil
import time
import uuid

from mempage_lab import errors
from mempage_lab import files
from mempage_lab.machines import agent
from mempage_lab.machines import process
from mempage_lab.machines import qemu
from mempage_lab import wait

#: Where a machine reads who it is; see mempage-settle.
IDENTITY = '/etc/mempage-lab/machine'
#: What tells its kernel from others until it boots: all that go on from one
#: snapshot have the boot ID of that.
BOOT_ID = '/run/mempage-boot-id'
# Seconds; an emulated CPU is 10 to 30 times slower, and shares a real one.
_BOOT_LIMIT = {True: 120, False: 1200}
_ANSWER_LIMIT = {True: 10, False: 60}
_RUN_LIMIT = {True: 60, False: 600}
# Given the boot that it was in before. What waits knows of failed units, too.
_HAS_BOOTED = """test "$(cat /proc/sys/kernel/random/boot_id)" != "$1" &&
systemctl is-system-running --wait | grep -qE 'running|degraded'"""
# Given the time, BOOT_ID and the words of a command.
_GO_ON = """mount --bind "$1" /proc/sys/kernel/random/boot_id &&
/usr/local/sbin/mempage-settle "$0" && shift && "$@"
"""
# What the console says when there is nothing to wait for any more.
_DEAD_ENDS = ('Kernel panic - not syncing', 'You are in emergency mode',
              'initramfs: no root')


class Bare:
    """A machine without an identity: QEMU, its console and its agent.

    :param directory: of its files; a :class:`pathlib.Path`. The path must
        be short: it has sockets in it
    :param kvm: whether it runs under KVM
    """

    def __init__(self, directory, kvm):
        self.directory = directory
        self.kvm = kvm
        self.process = process.Process(directory)
        self.agent = agent.Agent(directory / qemu.AGENT, _ANSWER_LIMIT[kvm])
        self.console = directory / qemu.CONSOLE

    def run(self, *command, input=None, limit=None):
        """Run a command inside and return what it printed.

        :param command: its words
        :param input: text or bytes for its standard input
        :param limit: seconds that it may take
        :raises CommandFailed: if it ends with a non-zero status
        :raises LabError: if the machine does not answer
        """
        return self.agent.run(*command, input=input,
                              limit=limit or _RUN_LIMIT[self.kvm])

    def wait_for_boot(self, before=None, since=0):
        """Wait until the machine has booted.

        :param before: the boot that it was in before
        :param since: how long its console was then
        :raises LabError: with the end of its console, if it does not
        """
        if not wait.until(lambda: self._is_booted(before, since),
                          _BOOT_LIMIT[self.kvm], 0.3):
            raise self.failure('has not booted in time')

    def _is_booted(self, before, since):
        if not self.process.pid:
            raise self.failure('ended')
        said = self._said(since)
        for words in _DEAD_ENDS:
            if words in said:
                raise self.failure('does not boot')
        if not self.agent.answers():
            return False
        try:
            self.run('sh', '-c', _HAS_BOOTED, 'sh', before or '',
                     limit=_BOOT_LIMIT[self.kvm])
        except errors.LabError:
            return False
        return True

    def _said(self, since):
        try:
            with self.console.open('rb') as console:
                console.seek(since)
                return console.read().decode(errors='replace')
        except FileNotFoundError:
            return ''

    def console_size(self):
        """Return how long its console is by now."""
        return self.console.stat().st_size if self.console.exists() else 0

    def failure(self, what):
        """Return an error with the end of the machine's console.

        :param what: what is wrong
        """
        return errors.LabError(
            'the machine in %s %s; the end of its console:\n%s\n%s' % (
                self.directory, what, files.tail(self.console, 40),
                files.tail(self.process.log)))


class Machine(Bare):
    """One machine.

    :param name: its host name
    :param namespace: the network namespace that its QEMU runs in, and that
        its taps are in
    :param directory: for its files
    :param snapshot: the :class:`mempage_lab.machines.snapshot.Snapshot` that
        it begins as
    :param address: of its first card, with the length of the prefix
    :param cards: its two :class:`mempage_lab.machines.qemu.Card` objects
    :param disks: its :class:`mempage_lab.machines.qemu.Nvme` disks
    :param logs: the directory that its logs are kept in
    """

    def __init__(self, name, namespace, directory, snapshot, address, cards,
                 disks, logs):
        super().__init__(directory, snapshot.hardware.kvm)
        self.name = name
        self.namespace = namespace
        self.snapshot = snapshot
        self.address = address
        self.cards = cards
        self.disks = disks
        self.logs = logs

    @property
    def pid(self):
        """The number of its QEMU process; None if it is not running."""
        return self.process.pid

    def begin(self, hosts, more=None, then=('true',)):
        """Start it anew: with new disks, from where its snapshot ends.

        :param hosts: dict of names to addresses, for /etc/hosts
        :param more: dict of path to :class:`mempage_lab.machines.agent.File`,
            what it gets before anybody can reach it
        :param then: the words of a command that it runs at last
        :returns: what that command printed
        :raises LabError: with what QEMU or the machine said
        """
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        for log in (qemu.CONSOLE, qemu.COMPUTE_LOG, qemu.LOG):
            (self.directory / log).symlink_to(self.logs / log)
        self.snapshot.make()
        self.snapshot.give_disks(self.directory)
        for disk in self.disks:
            qemu.make_nvme(self.directory, disk)
        self._resume()
        return self.agent.write(
            {**self._identity(hosts), **(more or {})},
            ('sh', '-c', _GO_ON, '%.2f' % time.time(), BOOT_ID, *then),
            limit=_RUN_LIMIT[self.kvm])

    def _resume(self):
        hardware = self.snapshot.hardware
        self.process.start([
            *self._arguments(), '-incoming', 'defer',
            *qemu.memory_arguments(hardware, self.snapshot.directory)],
            self.namespace)
        with self.process.qmp() as peer:
            self.snapshot.load(peer)
            self.process.migrated(peer)
            for number, disk in enumerate(self.disks):
                block, device = qemu.nvme(number, disk, self.directory)
                peer.send('blockdev-add', block)
                peer.answer()
                peer.send('device_add', device)
                peer.answer()
            peer.ask('cont')

    def boot(self):
        """Boot it with the disks that it has, and wait until it is up.

        :raises LabError: with the end of its console, if it does not come up
        """
        if self.pid:
            raise errors.LabError('%s is running already' % self.name)
        since = self.console_size()
        self.process.start([
            *self._arguments(), *qemu.memory_arguments(self.snapshot.hardware),
            *qemu.nvme_arguments(self.disks, self.directory)], self.namespace)
        self.wait_for_boot(since=since)

    def _arguments(self):
        return ['-name', self.name, *self.snapshot.arguments(
            self.directory, self.cards)]

    def reboot(self):
        """Have it reboot in order, and wait until it is up again.

        :raises LabError: with the end of its console, if it does not come up
        """
        since = self.console_size()
        before = self.run('cat', '/proc/sys/kernel/random/boot_id').strip()
        # The agent's own command may wait for what waits for the agent.
        self.agent.launch('systemctl', '--no-block', 'reboot')
        self.wait_for_boot(before, since)

    def cut_power(self):
        """End it at once; :meth:`boot` is what comes next.

        What its kernel had not written is lost, and of what it had written to
        new places of its disks that which it had not flushed.
        """
        self.process.kill()

    def _identity(self, hosts):
        management, external = self.cards
        unique = uuid.uuid5(uuid.NAMESPACE_DNS, self.name).hex
        table = ''.join('%s %s\n' % (address, name)
                        for name, address in hosts.items())
        texts = {BOOT_ID: '%s\n' % uuid.uuid4(),
                 '/etc/hostname': self.name + '\n',
                 '/etc/hosts': '127.0.0.1 localhost\n' + table,
                 '/etc/machine-id': unique + '\n',
                 # Otherwise that of the snapshot comes back at each boot.
                 '/etc/openvswitch/system-id.conf': self.name + '\n',
                 IDENTITY: 'ADDRESS=%s\nMANAGEMENT_MAC=%s\nEXTERNAL_MAC=%s\n'
                           % (self.address, management.mac, external.mac)}
        return {path: agent.File(text) for path, text in texts.items()}
