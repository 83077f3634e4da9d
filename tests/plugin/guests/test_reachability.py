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

"""Tests of whether a guest answers."""

import socket

import testtools

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.guests import reachability

PINGS = """PING 198.18.1.31 (198.18.1.31) 56(84) bytes of data.
[100.000000] 64 bytes from 198.18.1.31: icmp_seq=1 ttl=63 time=0.5 ms
[100.200000] 64 bytes from 198.18.1.31: icmp_seq=2 ttl=63 time=0.5 ms
[101.900000] 64 bytes from 198.18.1.31: icmp_seq=10 ttl=63 time=0.5 ms
[102.100000] 64 bytes from 198.18.1.31: icmp_seq=11 ttl=63 time=0.5 ms
"""


class TestReachability(testtools.TestCase):

    def test_longest_silence(self):
        self.assertAlmostEqual(1.5, reachability.longest_silence(PINGS))

    def test_no_replies(self):
        self.assertIsNone(reachability.longest_silence('PING'))

    def test_no_silence(self):
        self.assertAlmostEqual(0.0, reachability.longest_silence(
            '\n'.join(PINGS.splitlines()[:3]) + '\n'))

    def test_port(self):
        with socket.create_server(('127.0.0.1', 0)) as server:
            port = server.getsockname()[1]
            reachability.wait_for_port('127.0.0.1', port, 1)
        error = self.assertRaises(
            exceptions.GuestError, reachability.wait_for_port, '127.0.0.1',
            port, 1)
        self.assertIn('port %d at 127.0.0.1' % port, str(error))
