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

import os
import subprocess

import ddt
import psutil

from mempage_lab import pidfile
from tests.lab import base


@ddt.ddt
class PidFileTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.path = self.directory / 'pid'
        self.file = pidfile.PidFile(self.path)

    def _start(self, *command):
        """Start a process and note it."""
        child = subprocess.Popen(command)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.file.write(child.pid)
        return child

    def test_one_that_runs(self):
        child = self._start('sleep', '60')
        self.assertEqual(child.pid, self.file.pid)
        self.assertEqual(child.pid, pidfile.PidFile(self.path).pid)

    def test_one_that_has_ended(self):
        child = self._start('sleep', '60')
        child.kill()
        child.wait()
        self.assertIsNone(self.file.pid)

    def test_one_that_nobody_noticed_to_end(self):
        child = self._start('sleep', '60')
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.assertEqual(psutil.STATUS_ZOMBIE,
                         psutil.Process(child.pid).status())
        self.assertIsNone(self.file.pid)

    def test_another_one_of_that_number(self):
        self.path.write_text('%d 1.5' % os.getpid())
        self.assertIsNone(self.file.pid)

    @ddt.data('', 'x', '1', 'x 1.5', '1 2 3')
    def test_what_tells_of_none(self, text):
        self.path.write_text(text)
        self.assertIsNone(self.file.pid)

    def test_no_file(self):
        self.assertIsNone(self.file.pid)
        self.file.remove()

    def test_removed(self):
        self._start('sleep', '60')
        self.file.remove()
        self.assertIsNone(self.file.pid)
        self.assertFalse(self.path.exists())
