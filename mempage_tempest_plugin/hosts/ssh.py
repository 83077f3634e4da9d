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

"""One kept SSH connection to a compute host."""

import contextlib
import dataclasses
import os
import shlex
import threading

from oslo_log import log as logging
import paramiko

from mempage_tempest_plugin import exceptions

LOG = logging.getLogger(__name__)

CONNECT_TIMEOUT = 15
KEEPALIVE = 15
FAILURES = (paramiko.SSHException, EOFError, OSError)


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command did."""

    command: str
    status: int
    stdout: str
    stderr: str


class Running:
    """A command that runs on a host, once it is started.

    :param host: the host's declaration (inventory.Host)
    :param line: the command line
    :param timeout: seconds that it may stay silent
    :param channel: paramiko's channel that it gets
    """

    def __init__(self, host, line, timeout, channel):
        self._host = host
        self._line = line
        self._timeout = timeout
        self._channel = channel

    def start(self, stdin):
        """Start it.

        :param stdin: text that it reads
        :raises HostUnreachable: if the connection is lost
        :raises HostCommandTimeout: if the host does not take it
        """
        self._channel.settimeout(self._timeout)
        with self._errors():
            self._channel.exec_command(self._line)
            self._send(stdin)

    def wait(self, check=True, heard=None):
        """Wait for its end.

        :param check: whether a status other than 0 is an error
        :param heard: function that is told each line of its output as soon
            as it comes
        :returns: a :class:`Result`
        :raises HostUnreachable: if the connection is lost
        :raises HostCommandFailed: if check, naming status and error output
        :raises HostCommandTimeout: if it stays silent
        """
        with self._errors():
            stdout = _read(self._channel.makefile('rb'), heard)
            stderr = self._channel.makefile_stderr('rb').read()
            status = self._channel.recv_exit_status()
        self._channel.close()
        if status == -1:
            raise _unreachable(self._host,
                               'connection lost during %r' % self._line)
        result = Result(self._line, status, stdout.decode(errors='replace'),
                        stderr.decode(errors='replace'))
        LOG.debug('Host %s: %s: status %d, %d characters, stderr %r',
                  self._host.name, self._line, status, len(result.stdout),
                  result.stderr)
        if check and status:
            raise exceptions.HostCommandFailed(self._host.name, result)
        return result

    @contextlib.contextmanager
    def _errors(self):
        """Close the channel and name the host if something goes wrong."""
        try:
            yield
        except TimeoutError as error:
            self._channel.close()
            raise exceptions.HostCommandTimeout(
                self._host.name, self._line, self._timeout) from error
        except FAILURES as error:
            self._channel.close()
            raise _unreachable(self._host, error) from error

    def _send(self, stdin):
        try:
            self._channel.sendall(stdin.encode())
            self._channel.shutdown_write()
        except TimeoutError:
            raise
        except OSError as error:
            # The command may end without reading all of its input; its
            # status says more than this.
            LOG.debug('Input not taken: %s', error)


def _read(stream, heard):
    if heard is None:
        return stream.read()
    lines = []
    for line in stream:
        heard(line.decode(errors='replace').rstrip('\n'))
        lines.append(line)
    return b''.join(lines)


class SSHConnection:
    """Commands on one host, all over the same SSH connection."""

    def __init__(self, host, timeout):
        """Prepare a connection; it is opened when first needed.

        :param host: the host's declaration (inventory.Host)
        :param timeout: seconds that a command may stay silent
        """
        self._host = host
        self._timeout = timeout
        self._connect_timeout = host.limit(CONNECT_TIMEOUT)
        self._lock = threading.Lock()
        self._client = None
        self._jump_client = None

    def execute(self, command, stdin='', root=False, check=True, heard=None):
        """Run a command on the host and wait for its end.

        :param command: list of words; they are quoted for the shell
        :param stdin: text that the command reads
        :param root: whether to run it as root (through sudo if need be)
        :param check: whether a status other than 0 is an error
        :param heard: as of :meth:`Running.wait`
        :returns: a :class:`Result`
        :raises HostUnreachable: if there is no connection to be had
        :raises HostCommandFailed: if check, naming status and error output
        :raises HostCommandTimeout: if the command stays silent
        """
        return self.start(command, stdin, root).wait(check, heard)

    def start(self, command, stdin='', root=False):
        """Start a command on the host.

        :param command: list of words; they are quoted for the shell
        :param stdin: text that the command reads
        :param root: whether to run it as root (through sudo if need be)
        :returns: a :class:`Running`
        :raises HostUnreachable: if there is no connection to be had
        :raises HostCommandTimeout: if the host does not take the command
        """
        if root and self._host.ssh.user != 'root':
            command = ['sudo', '-n', '--', *command]
        running = Running(self._host, shlex.join(command), self._timeout,
                          self._open_channel())
        running.start(stdin)
        return running

    def close(self):
        """Close the connection; the next command opens a new one."""
        with self._lock:
            self._hang_up()

    def _hang_up(self):
        for client in (self._client, self._jump_client):
            if client:
                # The end of a connection that was lost cannot be said.
                with contextlib.suppress(*FAILURES):
                    client.close()
        self._client = self._jump_client = None

    def _open_channel(self):
        """Open a channel, over a new connection if the kept one is dead.

        Nothing has run on the host before there is a channel, so this is
        the one step that may safely be repeated.
        """
        with self._lock:
            if self._client:
                try:
                    return self._session()
                except FAILURES as error:
                    LOG.info('Host %s: reconnecting: %s', self._host.name,
                             error)
                    self._hang_up()
            self._connect()
            try:
                return self._session()
            except FAILURES as error:
                raise _unreachable(self._host, error) from error

    def _session(self):
        transport = self._client.get_transport()
        if transport is None:
            raise paramiko.SSHException('the connection was lost')
        return transport.open_session(timeout=self._connect_timeout)

    def _connect(self):
        ssh = self._host.ssh
        try:
            self._client = self._log_in(self._host.address, ssh.port,
                                        ssh.user, self._open_way())
        except FAILURES as error:
            self._hang_up()
            raise _unreachable(self._host, error) from error

    def _open_way(self):
        """Open a channel to the host through its jump host, if it has one."""
        jump = self._host.ssh.jump
        if jump is None:
            return None
        self._jump_client = self._log_in(jump.address, jump.port,
                                         jump.user or self._host.ssh.user)
        return self._jump_client.get_transport().open_channel(
            'direct-tcpip', (self._host.address, self._host.ssh.port),
            (jump.address, 0), timeout=self._connect_timeout)

    def _log_in(self, address, port, user, way=None):
        """Log in on a machine whose key is known.

        :param way: paramiko's channel to it; None if there is none
        :returns: paramiko's client
        """
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        ssh = self._host.ssh
        try:
            client.load_host_keys(os.path.expanduser(ssh.known_hosts))
            client.connect(
                address, port, user, sock=way,
                key_filename=os.path.expanduser(ssh.key),
                allow_agent=False, look_for_keys=False,
                **dict.fromkeys(('timeout', 'banner_timeout', 'auth_timeout'),
                                self._connect_timeout))
        except FAILURES:
            client.close()
            raise
        client.get_transport().set_keepalive(KEEPALIVE)
        return client


def _unreachable(host, reason):
    address = '%s@%s:%d' % (host.ssh.user, host.address, host.ssh.port)
    if host.ssh.jump:
        address += ' through %s:%d' % (host.ssh.jump.address,
                                       host.ssh.jump.port)
    return exceptions.HostUnreachable(
        host.name, address, str(reason) or type(reason).__name__)
