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

"""Tests of what guests say of their network, and of shares in guests."""

import subprocess
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.guests import memory
from mempage_tempest_plugin.guests import network
from mempage_tempest_plugin.guests import share

SAID = '''0b1ffd1c-52d5-4f2f-8a5f-b6d2d6fe5d3a
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1442 qdisc mq qlen 1000
    inet 10.100.0.7/28 scope global eth0
'''
SEED = 'cd' * 16


class NetworkTest(base.BaseTestCase):

    def test_ask(self):
        client = mock.Mock()
        client.exec_command.return_value = SAID
        self.assertEqual(network.State(
            '0b1ffd1c-52d5-4f2f-8a5f-b6d2d6fe5d3a', ['10.100.0.7']),
            network.ask(client))


class ShareTest(base.BaseTestCase):
    """A directory of this machine stands for the share."""

    def setUp(self):
        super().setUp()
        self.path = self.useFixture(fixtures.TempDir()).path
        self.share = share.Share(self, 'tag')
        self.share._directory = self.path

    def exec_command(self, command):
        return subprocess.run(
            ['sh', '-c', 'sudo() { shift; "$@"; }\n' + command], text=True,
            check=True, stdout=subprocess.PIPE).stdout

    def test_round_trip(self):
        self.share.write('a', SEED, 3)
        self.assertEqual(memory.digest(SEED, 3), self.share.digest('a'))

    def test_no_such_file(self):
        self.assertEqual('', self.share.digest('a'))

    def test_mount(self):
        client = mock.Mock()
        share.Share(client, 'tag').mount()
        self.assertIn('mount -t virtiofs tag /',
                      client.exec_command.call_args.args[0])
