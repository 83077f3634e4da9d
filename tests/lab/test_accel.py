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

import pathlib
import textwrap
import time

import fixtures
from oslotest import base
import psutil

from mempage_lab import accel


class KvmBootsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.kvm = self.directory / 'kvm'
        self.kvm.touch()
        self.useFixture(fixtures.MonkeyPatch(
            'mempage_lab.accel.KVM', self.kvm))

    def _qemu(self, script):
        """Write a program that stands in for QEMU; it notes its PID."""
        path = self.directory / 'qemu'
        path.write_text('#!/bin/sh\necho $$ > %s/pid\n%s'
                        % (self.directory, textwrap.dedent(script)))
        path.chmod(0o755)
        return str(path)

    def _assert_ended(self):
        pid = int((self.directory / 'pid').read_text())
        self.assertFalse(psutil.pid_exists(pid))

    def test_marker_on_the_console(self):
        qemu = self._qemu("""\
            echo 'SeaBIOS'
            echo 'guest: init reached after 0.40 s'
            exec sleep 60
            """)
        started = time.monotonic()
        self.assertTrue(accel.kvm_boots('image', qemu, limit_seconds=30))
        self.assertLess(time.monotonic() - started, 20)
        self._assert_ended()

    def test_silence(self):
        qemu = self._qemu('exec sleep 60')
        self.assertFalse(accel.kvm_boots('image', qemu, limit_seconds=1))
        self._assert_ended()

    def test_qemu_fails(self):
        qemu = self._qemu('exit 1')
        self.assertFalse(accel.kvm_boots('image', qemu, limit_seconds=30))

    def test_no_device(self):
        self.kvm.unlink()
        qemu = self._qemu("echo 'guest: init reached after 0.40 s'")
        self.assertFalse(accel.kvm_boots('image', qemu))
        self.assertFalse((self.directory / 'pid').exists())

    def test_guest_writes_the_marker(self):
        script = (pathlib.Path(accel.__file__).parent /
                  'guest/rootfs/etc/init.d/boot').read_text()
        words = accel.MARKER.decode().removeprefix('guest: ')
        self.assertIn("say '%s'" % words, script)
