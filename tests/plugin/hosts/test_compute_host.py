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

"""Tests of what a host is asked about its store."""

import ctypes
import dataclasses
import gc
import mmap
import os
import subprocess
import unittest
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import qemu
from mempage_tempest_plugin.hosts.scripts import evict
from mempage_tempest_plugin.hosts import ssh
from tests.plugin import samples

MIB = samples.MIB
PAGES = 1024


class TestGuests(base.BaseTestCase):

    def test_those_that_come_and_go(self):
        host = compute_host.ComputeHost(mock.Mock(), 60)
        host.libvirt = mock.Mock()
        host.libvirt.running.side_effect = [{'a': '1-gone', 'b': '2-stays'},
                                            {'b': '2-stays', 'a': '3-new'}]
        with mock.patch.object(host, 'survey') as survey:
            self.assertEqual(
                (survey.return_value, {'1-gone', '2-stays', '3-new'}),
                host.survey_and_guests())


class TestErrors(base.BaseTestCase):

    def test_what_nova_compute_has_logged(self):
        host = compute_host.ComputeHost(mock.Mock(), 60)
        with mock.patch.object(host, 'compute_log') as log:
            log.return_value = '2026 ERROR nova [instance: u] no memory\n'
            self.assertEqual(['no memory'], host.errors_of('u'))
            log.side_effect = exceptions.FactsMissing('a', 'nothing')
            [why] = host.errors_of('u')
        self.assertIn('nothing', why)


class HostTestCase(base.BaseTestCase):
    """Tests of a host whose commands run here."""

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.host = self.host_with(self.directory)
        self.commands = self.useFixture(fixtures.TempDir()).path

    def host_with(self, directory, **declared):
        """Make a host.

        :param directory: its backing directory, as declared
        :param declared: what else is declared of its store
        """
        host = compute_host.ComputeHost(dataclasses.replace(
            samples.FILE_BACKED, name='host1',
            file_backed=inventory.FileBacked(1024, directory, **declared)),
            60)
        host.ssh = mock.Mock()
        host.libvirt = mock.Mock()
        host.libvirt.running.return_value = {}
        host.ssh.execute.side_effect = self._execute
        return host

    def _execute(self, command, root, stdin='', check=True, heard=None):
        result = subprocess.run(
            command, capture_output=True, text=True, input=stdin, env=dict(
                os.environ, PATH=self.commands + ':' + os.environ['PATH']))
        for line in result.stdout.splitlines() if heard else ():
            heard(line)
        return ssh.Result('find', result.returncode, result.stdout,
                          result.stderr)


class LinkTest(HostTestCase):
    """The backing directory is a link, with a slash at its end."""

    def setUp(self):
        super().setUp()
        self.link = self.useFixture(fixtures.TempDir()).join('memory')
        os.symlink(self.directory, self.link)
        self.host = self.host_with(self.link + '/')
        os.makedirs(os.path.join(self.directory, 'libvirt/qemu'))
        self.path = os.path.join(self.directory, 'libvirt/qemu/pc.ram')
        with open(self.path, 'wb') as stream:
            stream.write(b'here')

    def test_one_spelling(self):
        for path in (self.link + '//libvirt/qemu/pc.ram',
                     self.link + '/libvirt/qemu/pc.ram', self.path):
            self.assertEqual(self.path, self.host.real(path))
        self.assertEqual(self.directory, self.host.real(self.link))
        self.assertEqual('/dev/hugepages', self.host.real('/dev/hugepages/'))

    def test_link_below_the_directory(self):
        elsewhere = self.useFixture(fixtures.TempDir()).path
        os.rename(os.path.join(self.directory, 'libvirt'),
                  os.path.join(elsewhere, 'libvirt'))
        os.symlink(os.path.join(elsewhere, 'libvirt'),
                   os.path.join(self.directory, 'libvirt'))
        path = os.path.join(elsewhere, 'libvirt/qemu/pc.ram')
        self.assertEqual(path, self.host.real(
            self.link + '/libvirt/qemu/pc.ram'))
        self.assertEqual(4, self.host.survey(paths=[path]).files[path].size)

    def test_what_qemu_names(self):
        for named, expected in (
                (self.link + '//libvirt/qemu/pc.ram', self.path),
                (None, None)):
            with mock.patch.object(qemu, 'memory_backends', return_value=[
                    samples.backend(mem_path=named)]):
                [found] = self.host.memory_backends(samples.SERVER)
            self.assertEqual(expected, found.mem_path)

    def test_survey(self):
        found = self.host.survey(paths=[self.path])
        self.assertEqual((self.directory, 4), (
            found.real(self.link), found.files[self.path].size))
        self.assertEqual('d', found.files[self.directory].kind)
        self.assertEqual([], [path for path in found.files
                              if path.startswith(self.link)])

    def test_mount_of_its_own(self):
        """The directory is a link, and what it is mounted on is none"""
        self.host = self.host_with(self.link,
                                   mount=os.path.dirname(self.directory))
        self.assertEqual(os.path.dirname(self.directory),
                         self.host.survey().real(
                             self.host.declared.file_backed.mount))

    def test_count(self):
        self.assertEqual({self.path: {'here': 1}},
                         self.host.count_in_files(['here'], []))

    def test_count_without_others(self):
        os.rename(self.path, self.path + '-1')
        os.mkdir(os.path.join(self.directory, 'libvirt/qemu/1-a'))
        os.rename(self.path + '-1', os.path.join(
            self.directory, 'libvirt/qemu/1-a/pc.ram'))
        self.host.libvirt.running.return_value = {'uuid-of-a': '1-a'}
        self.assertEqual({}, self.host.count_in_files(['here'], []))

    def test_where_it_leads_is_asked_once(self):
        for _ in range(2):
            self.host.real(self.link)
        self.host.ssh.execute.assert_called_once()


class StoreTest(HostTestCase):

    def test_nothing_is_mounted(self):
        error = self.assertRaises(exceptions.StoreNotMounted,
                                  self.host.survey_store)
        for part in ('host1', 'nothing is mounted at ' + self.directory):
            self.assertIn(part, str(error))

    def test_mounted(self):
        found = samples.host_survey()
        with mock.patch.object(self.host, 'survey', return_value=found):
            self.assertIs(found, self.host.survey_store())

    def test_no_store(self):
        host = compute_host.ComputeHost(samples.PLAIN, 60)
        host.ssh = mock.Mock()
        self.assertEqual('/dev/hugepages/x', host.real('/dev/hugepages/x'))
        host.ssh.execute.assert_not_called()


class TestMemory(HostTestCase):
    """Tests of what a process has mapped: this one."""

    def setUp(self):
        super().setUp()
        if os.geteuid():
            raise unittest.SkipTest('only root may open what is mapped')
        self.path = os.path.join(self.directory, 'ram[1].x')
        with open(self.path, 'wb') as stream:
            stream.write(bytes(8191) + b'\n')
        with open(self.path, 'r+b') as stream:
            self.memory = mmap.mmap(stream.fileno(), 0)
        self.addCleanup(self.memory.close)
        # As QEMU does with large pages.
        os.unlink(self.path)

    def test_count_in_memory(self):
        self.memory[5000:5004] = b'here'
        [(_, found)] = self.host.count_in_memory(
            os.getpid(), [self.path], ['here', 'x']).items()
        self.assertEqual({'here': 1}, found)

    def test_count_in_memory_elsewhere(self):
        self.memory[5000:5004] = b'here'
        self.assertEqual({}, self.host.count_in_memory(
            os.getpid(), [self.directory + '/ram1'], ['here']))

    def test_mapped(self):
        [path] = self.host.mapped(os.getpid(), [self.path])
        self.memory[:4] = b'here'
        with open(path, 'rb') as stream:
            self.assertEqual(b'here', stream.read(4))

    def _write(self, address, pids):
        with mock.patch.object(self.host, 'pids', return_value=pids), \
                mock.patch.object(qemu, 'host_address', return_value=address):
            self.host.write_memory('uuid', 64, 'here')

    def test_write_memory(self):
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        gc.collect()
        self._write(address + 64, [os.getpid()])
        self.assertEqual(b'\0here\0', self.memory[63:69])

    def test_write_where_nothing_is(self):
        for address, pids in (None, [os.getpid()]), (64, []), (64, [1, 2]):
            self.assertRaises(exceptions.FactsMissing, self._write, address,
                              pids)


class TestOverwrite(HostTestCase):

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, 'ram')
        with open(self.path, 'wb') as stream:
            stream.write(bytes(3 * MIB))

    def _read(self):
        with open(self.path, 'rb') as stream:
            return stream.read()

    def test_text(self):
        self.host.overwrite(self.path, 1, 'here')
        self.assertEqual(bytes(MIB) + b'here' + bytes(2 * MIB - 4),
                         self._read())

    def test_something_else(self):
        self.host.overwrite(self.path, 2, operands=[
            'if=/dev/urandom', 'count=1', 'conv=fsync'])
        found = self._read()
        self.assertEqual((bytes(2 * MIB), 3 * MIB),
                         (found[:2 * MIB], len(found)))
        self.assertNotEqual(bytes(MIB), found[2 * MIB:])


class TestCountInFiles(HostTestCase):

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
