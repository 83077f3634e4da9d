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

import contextlib
import dataclasses
import socket
import subprocess
import threading
from unittest import mock

import fixtures
from oslotest import base
import paramiko

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import ssh


class _Server(paramiko.ServerInterface):
    """Runs what it is told, with a shell on this machine.

    Whoever goes on from here ends at this machine, whatever the address.
    """

    def __init__(self, commands, transport):
        self._commands = commands
        self._transport = transport

    def get_allowed_auths(self, username):
        return 'publickey'

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        self._commands.append(command.decode())
        threading.Thread(target=self._run, args=(channel, command),
                         daemon=True).start()
        return True

    def check_channel_direct_tcpip_request(self, chanid, origin,
                                           destination):
        self._commands.append('to %s:%d' % destination)
        try:
            there = socket.create_connection(('127.0.0.1', destination[1]))
        except OSError:
            return paramiko.OPEN_FAILED_CONNECT_FAILED
        threading.Thread(target=self._forward, args=(there,),
                         daemon=True).start()
        return paramiko.OPEN_SUCCEEDED

    def _forward(self, there):
        here = self._transport.accept()
        threading.Thread(target=_pump, args=(here, there),
                         daemon=True).start()
        _pump(there, here)

    @staticmethod
    def _run(channel, command):
        stdin = channel.makefile('rb').read()
        done = subprocess.run(['sh', '-c', command], input=stdin,
                              capture_output=True)
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
        channel.close()


def _pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(4096):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
    target.close()


class ConnectionTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.commands = []
        self.transports = []
        self.key = paramiko.ECDSAKey.generate()
        directory = self.useFixture(fixtures.TempDir())
        self.key.write_private_key_file(directory.join('key'))
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(self.listener.close)
        self.addCleanup(self._drop_all)
        port = self.listener.getsockname()[1]
        self.known_hosts = directory.join('known_hosts')
        self._trust(port, self.key)
        threading.Thread(target=self._serve, daemon=True).start()
        self.host = inventory.Host(
            'fbm1', '127.0.0.1', inventory.Ssh(
                'root', directory.join('key'), port, self.known_hosts), 'x')
        self.connection = self._connection()

    def _trust(self, port, key, *addresses):
        with open(self.known_hosts, 'w', encoding='utf-8') as stream:
            for address in addresses or ['127.0.0.1']:
                stream.write('[%s]:%d %s %s\n' % (
                    address, port, key.get_name(), key.get_base64()))

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(self.key)
            self.transports.append(transport)
            transport.start_server(server=_Server(self.commands, transport),
                                   event=threading.Event())

    def _drop_all(self):
        for transport in self.transports:
            transport.close()

    def _connection(self, **changes):
        host = dataclasses.replace(
            self.host, ssh=dataclasses.replace(self.host.ssh, **changes))
        found = ssh.SSHConnection(host, timeout=2)
        self.addCleanup(found.close)
        return found

    def test_result(self):
        result = self.connection.execute(
            ['sh', '-c', 'cat; echo "$0" >&2; exit 3', 'a  b'],
            stdin='input', check=False)
        self.assertEqual((3, 'input', 'a  b\n'),
                         (result.status, result.stdout, result.stderr))

    def test_lines_are_heard(self):
        heard = []
        result = self.connection.execute(['printf', 'a b\\n\\nc'],
                                         heard=heard.append)
        self.assertEqual(['a b', '', 'c'], heard)
        self.assertEqual('a b\n\nc', result.stdout)

    def test_failing_command(self):
        error = self.assertRaises(
            exceptions.HostCommandFailed, self.connection.execute,
            ['sh', '-c', 'echo odd >&2; exit 3'])
        self.assertEqual(3, error.result.status)
        self.assertIn('host fbm1', str(error))
        self.assertIn('status 3: odd', str(error))

    def test_silent_command(self):
        error = self.assertRaises(
            exceptions.HostCommandTimeout, self.connection.execute,
            ['sleep', '3'])
        self.assertEqual(2, error.timeout)

    def test_connection_is_kept(self):
        self.connection.execute(['true'])
        self.connection.execute(['true'])
        self.assertEqual(1, len(self.transports))

    def test_lost_connection_is_made_anew(self):
        self.connection.execute(['true'])
        self._drop_all()
        self.connection.execute(['true'])
        self.assertEqual(2, len(self.transports))
        self.assertEqual(['true', 'true'], self.commands)

    def test_root_needs_no_sudo(self):
        self.connection.execute(['true'], root=True)
        self.assertEqual(['true'], self.commands)

    def test_others_need_sudo(self):
        self._connection(user='tempest').execute(['true'], root=True,
                                                 check=False)
        self.assertEqual(['sudo -n -- true'], self.commands)

    def test_unknown_host_key(self):
        self._trust(1, self.key)
        self._assert_unreachable(self.connection, 'not found in known_hosts')

    def test_changed_host_key(self):
        self._trust(self.host.ssh.port, paramiko.ECDSAKey.generate())
        self._assert_unreachable(self.connection, 'does not match')

    def test_nobody_listens(self):
        self.listener.close()
        self._assert_unreachable(self._connection(port=1), 'Unable to connect')

    def test_no_key(self):
        self._assert_unreachable(self._connection(key='/nonexistent'),
                                 '/nonexistent')

    def _behind(self, *known, port=None, jump_port=None):
        """Return the connection to a host that a jump host knows the way to.

        :param known: the addresses whose key is known
        """
        own = self.host.ssh.port
        self._trust(own, self.key, *known)
        host = dataclasses.replace(
            self.host, address='192.0.2.9', ssh=dataclasses.replace(
                self.host.ssh, port=port or own, jump=inventory.Jump(
                    '127.0.0.1', port=jump_port or own)))
        found = ssh.SSHConnection(host, timeout=2)
        self.addCleanup(found.close)
        return found

    def test_jump_host(self):
        found = self._behind('127.0.0.1', '192.0.2.9')
        self.assertEqual('a\n', found.execute(['echo', 'a']).stdout)
        found.execute(['true'])
        self.assertEqual(['to 192.0.2.9:%d' % self.host.ssh.port, 'echo a',
                          'true'], self.commands)
        self.assertEqual(2, len(self.transports))

    def test_jump_host_is_left_with_the_host(self):
        found = self._behind('127.0.0.1', '192.0.2.9')
        found.execute(['true'])
        found.close()
        for transport in self.transports:
            transport.join(5)
            self.assertFalse(transport.is_active())

    def test_connection_lost_at_the_jump_host_is_made_anew(self):
        found = self._behind('127.0.0.1', '192.0.2.9')
        found.execute(['true'])
        self._drop_all()
        found.execute(['true'])
        self.assertEqual(4, len(self.transports))

    def test_connection_that_cannot_be_closed_is_made_anew(self):
        found = self._behind('127.0.0.1', '192.0.2.9')
        found.execute(['true'])
        self._drop_all()
        with mock.patch.object(paramiko.SSHClient, 'close',
                               side_effect=EOFError):
            found.execute(['true'])
        self.assertEqual(4, len(self.transports))

    def test_unknown_key_of_the_jump_host(self):
        self._assert_lost_on_the_way(self._behind('192.0.2.9'),
                                     r"127\.0\.0\.1.*not found in known_hosts")
        self.assertEqual([], self.commands)

    def test_unknown_key_behind_the_jump_host(self):
        self._assert_lost_on_the_way(self._behind('127.0.0.1'),
                                     r"192\.0\.2\.9.*not found in known_hosts")

    def test_no_jump_host(self):
        self._assert_lost_on_the_way(self._behind(jump_port=1),
                                     'Unable to connect')

    def test_jump_host_that_does_not_reach_the_host(self):
        self._assert_lost_on_the_way(
            self._behind('127.0.0.1', '192.0.2.9', port=1), 'Connect failed')

    def _assert_lost_on_the_way(self, found, reason):
        error = self.assertRaises(exceptions.HostUnreachable, found.execute,
                                  ['true'])
        self.assertRegex(str(error), 'root@192.0.2.9:.* through 127.0.0.1:.*'
                         + reason)

    def _assert_unreachable(self, found, reason):
        error = self.assertRaises(exceptions.HostUnreachable, found.execute,
                                  ['true'])
        self.assertIn('host fbm1: unreachable at root@127.0.0.1:%d' %
                      found._host.ssh.port, str(error))
        self.assertIn(reason, str(error))
