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

"""What stands in for QEMU and the agent in a machine."""

import json
import socket
import threading


class Server:
    """Answers what comes over a Unix socket, one connection at a time.

    :param path: of the socket
    :param answer: function of a command and its arguments that returns the
        lines to send, as bytes or as what is encoded
    :param greeting: what is sent at first, if anything
    :ivar commands: what it was told
    """

    def __init__(self, path, answer, greeting=None):
        self.commands = []
        self._answer = answer
        self._greeting = greeting
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._socket.accept()
            with connection, connection.makefile('rwb') as stream:
                if self._greeting:
                    self._send(stream, self._greeting)
                for line in stream:
                    self._handle(stream, json.loads(line.lstrip(b'\xff')))

    def _handle(self, stream, message):
        command, arguments = message['execute'], message['arguments']
        self.commands.append((command, arguments))
        for line in self._answer(command, arguments):
            self._send(stream, line)

    @staticmethod
    def _send(stream, line):
        if not isinstance(line, bytes):
            line = json.dumps(line).encode()
        stream.write(line + b'\n')
        stream.flush()
