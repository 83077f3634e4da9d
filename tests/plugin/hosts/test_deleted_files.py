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

"""Tests of who has deleted files of guests."""

import mmap
import os
import subprocess
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.hosts import deleted_files
from mempage_tempest_plugin.hosts import ssh

# All of the machine is searched, where other workers run these tests, too.
NAME = 'instance-%08x' % os.getpid()
GUEST = '7-' + NAME


class HoldersTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = self.useFixture(fixtures.TempDir()).join(GUEST, 'pc.ram')
        os.mkdir(os.path.dirname(self.path))
        self.stream = open(self.path, 'w+b')
        self.addCleanup(self.stream.close)
        self.stream.truncate(mmap.PAGESIZE)
        self.found = {self.path: [os.getpid()]}

    def _holders(self, *directories):
        return deleted_files.holders(
            mock.Mock(**{'execute.side_effect': self._execute}), directories)

    def _execute(self, command, root, check):
        done = subprocess.run(command, capture_output=True, text=True)
        return ssh.Result('find', done.returncode, done.stdout, done.stderr)

    def test_open(self):
        os.unlink(self.path)
        for name in GUEST, '[0-9]*-' + NAME:
            self.assertEqual(self.found, self._holders(name))

    def test_several_guests(self):
        os.unlink(self.path)
        self.assertEqual(self.found, self._holders('8-other', GUEST))

    def test_only_mapped(self):
        memory = mmap.mmap(self.stream.fileno(), mmap.PAGESIZE)
        self.addCleanup(memory.close)
        self.stream.close()
        os.unlink(self.path)
        # A map keeps a descriptor of its own in Python, not in QEMU.
        os.close(self._descriptor())
        self.assertEqual(self.found, self._holders(GUEST))

    def _descriptor(self):
        """Find what Python has open of the file."""
        links = ('/proc/self/fd/' + name
                 for name in os.listdir('/proc/self/fd'))
        return next(int(os.path.basename(link)) for link in links
                    # That of the listing itself is closed by now.
                    if os.path.islink(link)
                    and os.readlink(link).startswith(self.path))

    def test_not_deleted(self):
        self.assertEqual({}, self._holders(GUEST))

    def test_of_another_guest(self):
        os.unlink(self.path)
        self.assertEqual({}, self._holders('17-' + NAME, NAME))

    def test_nobody(self):
        self.stream.close()
        os.unlink(self.path)
        self.assertEqual({}, self._holders(GUEST))
