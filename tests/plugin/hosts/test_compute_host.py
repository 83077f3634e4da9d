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

"""Tests of what searches the backing files."""

import mmap
import os
import subprocess
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import connection
from mempage_tempest_plugin.hosts import evict

PAGES = 1024


class TestCountInFiles(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        declared = mock.Mock()
        declared.name = 'host1'
        declared.file_backed.directory = self.directory
        self.host = compute_host.ComputeHost(declared, 60)
        self.host.ssh = mock.Mock()
        self.host.ssh.execute.side_effect = self._execute
        self.commands = self.useFixture(fixtures.TempDir()).path

    def _execute(self, command, root, check):
        result = subprocess.run(
            command, capture_output=True, text=True, env=dict(
                os.environ, PATH=self.commands + ':' + os.environ['PATH']))
        return connection.Result('find', result.returncode, result.stdout,
                                 result.stderr)

    def _write(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, 'wb') as stream:
            stream.write(content)
        return path

    def _replace_dd(self, text):
        """Have another dd."""
        path = os.path.join(self.commands, 'dd')
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write('#!/bin/sh\n' + text)
        os.chmod(path, 0o755)

    def test_counts(self):
        # The pattern lies across the blocks that are read; the file ends
        # within a sector.
        across = self._write('a b', bytes((1 << 20) - 2) + b'here\nhere!\0x')
        self._write('none', b'nothing')
        self._write('empty', b'')
        self.assertEqual({across: {'here': 2, 'x': 1}},
                         self.host.count_in_files(['here', 'x']))

    def test_what_is_only_mapped(self):
        path = self._write('pc.ram', bytes(mmap.PAGESIZE))
        with open(path, 'r+b') as stream, mmap.mmap(
                stream.fileno(), 0) as memory:
            memory[100:104] = b'here'
            self.assertEqual({path: {'here': 1}},
                             self.host.count_in_files(['here']))

    def test_page_cache_is_not_filled(self):
        path = self._write('pc.ram', b'here' + bytes(PAGES * mmap.PAGESIZE))
        with open(path, 'r+b') as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            size = os.fstat(stream.fileno()).st_size
            if evict.count(stream.fileno(), size)[0]:
                self.skipTest('%s has no device below' % self.directory)
            self.host.count_in_files(['here'])
            self.assertEqual(0, evict.count(stream.fileno(), size)[0])

    def test_file_system_without_direct_reads(self):
        self._replace_dd(
            'case "$*" in *direct*) exit 1; esac; exec /bin/dd "$@"\n')
        path = self._write('pc.ram', b'here')
        self.assertEqual({path: {'here': 1}},
                         self.host.count_in_files(['here']))

    def test_file_that_cannot_be_read(self):
        self._replace_dd('echo "dd: Input/output error" >&2; exit 1\n')
        path = self._write('pc.ram', b'here')
        error = self.assertRaises(exceptions.FactsMissing,
                                  self.host.count_in_files, ['here'])
        for part in ('host1', path, 'Input/output error'):
            self.assertIn(part, str(error))

    def test_file_that_went_away(self):
        self._replace_dd('rm -f "$DIRECTORY"/pc.ram; exec /bin/dd "$@"\n')
        self.useFixture(fixtures.EnvironmentVariable(
            'DIRECTORY', self.directory))
        self._write('pc.ram', b'here')
        self.assertEqual({}, self.host.count_in_files(['here']))
