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

"""Tests of what measures a guest's memory, with output that was recorded."""

from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.guests import speed

# ioping 1.3 and mbw 1.2.2 of Debian 12.
LINEAR = '48 11099136 2883 3023157118 186360 346848 562645 96665 48 11105270\n'
COPIED = ('0\tMethod: MEMCPY\tElapsed: 0.00467\tMiB: 16.00000\t'
          'Copy: 3428.327 MiB/s\n'
          'AVG\tMethod: MEMCPY\tElapsed: 0.00505\tMiB: 16.00000\t'
          'Copy: 3169.258 MiB/s\n')


@ddt.ddt
class MemoryTest(base.BaseTestCase):

    mib = 48

    def _memory(self, *answers):
        self.client = mock.Mock()
        self.client.exec_command.side_effect = answers
        return speed.Memory(self.client, self.mib)

    def test_size(self):
        self.assertEqual([48, 1, 4096], [
            speed.size_mib(ram) for ram in (192, 2, 1 << 20)])

    def test_lacking(self):
        self.assertEqual(['mbw'], self._memory(
            '/usr/bin/ioping\n', '\n').lacking())

    def test_versions(self):
        self.assertEqual({'ioping': '1.3', 'mbw': 'unknown'}, self._memory(
            'ioping 1.3\n', 'Usage: mbw [options]').versions())

    def test_bandwidth(self):
        memory = self._memory(LINEAR, LINEAR)
        self.assertAlmostEqual(2883.1, memory.read_bandwidth(), 1)
        memory.write_bandwidth()
        read, write = [call[0][0] for call
                       in self.client.exec_command.call_args_list]
        self.assertIn(' -c 48 /tmp/mempage-speed/file', read)
        self.assertNotIn('-WWW', read)
        self.assertIn(' -WWW ', write)

    def test_rewrite(self):
        self.assertAlmostEqual(2883.1, self._memory(
            LINEAR).rewrite_bandwidth(41), 1)
        # Without an end, the file's end is followed by its begin.
        [command] = self.client.exec_command.call_args[0]
        self.assertIn(' -WWW -s 1m -w 41s /tmp/mempage-speed/file', command)
        self.assertNotIn(' -c ', command)

    def test_copy(self):
        self.assertEqual(3428.327, self._memory(COPIED).copy_bandwidth())

    def test_latencies(self):
        self.assertEqual([3781, 1792], self._memory(
            '3781\n1792\n').latencies(2, 7))
        [command] = self._commands()
        warm, measured = command.split(' && ')
        self.assertIn(' -c 200 /tmp/mempage-speed > /dev/null', warm)
        self.assertIn(' -e 7 -s 4k -c 2 /tmp/mempage-speed/file |', measured)

    @ddt.data('read_bandwidth', 'write_bandwidth', 'copy_bandwidth')
    def test_no_speed(self, name):
        error = self.assertRaises(
            exceptions.GuestError,
            getattr(self._memory('ioping: open: No such file'), name))
        self.assertIn('tells no speed', str(error))
        self.assertIn('No such file', str(error))

    def test_too_few_latencies(self):
        error = self.assertRaises(exceptions.GuestError,
                                  self._memory('3781\n').latencies, 2, 7)
        self.assertIn('the time of 1 of 2 reads', str(error))

    def _commands(self):
        return [call[0][0] for call in self.client.exec_command.call_args_list]

    def test_random(self):
        self.assertAlmostEqual(2883.1, self._memory(
            LINEAR).random_bandwidth(30, 7), 1)
        [command] = self._commands()
        self.assertIn(' -e 7 -s 4k -w 30s /tmp', command)
        self.assertNotIn(' -L ', command)

    def test_fill(self):
        self._memory('', '', '50331648\n').fill()
        prepare, fill, _ = self._commands()
        self.assertIn('size=50m mempage-speed', prepare)
        self.assertIn('head -c 50331648 /dev/urandom >>', fill)

    def test_fill_much(self):
        """No command takes long"""
        self.mib = 600
        self._memory('', '', '', '', '629145600\n').fill()
        self.assertEqual([268435456, 268435456, 92274688], [
            int(command.split()[2]) for command in self._commands()[1:4]])

    def test_not_filled(self):
        error = self.assertRaises(exceptions.GuestError,
                                  self._memory('', '', '4096\n').fill)
        self.assertIn('only 4096 of 50331648 bytes', str(error))

    @ddt.unpack
    @ddt.data((50, 3), (99, 5), (0, 1), (100, 5), (20, 1), (21, 2))
    def test_percentile(self, percent, value):
        self.assertEqual(value, speed.percentile([5, 3, 1, 4, 2], percent))
