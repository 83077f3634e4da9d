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

"""Tests of what looks at memory that is dirty."""

import subprocess
from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import write_watch

OUTPUT = ('1764500000000000000 2048 1000\n'
          '1764500001500000000 51200 1000\n'
          '1764500002500000000 1024 101400\n')


@ddt.ddt
class WriteWatchTest(base.BaseTestCase):

    def test_points(self):
        host = mock.Mock()
        host.name = 'fbm1'
        host.ssh.start.return_value.wait.return_value.stdout = OUTPUT
        watch = write_watch.WriteWatch(host, 'nvme0n1p1', 41)
        self.assertEqual([
            {'seconds': 0, 'dirty_mib': 2, 'written_mib': 0},
            {'seconds': 1.5, 'dirty_mib': 50, 'written_mib': 0},
            {'seconds': 2.5, 'dirty_mib': 1, 'written_mib': 49.0234375}],
            watch.points())
        script = host.ssh.start.call_args[1]['stdin']
        for line in ('seconds=41\n', 'device=nvme0n1p1\n'):
            self.assertIn(line, script)

    @ddt.data('', 'sh: no such file', '1 2\n')
    def test_nothing_seen(self, text):
        error = self.assertRaises(exceptions.FactsMissing, write_watch.parse,
                                  'fbm1', text)
        self.assertIn('what is dirty', str(error))

    def _script(self, device):
        return subprocess.run(
            ['sh', '-s'], text=True, capture_output=True,
            input=scripts.with_values(write_watch.SCRIPT, seconds='0',
                                      device=device))

    def test_script(self):
        with open('/proc/partitions') as source:
            device = source.read().splitlines()[2].split()[3]
        done = self._script(device)
        self.assertEqual('', done.stderr)
        [point] = write_watch.parse('fbm1', done.stdout)
        self.assertEqual((0, 0), (point['seconds'], point['written_mib']))

    def test_script_without_device(self):
        done = self._script('none9')
        self.assertNotEqual(0, done.returncode)
        self.assertIn('none9', done.stderr)
