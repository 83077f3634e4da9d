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

"""JSON over a Unix socket, as QEMU and the agent in a machine speak it."""

import json
import socket

from mempage_lab import errors


class Lost(errors.LabError):
    """Whoever was asked is not there, or does not answer in time."""


class Peer:
    """A connection to what reads commands and answers them, line by line.

    :param path: of the socket
    :param limit: seconds that an answer may take
    :raises Lost: if nobody listens there
    """

    def __init__(self, path, limit):
        self._path = path
        self._pending = b''
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(limit)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise Lost('%s: %s' % (path, error)) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, command, arguments, before=b''):
        """Send a command.

        :param command: its name
        :param arguments: dict of its arguments
        :param before: bytes to send first
        """
        text = json.dumps({'execute': command, 'arguments': arguments})
        try:
            self._socket.sendall(before + text.encode() + b'\n')
        except OSError as error:
            raise Lost('%s: %s' % (self._path, error)) from error

    def receive(self):
        """Return the next line, decoded.

        :raises Lost: if it does not come, or is cut short
        """
        while b'\n' not in self._pending:
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise Lost('%s: %s' % (self._path, error)) from error
            if not data:
                raise Lost('%s: the connection was closed' % self._path)
            self._pending += data
        line, _, self._pending = self._pending.partition(b'\n')
        # The agent marks an answer after which nothing old can come.
        return json.loads(line.rpartition(b'\xff')[2])

    def answer(self):
        """Return what a command returned, skipping what is no answer.

        :raises LabError: with what is wrong, if the command failed
        """
        while True:
            message = self.receive()
            if 'error' in message:
                raise errors.LabError('%s: %s' % (
                    self._path, message['error'].get('desc')))
            if 'return' in message:
                return message['return']

    def ask(self, command, **arguments):
        """Send a command and return what it returns.

        An underscore in an argument's name stands for a hyphen.
        """
        self.send(command, {name.replace('_', '-'): value
                            for name, value in arguments.items()})
        return self.answer()
