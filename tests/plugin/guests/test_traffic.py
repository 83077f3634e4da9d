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

"""Tests of what goes between guests; this machine is both of them."""

import socket
import subprocess

import fixtures
from oslo_utils import units
from oslotest import base

from mempage_tempest_plugin.guests import traffic

SEED = 'ab' * 16


class Shell:
    """Stands for a guest, as Tempest's RemoteClient does."""

    def __init__(self, sends='nc'):
        self.sends = sends

    def exec_command(self, command):
        return subprocess.run(
            ['busybox', 'sh', '-c', 'set -eu -o pipefail; '
             + command.replace('| nc ', '| %s ' % self.sends)],
            text=True, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


class TransferTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        # Seconds: whoever listens may take some on a busy machine.
        self.useFixture(fixtures.MockPatchObject(traffic, '_ASKED', 5))
        # Another one's directories would be taken away.
        with socket.create_server(('127.0.0.1', 0)) as server:
            self.port = server.getsockname()[1]

    def _transfer(self, sender=None, port=None):
        return traffic.Transfer(sender or Shell(), Shell(), '127.0.0.1',
                                port or self.port, SEED, 1)

    def test_all_comes(self):
        transfer = self._transfer()
        self.assertEqual(
            traffic.Received(units.Mi, transfer.expected_digest),
            transfer.run(5))

    def test_some_comes(self):
        found = self._transfer(Shell('head -c 4096 | nc')).run(1)
        self.assertEqual(4096, found.size)

    def test_nothing_comes(self):
        found = self._transfer(Shell('true')).run(1)
        self.assertEqual(0, found.size)

    def test_guest_that_cannot_listen(self):
        with socket.create_server(('', 0)) as server:
            port = server.getsockname()[1]
            self.useFixture(fixtures.MockPatchObject(
                traffic, '_LISTEN', traffic._LISTEN.replace('0A', 'none')))
            self.assertRaises(subprocess.CalledProcessError,
                              self._transfer(port=port).run, 1)
