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

"""Tests of the store that is broken on purpose."""

import dataclasses
import os
import subprocess
from unittest import mock

import fixtures
import testtools

from mempage_tempest_plugin.changes import faulty_store
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import scripts
from tests.plugin import samples

LOG = """[   12.000000] EXT4-fs (loop3): mounted filesystem
[ 2901.601302] EXT4-fs (loop3): mounted filesystem without journal
[ 2936.681703] Buffer I/O error on dev loop3, lost async page write
"""


class TestFaultyStore(testtools.TestCase):

    def _host(self):
        host = mock.Mock()
        host.declared.file_backed.directory = '/link'
        host.real = {'/link': "/var/lib/it's"}.get
        host.ssh.execute.side_effect = [
            mock.Mock(stdout='2900.50\n'), mock.Mock(stdout=LOG),
            mock.Mock(stdout='')]
        return host

    def test_complaints_since_then(self):
        with faulty_store.FaultyStore(self._host(), 128, 64) as store:
            self.assertEqual(LOG.splitlines()[1:], store.complaints())

    def test_it_goes_in_the_end(self):
        host = self._host()
        with faulty_store.FaultyStore(host, 128, 64) as store:
            store.complaints()
        ran = [call.kwargs['stdin']
               for call in host.ssh.execute.call_args_list]
        self.assertEqual(['action=up', 'action=log', 'action=down'],
                         [script.splitlines()[0] for script in ran])
        for script in ran:
            self.assertIn('\ndirectory=\'/var/lib/it\'"\'"\'s\'\n', script)
            subprocess.run(['sh', '-n'], input=script, check=True, text=True)

    def test_time_of_a_write(self):
        directory = self.useFixture(fixtures.TempDir()).path
        host = mock.Mock()
        host.declared = dataclasses.replace(
            samples.FILE_BACKED, file_backed=inventory.FileBacked(
                directory=directory, capacity_mib=1))
        host.real = lambda path: path

        def execute(ssh, command):
            return subprocess.run(command, check=True, text=True,
                                  capture_output=True)

        with mock.patch.object(libvirt_root, 'execute', execute):
            took = faulty_store.MappedStore(host, 1).time_writing()
        self.assertTrue(0 <= took < 60000)
        self.assertEqual([], os.listdir(directory))

    def test_where_libvirt_is(self):
        """What logs in on the host may see another store, or none"""
        host = self._host()
        faulty_store.remove_left(host)
        [call] = host.ssh.execute.call_args_list
        self.assertEqual(['sh', '-c', scripts.read(libvirt_root.SCRIPT)],
                         call.args[0][:3])

    def test_declared(self):
        """It is the host's own, but for the file system and its place"""
        store = inventory.FileBacked(directory='/srv/it/memory', mount='/srv',
                                     capacity_mib=64, filesystem='xfs')
        host = mock.Mock(declared=inventory.Host(
            name='it', address='it', ssh=None, libvirt_uri='test:///',
            file_backed=store))
        declared = faulty_store.FaultyStore(host, 128, 64).declared
        self.assertEqual('ext4', declared.file_backed.filesystem)
        self.assertEqual('/srv/it/memory', declared.file_backed.mount)
        self.assertEqual(host.declared, dataclasses.replace(
            declared, file_backed=store))
        self.assertIn('mkfs.ext4', scripts.read(faulty_store.SCRIPT))

    def test_what_is_left(self):
        host = self._host()
        host.ssh.execute.side_effect = [mock.Mock(stdout='yes\n'),
                                        mock.Mock(stdout='')]
        self.assertTrue(faulty_store.is_left(host))
        self.assertFalse(faulty_store.is_left(host))


class MappedStoreTest(testtools.TestCase):

    def _host(self, *answers):
        host = mock.Mock()
        host.declared.file_backed.directory = '/link'
        host.real = {'/link': "/var/lib/it's"}.get
        host.ssh.execute.side_effect = [mock.Mock(stdout=answer)
                                        for answer in answers]
        return host

    def _scripts(self, host):
        return [call.kwargs['stdin']
                for call in host.ssh.execute.call_args_list]

    def test_what_it_does(self):
        host = self._host('7.0\n', '', '', '', '[ 8.0] old\n[ 3.0] older', '')
        with faulty_store.MappedStore(host, 128) as store:
            store.break_writing()
            store.break_reading()
            store.delay_writing(200)
            self.assertEqual(['[ 8.0] old'], store.complaints())
        scripts = self._scripts(host)
        self.assertEqual(
            ['action=up', 'action=write-errors', 'action=errors',
             'action=delay', 'action=log', 'action=down'],
            [script.splitlines()[0] for script in scripts])
        self.assertIn('\ndelay=200\n', scripts[3])
        for script in scripts:
            subprocess.run(['sh', '-n'], input=script, check=True, text=True)

    def test_missing_targets(self):
        for answer, missing in (
                ('striped\nlinear\nerror\ndelay\nflakey\n', []),
                ('linear\nerror\nthin\n', ['flakey', 'delay']),
                ('', ['linear', 'flakey', 'delay', 'error'])):
            self.assertEqual(missing, faulty_store.missing_targets(
                self._host(answer), faulty_store.MappedStore))
        self.assertEqual(['thin-pool'], faulty_store.missing_targets(
            self._host('linear\nthin\n'), faulty_store.ThinStore))

    def test_what_is_left(self):
        host = self._host('yes\n', '', '')
        self.assertTrue(faulty_store.is_left(host))
        self.assertFalse(faulty_store.is_left(host))
        faulty_store.remove_left(host)
        self.assertIn('action=down', self._scripts(host)[-1])
