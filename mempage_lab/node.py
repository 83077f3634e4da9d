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

"""A node of the lab: a set of namespaces whose PID 1 is a supervisor.

The controller and every compute host are nodes. A node sees the machine's
file system, with directories of its own mounted over everything that it
writes to.
"""

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import xmlrpc.client

import psutil
from pyroute2 import netns
from supervisor import xmlrpc as supervisor_xmlrpc

from mempage_lab import errors
from mempage_lab import files
from mempage_lab import network
from mempage_lab import paths
from mempage_lab import pidfile
from mempage_lab import program
from mempage_lab import shell
from mempage_lab import supervisord
from mempage_lab import templates
from mempage_lab import wait

#: What a node has of its own instead of the machine's.
PRIVATE = ('/etc', '/var/cache/libvirt', '/var/log', '/var/tmp',
           '/var/lib')
SOCKET = 'etc/mempage-lab/supervisor.sock'
START_LIMIT = 30
#: Who is told to start itself anew with a signal: the guests write to pipes
#: that virtlogd keeps open this way.
RELOADED = {'virtlogd': 'USR1'}


class Node:
    """One node.

    :param name: its host name
    :param number: its own, from 2: the last octet of its address decides
        nothing, this one names its network ports
    :param address: its address on the management network
    :param installation: the :class:`mempage_lab.installation.Installation`
        that its services are of
    """

    #: How many times as long as usual anything may take.
    slowness = 1

    def __init__(self, name, number, address, installation):
        self.name = name
        self.installation = installation
        self.number = number
        self.address = address
        self.namespace = network.PREFIX + name
        self.directory = paths.host(name)
        self.logs = paths.LOGS / name
        self.init_log = self.logs / 'init.log'
        self._pid_file = pidfile.PidFile(self.directory / 'pid')
        self._socket = self.directory / SOCKET

    @property
    def system(self):
        """The :class:`mempage_lab.systems.System` that it runs."""
        return self.installation.system

    @property
    def pid(self):
        """The machine's number for the node's PID 1; None if not running."""
        return self._pid_file.pid

    def prepare(self):
        """Make the node's directories; keeps those that exist."""
        for directory in PRIVATE:
            private = self.private(directory)
            if directory == '/etc':
                files.copy_tree(self.system.seen('/etc'), private)
            else:
                private.mkdir(parents=True, exist_ok=True)

    def private(self, path):
        """Return where the machine sees a path of the node's own.

        :param path: an absolute path as the node sees it
        """
        if path == '/var/log' or path.startswith('/var/log/'):
            return pathlib.Path(str(self.logs) + path[len('/var/log'):])
        return self.directory / path.lstrip('/')

    def write(self, path, text, mode=0o644, owner='root'):
        """Write one of the node's own files, path as the node sees it."""
        target = self.private(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        target.chmod(mode)
        os.chown(target, *self.system.uid(owner))
        target.write_text(text)

    def start(self, programs, hosts, setup, kvm=False):
        """Start the node's namespaces and its supervisor anew.

        :param programs: its :class:`mempage_lab.program.Program` objects
        :param hosts: dict of name to address, for /etc/hosts
        :param setup: shell text that the node runs before its programs
        :param kvm: whether the node gets /dev/kvm
        :raises LabError: with the end of its log, if it does not come up
        """
        stop(self.name)
        self._write_files(programs, hosts, setup, kvm)
        network.plug_host(self.namespace, self.number, self.address)
        self._spawn()
        self.wait_for_supervisor()

    def _write_files(self, programs, hosts, setup, kvm):
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.write('/etc/hostname', self.name + '\n')
        self.write('/etc/hosts', '127.0.0.1 localhost\n' + ''.join(
            '%s %s\n' % (address, name) for name, address in hosts.items()))
        self.write('/etc/mempage-lab/supervisord.conf', templates.render(
            'supervisord.conf', node=self, programs=programs))
        self.write('/etc/mempage-lab/supervisord.py',
                   pathlib.Path(supervisord.__file__).read_text())
        self.write('/etc/mempage-lab/init.sh', templates.render(
            'init.sh', node=self, private=PRIVATE, setup=setup, kvm=kvm,
            cache=paths.CACHE))

    def _spawn(self):
        with self.init_log.open('w') as log:
            parent = subprocess.Popen(
                ['nsenter', '--net=/run/netns/' + self.namespace,
                 'unshare', '--mount', '--uts', '--ipc', '--pid', '--fork',
                 '--kill-child=SIGKILL', '--propagation', 'private',
                 'bash', self.private('/etc/mempage-lab/init.sh')],
                stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, cwd='/',
                env={'PATH': shell.PATH,
                     'LANG': 'C.UTF-8'})
        if not wait.until(functools.partial(self._note_pid, parent),
                          START_LIMIT, 0.01):
            raise self._init_failure()

    def _note_pid(self, parent):
        """Write down the node's PID 1, if it is there."""
        if parent.poll() is not None:
            raise self._init_failure()
        children = psutil.Process(parent.pid).children()
        if children:
            self._pid_file.write(children[0].pid)
        return bool(children)

    def wait_for_supervisor(self):
        """Wait until the node's supervisor can be asked.

        :raises LabError: with the end of the node's log, if it cannot
        """
        if not wait.until(self._supervisor_answers, START_LIMIT, 0.05):
            raise self._init_failure()

    def _supervisor_answers(self):
        if not self.pid:
            raise self._init_failure()
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            return self.supervisor.getState()

    def _init_failure(self):
        return errors.LabError(
            'node %s does not start; the end of %s:\n%s' % (
                self.name, self.init_log, files.tail(self.init_log)))

    def enter(self, *command):
        """Return the words that run a command inside the node.

        :raises LabError: if the node is not running
        """
        if not self.pid:
            raise errors.LabError('%s is not running: mempage-lab up'
                                  % self.name)
        return ['nsenter', '--target', str(self.pid), '--mount', '--uts',
                '--ipc', '--net', '--pid', '--', *map(str, command)]

    def run(self, *command, **kwargs):
        """Run a command inside the node and return what it printed."""
        return shell.run(*self.enter(*command), **kwargs)

    @property
    def supervisor(self):
        """The supervisor's XML-RPC interface."""
        transport = supervisor_xmlrpc.SupervisorTransport(
            serverurl='unix://%s' % self._socket)
        return xmlrpc.client.ServerProxy('http://node',
                                         transport=transport).supervisor

    def start_program(self, program):
        """Start one of the node's programs, unless it runs.

        :raises LabError: with the end of its log, if it cannot be started
        """
        try:
            self.supervisor.startProcess(program, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != supervisor_xmlrpc.Faults.ALREADY_STARTED:
                raise errors.LabError(self.explain(program)) from fault

    def stop_program(self, program):
        """Stop one of the node's programs, if it runs.

        :raises LabError: if it does not stop
        """
        try:
            if program in RELOADED:
                self.supervisor.signalProcess(program, RELOADED[program])
            else:
                self.supervisor.stopProcess(program)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != supervisor_xmlrpc.Faults.NOT_RUNNING:
                raise errors.LabError('%s on %s does not stop: %s' % (
                    program, self.name, fault.faultString)) from fault

    def state(self, program):
        """Return the :class:`mempage_lab.program.State` of a program."""
        return _state(self.supervisor.getProcessInfo(program))

    def states(self, programs):
        """Return the states of programs, as far as they are known.

        :param programs: their names
        :returns: dict of name to :class:`mempage_lab.program.State`; empty
            if the node is on its way up or down
        """
        if not self.pid:
            return {}
        try:
            infos = self.supervisor.getAllProcessInfo()
        except (OSError, xmlrpc.client.Error):
            return {}
        return {info['name']: _state(info) for info in infos
                if info['name'] in programs}

    def wait_for(self, program, ready, limit=60):
        """Wait until a program that runs in the node is ready.

        :param ready: function that returns something true, or raises
            OSError or CommandFailed as long as it is not
        :param limit: seconds
        :raises LabError: with the end of the program's log
        """
        if not wait.until(functools.partial(self._is_ready, program, ready),
                          limit, 0.1):
            raise errors.LabError(self.explain(program))

    def _is_ready(self, program, ready):
        if self.state(program).word in ('FATAL', 'EXITED'):
            raise errors.LabError(self.explain(program))
        with contextlib.suppress(OSError, errors.CommandFailed):
            return ready()

    def log(self, program):
        """Return the path of a program's log, as the machine sees it."""
        return self.logs / (program + '.log')

    def explain(self, program):
        """Return what is known of a program that does not work."""
        return '%s on %s does not come up; the end of %s:\n%s' % (
            program, self.name, self.log(program),
            files.tail(self.log(program)))

    def remove(self):
        """Remove the node's files; it must have been stopped."""
        shutil.rmtree(self.directory, ignore_errors=True)


def _state(info):
    running = info['statename'] == 'RUNNING'
    return program.State(info['statename'], info['pid'] if running else None,
                         info['now'] - info['start'] if running else None)


def stop(name):
    """End everything that runs in a node, whatever state it is in.

    The node's PID 1 takes all others with it, and the last of them the
    node's mounts.
    """
    namespace = network.PREFIX + name
    processes = []
    for pid in map(int, shell.run('ip', 'netns', 'pids',
                                  namespace).split() if namespace
                   in netns.listnetns() else ()):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.kill()
            processes.append(process)
    psutil.wait_procs(processes, timeout=10)
    network.remove(namespace)
    private = paths.host(name)
    for remains in (private / 'pid', private / SOCKET):
        remains.unlink(missing_ok=True)
