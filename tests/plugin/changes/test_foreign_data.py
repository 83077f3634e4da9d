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

"""Tests of foreign data on backing stores."""

import os
import subprocess
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.hosts import scripts
from tests.plugin import samples

PATH = '/real/mempage-foreign-data'


class ForeignDataTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.host = mock.Mock(declared=samples.FILE_BACKED)
        self.host.real = {samples.DIRECTORY: '/real'}.get

    def _commands(self):
        # What follows the script that finds libvirt's root directory.
        return [call.args[0][4:] for call in self.host.ssh.execute.mock_calls
                if call.args]

    def test_it_is_removed(self):
        with foreign_data.ForeignData(self.host):
            script = self.host.ssh.execute.call_args.kwargs['stdin']
            self.assertEqual(['file=' + PATH, 'directory=/real', 'leave=0'],
                             script.splitlines()[:3])
        self.assertEqual(['rm', '-f', '--', PATH], self._commands()[-1])

    def test_it_is_removed_if_the_store_cannot_be_filled(self):
        self.host.ssh.execute.side_effect = [None, ValueError, None]
        self.assertRaises(Exception,  # noqa: H202
                          foreign_data.ForeignData(self.host).setUp)
        self.assertEqual(['rm', '-f', '--', PATH], self._commands()[-1])

    def test_it_is_removed_and_timed(self):
        """The commands themselves, on this machine"""
        path = os.path.join(self.useFixture(fixtures.TempDir()).path,
                            'mempage-foreign-data')

        def execute(command, root, **_options):
            return mock.Mock(stdout=subprocess.run(
                [*command[4:-1], path], capture_output=True, check=True,
                text=True).stdout)

        self.host.ssh.execute.side_effect = execute
        with open(path, 'w'):
            pass
        seconds, version = foreign_data.remove_timed(self.host)
        self.assertFalse(os.path.exists(path))
        self.assertTrue(0 < seconds < 60, seconds)
        self.assertRegex(version, r'^\d+\.\d+$')
        self.assertRaises(subprocess.CalledProcessError,
                          foreign_data.remove_timed, self.host)

    def test_is_there(self):
        for status, there in ((0, True), (1, False)):
            self.host.ssh.execute.return_value.status = status
            self.assertIs(there, foreign_data.is_there(self.host))


# A file system of 40 MiB, of which the file has what it has, and 0.5 MiB.
STAT = """#!/bin/sh
case $1 in
    -f) echo "1 * $((81 * 524288 - $(/usr/bin/stat -c %%s %s)))" ;;
    *) exec /usr/bin/stat "$@" ;;
esac
"""
# One that gives out 9 MiB at a time, or nothing that is not written.
FALLOCATE = """#!/bin/sh
[ "$4" -le %d ] && exec /usr/bin/fallocate "$@"
"""


class FillTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.file = os.path.join(self.directory, 'foreign')
        self.programs = self.useFixture(fixtures.TempDir()).path
        self._have('stat', STAT % self.file)
        self._have('fallocate', FALLOCATE % (9 * samples.MIB))

    def _have(self, name, text):
        path = os.path.join(self.programs, name)
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(text)
        os.chmod(path, 0o755)

    def _fill(self, leave=0):
        text = scripts.with_values(
            foreign_data.SCRIPT, file=self.file, directory=self.directory,
            leave=str(leave))
        return subprocess.run(
            ['sh', '-s'], input=text, capture_output=True, text=True,
            env={**os.environ, 'PATH': '%s:%s' % (self.programs,
                                                  os.environ['PATH'])})

    def _mib(self):
        return os.stat(self.file).st_size / samples.MIB

    def test_full(self):
        done = self._fill()
        self.assertEqual((0, 40), (done.returncode, self._mib()), done)
        # Whoever waits is told what happens, in steps.
        self.assertIn('35 MiB left\n', done.stdout)

    def test_something_is_left(self):
        self.assertEqual(0, self._fill(leave=7).returncode)
        self.assertEqual(33, self._mib())

    def test_what_cannot_be_allocated_is_written(self):
        self._have('fallocate', FALLOCATE % 0)
        self._have('dd', '#!/bin/sh\nexec /usr/bin/dd "$1" "$2" bs=1M count=10'
                   ' "$5" "$6"\n')
        self.assertEqual(0, self._fill().returncode)
        self.assertEqual(40, self._mib())

    def test_what_cannot_be_had(self):
        self._have('fallocate', FALLOCATE % 0)
        self._have('dd', '#!/bin/sh\nexit 1\n')
        done = self._fill()
        self.assertEqual(1, done.returncode)
        self.assertIn('cannot be had', done.stderr)

    def test_it_ends_when_the_file_is_removed(self):
        self._have('fallocate', '#!/bin/sh\nrm %s\nexit 1\n' % self.file)
        self._have('stat', '#!/bin/sh\necho 40000000\n')
        self.assertEqual(1, self._fill().returncode)
        self.assertEqual([], os.listdir(self.directory))
