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

from mempage_lab import errors
from mempage_lab.machines import machine
from mempage_lab.machines import sockets
from tests.lab import base


class BootTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.machine = machine.Bare(self.directory, False)
        self.pid = self.patch_object(
            machine.process.Process, 'pid', 1)
        self.answers = self.patch_object(self.machine.agent, 'answers')
        self.answers.return_value = True
        self.run_inside = self.patch_object(self.machine.agent, 'run')
        self.patch_object(machine, '_BOOT_LIMIT', {False: 2})

    def test_boots(self):
        self.answers.side_effect = [False, True, True]
        self.run_inside.side_effect = [sockets.Lost('gone'), 'up']
        self.machine.wait_for_boot()

    def test_panics(self):
        self.machine.console.write_text(
            'Kernel panic - not syncing: before\n')
        since = self.machine.console_size()
        self.machine.wait_for_boot(since=since)
        with self.machine.console.open('a') as console:
            console.write('Kernel panic - not syncing: no init\n')
        failure = self.assertRaises(
            errors.LabError, self.machine.wait_for_boot, since=since)
        self.assertIn('no init', str(failure))

    def test_takes_too_long(self):
        self.answers.return_value = False
        self.machine.console.write_text('Waiting for a disk\n')
        failure = self.assertRaises(errors.LabError,
                                    self.machine.wait_for_boot)
        self.assertIn('Waiting for a disk', str(failure))

    def test_ends(self):
        self.patch_object(machine.process.Process, 'pid', None)
        self.machine.process.log.write_text('no such disk\n')
        failure = self.assertRaises(errors.LabError,
                                    self.machine.wait_for_boot)
        self.assertIn('no such disk', str(failure))
