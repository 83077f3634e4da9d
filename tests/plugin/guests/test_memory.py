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

"""Tests of what a guest is told, with a shell that stands in for it."""

import os
import pathlib
import subprocess
from unittest import mock

import fixtures
from oslo_utils import units
import testtools

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.guests import memory

SEED = '0123456789abcdef' * 2


class Shell:
    """Runs commands as Tempest's client does, but here."""

    @staticmethod
    def exec_command(command):
        return subprocess.run(
            ['bash', '-c', 'set -eu -o pipefail; ' + command], check=True,
            capture_output=True, text=True).stdout


class Guest(memory.Guest):

    def _run_there(self, command):
        """Write to an ordinary directory."""
        return self.run(command)


class TestGuest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.guest = Guest(Shell(), SEED)
        self.guest.directory = self.useFixture(fixtures.TempDir()).path
        self.pattern = pathlib.Path(self.guest.file)

    def test_pattern(self):
        self.guest.fill(1)
        self.assertEqual(units.Mi, self.pattern.stat().st_size)
        self.assertEqual(self.guest.intact(), self.guest.state().digest)
        self.assertEqual(256, self.guest.pages)

    def test_pages_differ(self):
        self.guest.fill(1)
        text = self.pattern.read_bytes()
        self.assertEqual(256, len({
            text[page:page + memory.PAGE]
            for page in range(0, len(text), memory.PAGE)}))

    def test_damage_is_told(self):
        self.guest.fill(1)
        text = bytearray(self.pattern.read_bytes())
        text[5 * memory.PAGE:6 * memory.PAGE] = text[:memory.PAGE]
        self.pattern.write_bytes(text)
        self.assertNotEqual(self.guest.intact(), self.guest.state().digest)
        self.assertEqual(
            '64 lines of 64 bytes are wrong, the first in page 5; 256 of 256 '
            'pages are there', self.guest.damage())

    def _have(self, name, text):
        path = self.programs / name
        path.write_text('#!/bin/sh\n' + text)
        path.chmod(0o755)

    def _trouble(self, sudo, dmesg):
        self.programs = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self._have('sudo', sudo)
        self._have('dmesg', dmesg)
        self.useFixture(fixtures.EnvironmentVariable('PATH', '%s:%s' % (
            self.programs, os.environ['PATH'])))
        self.guest.fill(1)
        return self.guest.state().trouble

    def test_no_trouble(self):
        self.assertEqual('', self._trouble('exit 1', 'echo fine'))

    def test_newest_trouble(self):
        self.assertEqual(
            '7\n' + '\n'.join('[%d] BUG: bad' % n for n in range(3, 8)),
            self._trouble('exit 1', 'for i in $(seq 7); do '
                          'echo "[$i] BUG: bad"; echo "fine"; done'))

    def test_log_that_only_root_reads(self):
        self.assertEqual('1\nOops', self._trouble(
            'shift; MEMPAGE_ROOT=1 exec "$@"',
            '[ "$MEMPAGE_ROOT" ] && echo Oops'))

    def test_log_that_nobody_reads(self):
        self.assertEqual('1\ndmesg: cannot be read',
                         self._trouble('exit 1', 'exit 1'))

    def test_too_little_memory(self):
        self.guest.run = mock.Mock(side_effect=['1024\n', 'free'])
        error = self.assertRaises(exceptions.GuestError, self.guest.fill, 1)
        self.assertIn('only 0 of 1 MiB', str(error))

    def test_no_writer(self):
        self.assertEqual((0, 0), self.guest.rounds(1))

    def test_writer(self):
        process = subprocess.Popen(
            ['sh', '-c', memory._WRITER, 'sh', SEED, '16',
             self.guest.directory, '0'], process_group=0)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.guest.rounds(30)
        first, last = self.guest.rounds(30)
        self.assertGreater(last, first)
        self.assertGreater(last, 1)
        self.assertFalse((self.pattern.parent / 'torn').exists())
