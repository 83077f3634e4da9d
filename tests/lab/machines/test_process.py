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

import psutil

from mempage_lab import errors
from mempage_lab.machines import process
from mempage_lab.machines import qemu
from mempage_lab import shell
from tests.lab import base

# Greets whoever connects, and answers whatever he says.
QEMU = '''#!/usr/bin/env python3
import os
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b'{"QMP": {}}\\n')
        for line in self.rfile:
            if b'quit' in line:
                os._exit(0)
            self.wfile.write(b'{"return": {}}\\n')
socketserver.UnixStreamServer('%s/qmp.sock', Handler).serve_forever(0.01)
'''


class ProcessTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(shell, 'PATH', os.environ['PATH'])
        self.process = process.Process(self.directory)
        self.addCleanup(self.process.kill)

    def _qemu(self, script):
        program = self.directory / 'qemu'
        program.write_text(script)
        program.chmod(0o755)
        self.patch_object(qemu, 'PROGRAM', str(program))

    def test_start_and_kill(self):
        self._qemu(QEMU % self.directory)
        self.process.start([])
        pid = self.process.pid
        self.assertTrue(psutil.pid_exists(pid))
        self.process.kill()
        self.assertIsNone(self.process.pid)
        self.assertFalse(psutil.pid_exists(pid))

    def test_quit(self):
        self._qemu(QEMU % self.directory)
        self.process.start([])
        self.process.quit()
        self.assertIsNone(self.process.pid)

    def test_says_why_it_does_not_start(self):
        self._qemu('#!/bin/sh\necho no such machine\nexit 1\n')
        failure = self.assertRaises(errors.LabError, self.process.start, [])
        self.assertIn('no such machine', str(failure))

    def test_another_process_of_that_number(self):
        (self.directory / 'pid').write_text('%d 1.0' % os.getpid())
        self.assertIsNone(self.process.pid)

    def test_one_that_nobody_noticed_to_end(self):
        child = subprocess.Popen(['true'])
        self.addCleanup(child.wait)
        (self.directory / 'pid').write_text('%d %s' % (
            child.pid, psutil.Process(child.pid).create_time()))
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.assertIsNone(self.process.pid)
