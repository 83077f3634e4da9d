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

"""The QEMU process of a machine, known by the directory of its files."""

import contextlib
import subprocess

import psutil

from mempage_lab import errors
from mempage_lab import files
from mempage_lab.machines import qemu
from mempage_lab.machines import sockets
from mempage_lab import pidfile
from mempage_lab import shell
from mempage_lab import wait

# QEMU starts in a moment; a busy machine may take longer.
_START_LIMIT = 60
_QMP_LIMIT = 60


class Process:
    """A QEMU that runs, or does not.

    :param directory: of the machine's files; a :class:`pathlib.Path`
    """

    def __init__(self, directory):
        self.directory = directory
        self.log = directory / qemu.LOG
        self._pid_file = pidfile.PidFile(directory / 'pid')

    @property
    def pid(self):
        """QEMU's process number; None if it is not running."""
        return self._pid_file.pid

    def start(self, arguments, namespace=None, ends_with_us=False):
        """Start QEMU.

        :param arguments: its arguments
        :param namespace: name of the network namespace that it runs in
        :param ends_with_us: whether it ends when this process does; it goes
            on otherwise
        :raises LabError: with what it printed, if it does not come up
        """
        enter = (['nsenter', '--net=/run/netns/' + namespace] if namespace
                 else [])
        mortal = ['setpriv', '--pdeathsig', 'KILL'] if ends_with_us else []
        for name in (qemu.QMP, qemu.AGENT):
            (self.directory / name).unlink(missing_ok=True)
        with self.log.open('w') as log:
            child = subprocess.Popen(
                [*enter, *mortal, qemu.PROGRAM, *arguments],
                stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, cwd='/',
                env={'PATH': shell.PATH, 'LANG': 'C.UTF-8'})
        # All of these replace themselves by the next: the number stays.
        self._pid_file.write(child.pid)
        if not wait.until(lambda: self._listens(child), _START_LIMIT, 0.02):
            self.kill()
            raise self.failure('does not start')

    def _listens(self, child):
        if child.poll() is not None:
            raise self.failure('does not start')
        with contextlib.suppress(sockets.Lost), self.qmp():
            return True

    def failure(self, what):
        """Return an error with the end of QEMU's own log.

        :param what: what is wrong
        """
        return errors.LabError('the machine in %s %s; the end of %s:\n%s' % (
            self.directory, what, self.log, files.tail(self.log)))

    @contextlib.contextmanager
    def qmp(self):
        """Give a connection that takes QMP commands.

        :raises Lost: if QEMU is not there
        """
        with sockets.Peer(self.directory / qemu.QMP, _QMP_LIMIT) as peer:
            peer.ask('qmp_capabilities')
            yield peer

    def migrated(self, peer):
        """Wait until QEMU has written or read the state of a machine.

        :param peer: a connection of :meth:`qmp`
        :raises LabError: if it did not
        """
        def complete():
            status = peer.ask('query-migrate').get('status')
            if status in ('failed', 'cancelled'):
                raise self.failure('cannot be saved or resumed')
            return status == 'completed'

        if not wait.until(complete, _QMP_LIMIT, 0.05):
            raise self.failure('is neither saved nor resumed in time')

    def quit(self):
        """Have QEMU end with its disks written, and wait until it did."""
        running = psutil.Process(self.pid)
        with self.qmp() as peer:
            peer.send('quit', {})
            self._wait_for_end(running)

    def kill(self):
        """End QEMU, as a power cut does."""
        pid = self.pid
        if pid:
            with contextlib.suppress(psutil.NoSuchProcess):
                running = psutil.Process(pid)
                running.kill()
                self._wait_for_end(running)
        self._pid_file.remove()

    def _wait_for_end(self, running):
        try:
            running.wait(_QMP_LIMIT)
        except psutil.TimeoutExpired as error:
            raise self.failure('does not end') from error
