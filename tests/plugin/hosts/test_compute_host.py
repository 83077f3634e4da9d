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
from mempage_tempest_plugin.hosts.scripts import evict
from mempage_tempest_plugin.hosts import ssh

PAGES = 1024


class TestDomains(base.BaseTestCase):

    def test_those_that_come_and_go(self):
        host = compute_host.ComputeHost(mock.Mock(), 60)
        host.libvirt = mock.Mock()
        host.libvirt.domains.side_effect = [{'gone'}, {'new'}]
        with mock.patch.object(host, 'survey') as survey:
            self.assertEqual((survey.return_value, {'gone', 'new'}),
                             host.survey_and_domains())


class TestCountInFiles(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        declared = mock.Mock()
        declared.name = 'host1'
        declared.file_backed.directory = self.directory
        self.host = compute_host.ComputeHost(declared, 60)
        self.host.ssh = mock.Mock()
        self.host.libvirt = mock.Mock()
        self.host.libvirt.running.return_value = {}
        self.host.ssh.execute.side_effect = self._execute
        self.commands = self.useFixture(fixtures.TempDir()).path

    def _execute(self, command, root, check, heard):
        result = subprocess.run(
            command, capture_output=True, text=True, env=dict(
                os.environ, PATH=self.commands + ':' + os.environ['PATH']))
        for line in result.stdout.splitlines():
            heard(line)
        return ssh.Result('find', result.returncode, result.stdout,
                          result.stderr)

    def _write(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, 'wb') as stream:
            stream.write(content)
        return path

    def _replace_dd(self, text):
        """Have another dd."""
        self._replace('dd', text)

    def _replace(self, name, text):
        path = os.path.join(self.commands, name)
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
                         self.host.count_in_files(['here', 'x'], []))

    def _running(self, *names):
        """Have guests that run, with a file each; the pattern is in all.

        :returns: the paths
        """
        paths = []
        for number, name in enumerate(names, 1):
            directory = 'libvirt/qemu/%d-%s' % (number, name)
            os.makedirs(os.path.join(self.directory, directory))
            paths.append(self._write(directory + '/pc.ram', b'here'))
        self.host.libvirt.running.return_value = {
            'uuid-of-' + name: '%d-%s' % (number, name)
            for number, name in enumerate(names, 1)}
        return paths

    def test_files_of_others(self):
        own, _, dead = self._running('a', 'b[*]', 'c')
        self.host.libvirt.running.return_value.pop('uuid-of-c')
        stray = self._write('kept-a', b'here')
        self.assertEqual(
            dict.fromkeys([own, dead, stray], {'here': 1}),
            self.host.count_in_files(['here'], ['uuid-of-a']))

    def test_another_with_a_similar_name(self):
        first, second = self._running('b[*]', 'bx')
        os.makedirs(os.path.join(self.directory, 'libvirt/qemu/1-bx'))
        self.host.libvirt.running.return_value.pop('uuid-of-bx')
        self.assertEqual({second: {'here': 1}},
                         self.host.count_in_files(['here'], []))

    def test_tells_what_takes_so_long(self):
        path = self._write('pc.ram', b'here')
        self._replace('dd', 'case "$*" in *bs=*) /bin/sleep 0.3; esac; '
                            'exec /bin/dd "$@"\n')
        self._replace('sleep', 'exec /bin/sleep 0.1\n')
        with mock.patch.object(compute_host.LOG, 'info') as info:
            self.assertEqual({path: {'here': 1}},
                             self.host.count_in_files(['here'], []))
        host, said = info.call_args_list[0].args[1:]
        self.assertEqual('host1', host)
        # The shell's clock may just go on to the next second.
        self.assertIn(said, [path + ' (1 of 1) for %d s' % seconds
                             for seconds in range(60)])

    def test_what_is_only_mapped(self):
        path = self._write('pc.ram', bytes(mmap.PAGESIZE))
        with open(path, 'r+b') as stream, mmap.mmap(
                stream.fileno(), 0) as memory:
            memory[100:104] = b'here'
            self.assertEqual({path: {'here': 1}},
                             self.host.count_in_files(['here'], []))

    def test_page_cache_is_not_filled(self):
        path = self._write('pc.ram', b'here' + bytes(PAGES * mmap.PAGESIZE))
        with open(path, 'r+b') as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            size = os.fstat(stream.fileno()).st_size
            if evict.count(stream.fileno(), size)[0]:
                self.skipTest('%s has no device below' % self.directory)
            self.host.count_in_files(['here'], [])
            self.assertEqual(0, evict.count(stream.fileno(), size)[0])

    def test_file_system_without_direct_reads(self):
        self._replace_dd(
            'case "$*" in *direct*) exit 1; esac; exec /bin/dd "$@"\n')
        path = self._write('pc.ram', b'here')
        self.assertEqual({path: {'here': 1}},
                         self.host.count_in_files(['here'], []))

    def test_file_that_cannot_be_read(self):
        self._replace_dd('echo "dd: Input/output error" >&2; exit 1\n')
        path = self._write('pc.ram', b'here')
        error = self.assertRaises(exceptions.FactsMissing,
                                  self.host.count_in_files, ['here'], [])
        for part in ('host1', path, 'Input/output error'):
            self.assertIn(part, str(error))

    def test_file_that_went_away(self):
        self._replace_dd('rm -f "$DIRECTORY"/pc.ram; exec /bin/dd "$@"\n')
        self.useFixture(fixtures.EnvironmentVariable(
            'DIRECTORY', self.directory))
        self._write('pc.ram', b'here')
        self.assertEqual({}, self.host.count_in_files(['here'], []))
