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

"""Tests of what a host has of a share, on this machine."""

import pathlib
import subprocess
import sys
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import shared_directory
from mempage_tempest_plugin.hosts import ssh

TEXT = '''
=== mounts
fuse.ceph-fuse ceph-fuse
=== processes
7 virtiofsd
9 ceph fuse
=== there
yes
'''


class ParseTest(base.BaseTestCase):

    def test_share(self):
        self.assertEqual(
            shared_directory.State(['fuse.ceph-fuse ceph-fuse'],
                                   ['7 virtiofsd', '9 ceph fuse'], True),
            shared_directory.parse(TEXT))

    def test_nothing(self):
        self.assertEqual(
            shared_directory.State([], [], False), shared_directory.parse(
                '\n=== mounts\n\n=== processes\n\n=== there\n'))


class ScriptTest(base.BaseTestCase):

    def _look(self, directory):
        return shared_directory.parse(subprocess.run(
            ['sh', '-s'], text=True, check=True, stdout=subprocess.PIPE,
            input=scripts.with_values(shared_directory.SCRIPT,
                                      directory=directory)).stdout)

    def test_nothing(self):
        self.assertEqual(shared_directory.State([], [], False),
                         self._look('/no-such-share'))

    def test_mount(self):
        found = self._look('/proc')
        self.assertIn('proc proc', found.mounts)
        self.assertTrue(found.there)

    def test_process(self):
        path = self.useFixture(fixtures.TempDir()).path
        process = subprocess.Popen(
            [sys.executable, '-c', 'import sys; sys.stdin.read()',
             '--shared-dir', path],
            stdin=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        [found] = self._look(path).processes
        self.assertTrue(found.startswith('%d ' % process.pid), found)


class FilesTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = str(pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'a b'))
        self.useFixture(fixtures.MockPatchObject(
            libvirt_root, 'execute', self._execute))

    def _execute(self, connection, command, stdin=''):
        return ssh.Result(command, 0, subprocess.run(
            command, input=stdin, text=True, check=True,
            stdout=subprocess.PIPE).stdout, '')

    def test_round_trip(self):
        host = mock.Mock()
        shared_directory.write(host, self.path, 'abc')
        self.assertEqual('900150983cd24fb0d6963f7d28e17f72',
                         shared_directory.digest(host, self.path))
