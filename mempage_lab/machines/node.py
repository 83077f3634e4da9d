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

"""A node of the lab that is a virtual machine.

It is asked what :class:`mempage_lab.node.Node` is asked. Its QEMU runs in
the node's network namespace, with which it ends.
"""

import contextlib
import functools
import shlex
import shutil

from mempage_lab import errors
from mempage_lab import files
from mempage_lab.machines import agent
from mempage_lab.machines import machine
from mempage_lab.machines import qemu
from mempage_lab import network
from mempage_lab import paths
from mempage_lab import program as programs
from mempage_lab import wait

SETUP = '/etc/mempage-lab/setup.sh'
#: What tells nova-compute that all it needs is there.
GO = '/run/nova-compute.go'
#: What systemd calls the programs, where it does not use their names.
UNITS = {'sshd': 'ssh'}
#: Who is told to start itself anew: the consoles of guests hang on it.
RELOADED = ('virtlogd',)
# systemd's words in those of supervisor.
_WORDS = {'active': 'RUNNING', 'reloading': 'RUNNING', 'failed': 'FATAL',
          'activating': 'STARTING', 'deactivating': 'STOPPING',
          'inactive': 'STOPPED'}
_PROPERTIES = ('ActiveState', 'MainPID', 'ActiveEnterTimestampMonotonic')
#: How much longer an emulated machine may take for anything.
SLOWER = 10


class MachineNode:
    """One node that is a virtual machine.

    :param name: its host name
    :param number: its own, from 2; it names its network ports
    :param address: its address on the management network
    :param installation: the :class:`mempage_lab.installation.Installation`
        that nova-compute is of
    :param disks: its :class:`mempage_lab.machines.qemu.Nvme` disks
    """

    slowness = SLOWER

    def __init__(self, name, number, address, installation, disks=()):
        self.name = name
        self.number = number
        self.address = address
        self.installation = installation
        self.disks = tuple(disks)
        self.namespace = network.PREFIX + name
        self.directory = paths.host(name)
        self.logs = paths.LOGS / name
        self._files = {}

    @property
    def system(self):
        """The :class:`mempage_lab.systems.System` that it runs."""
        return self.installation.system

    @property
    def _here(self):
        return self.directory / 'machine'

    @property
    def _begun(self):
        return self._here / 'begun'

    @functools.cached_property
    def _bare(self):
        # Only the one that starts it needs to know what it is made of.
        return machine.Bare(self._here, False)

    @property
    def pid(self):
        """The number of its QEMU process; None if it is not running."""
        return self._bare.process.pid

    @property
    def has_begun(self):
        """Whether it runs and got all that makes it this node."""
        return bool(self.pid) and self._begun.exists()

    def wait_for_supervisor(self):
        """Wait until it answers; it may be on its way up."""
        self._bare.wait_for_boot()

    def write(self, path, text, mode=0o644, owner='root'):
        """Write one of its files; before it starts, when it does."""
        file = agent.File(text, mode, owner)
        if self.has_begun:
            self._bare.agent.write({path: file})
        else:
            self._files[path] = file

    def start(self, snapshot, extension, hosts, setup):
        """Start it anew, from a snapshot.

        :param snapshot: a :class:`mempage_lab.machines.snapshot.Snapshot`
        :param extension: dict of path to
            :class:`mempage_lab.machines.agent.File`, the extension of Nova
        :param hosts: dict of name to address, for /etc/hosts
        :param setup: shell text that it runs now and at each boot
        :raises LabError: with the end of its console, if it does not come up
        """
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.write(SETUP, setup, mode=0o700)
        self._machine(snapshot).begin(
            hosts, {**self._files, **extension},
            ('bash', '-eu', '-c', 'bash -eu %s && systemctl restart '
             '--no-block ssh libvirtd' % SETUP))
        self._begun.touch()

    def _machine(self, snapshot):
        cards = [qemu.Card(*card) for card in
                 network.plug_machine(self.namespace, self.number)]
        return machine.Machine(
            self.name, self.namespace, self._here, snapshot,
            '%s/24' % self.address, cards, self.disks, self.logs)

    def reboot(self, snapshot, hard=False):
        """Boot it again, and wait until it is up.

        :param snapshot: the one that it was started from
        :param hard: whether its power is cut before
        :raises LabError: with the end of its console, if it does not come up
        """
        booted = self._machine(snapshot)
        if hard and booted.pid:
            booted.cut_power()
        if booted.pid:
            booted.reboot()
        else:
            booted.boot()

    def enter(self, *command):
        """Return the words that run a command inside as root, over ssh.

        :raises LabError: if it is not running
        """
        if not self.pid:
            raise errors.LabError('%s is not running: mempage-lab up'
                                  % self.name)
        return [str(paths.SSH), '-qt', self.name,
                shlex.join(['sudo', 'env', 'PATH=%s'
                            % self.installation.search_path,
                            *map(str, command)])]

    def run(self, *command, input=None, **_):
        """Run a command inside as root and return what it printed."""
        if not self.pid:
            raise errors.LabError('%s is not running: mempage-lab up'
                                  % self.name)
        return self._bare.run(*command, input=input)

    def start_program(self, name):
        """Start one of its programs, unless it runs."""
        if name == 'nova-compute':
            self.run('touch', GO)
        self._systemctl('start', name)

    def stop_program(self, name):
        """Stop one of its programs, if it runs.

        One that must not end is told to start itself anew.

        :raises LabError: if it does not stop
        """
        try:
            self._systemctl('try-reload-or-restart' if name in RELOADED
                            else 'stop', name)
        except errors.CommandFailed as error:
            raise errors.LabError('%s on %s does not stop: %s' % (
                name, self.name, error.output)) from error

    def _systemctl(self, verb, name):
        # A program that ssh or libvirt started by its socket may be gone.
        self.run('systemctl', verb, _unit(name))

    def state(self, name):
        """Return the :class:`mempage_lab.program.State` of a program.

        :raises LabError: if the machine does not answer
        """
        return self._ask_for_states([name])[name]

    def states(self, names):
        """Return the states of programs; empty if it does not answer.

        :param names: the programs' names
        :returns: dict of name to :class:`mempage_lab.program.State`
        """
        try:
            return self._ask_for_states(names)
        except errors.LabError:
            return {}

    def _ask_for_states(self, names):
        told = self.run('sh', '-c', 'cat /proc/uptime; exec systemctl show '
                        '-p "$0" "$@"', ','.join(_PROPERTIES),
                        *map(_unit, names))
        uptime, _, blocks = told.partition('\n')
        now = float(uptime.split()[0])
        return dict(zip(names, (_state(block, now)
                                for block in blocks.strip().split('\n\n'))))

    def wait_for(self, name, ready, limit=60):
        """Wait until a program is ready.

        :param ready: function that returns something true, or raises
            OSError or LabError as long as it is not
        :param limit: seconds, on a host that is not emulated
        :raises LabError: with the end of the program's log
        """
        def is_ready():
            with contextlib.suppress(OSError, errors.LabError):
                return ready()
        if not wait.until(is_ready, limit * SLOWER, 0.3):
            raise errors.LabError(self.explain(name))

    def log(self, name):
        """Return the path of a program's log; only nova-compute has one."""
        return self.logs / (name + '.log')

    def explain(self, name):
        """Return what is known of a program that does not work."""
        try:
            said = self.run('journalctl', '--no-pager', '-n', '20', '-u',
                            _unit(name))
        except errors.LabError as error:
            said = str(error)
        log = self.log(name)
        return '%s on %s does not come up: %s%s' % (
            name, self.name, said,
            '\nthe end of %s:\n%s' % (log, files.tail(log))
            if log.exists() else '')


def _unit(name):
    return UNITS.get(name, name)


def _state(block, now):
    found = dict(line.split('=', 1) for line in block.splitlines())
    word = _WORDS.get(found['ActiveState'], 'UNKNOWN')
    if word != 'RUNNING':
        return programs.State(word)
    since = int(found['ActiveEnterTimestampMonotonic']) / 1e6
    return programs.State(word, int(found['MainPID']) or None,
                          int(now - since))
