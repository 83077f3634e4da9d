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

"""Tests of what tells how much of a file is in the page cache."""

import mmap
import os
import subprocess
import sys
from unittest import mock

import fixtures
import testtools

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.hosts.scripts import evict

PAGES = 64


def _host():
    """A host that runs commands here."""
    def execute(command, stdin, root):
        result = subprocess.run(
            [sys.executable if word == 'python3' else word
             for word in command], input=stdin, check=True,
            capture_output=True, text=True)
        return mock.Mock(stdout=result.stdout)

    host = mock.Mock()
    host.name = 'host1'
    host.ssh.execute.side_effect = execute
    return host


class TestCache(testtools.TestCase):

    def setUp(self):
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(directory, 'pc.ram')
        with open(self.path, 'wb') as stream:
            stream.write(bytes([7]) * PAGES * mmap.PAGESIZE)

    def test_look(self):
        found = cache.look(_host(), self.path)
        self.assertEqual((PAGES, PAGES, None),
                         (found.pages, found.cached, found.fsync))

    def test_mincore_tells_the_same(self):
        with open(self.path, 'r+b') as stream:
            self.assertEqual(PAGES, evict.resident(
                stream.fileno(), PAGES * mmap.PAGESIZE))

    def test_mappings(self):
        with open(self.path, 'r+b') as stream:
            status = os.fstat(stream.fileno())
            with mmap.mmap(stream.fileno(), 0):
                self.assertEqual(
                    [PAGES * mmap.PAGESIZE],
                    [length for _, length in evict.mappings(
                        os.getpid(), status.st_ino, status.st_dev)])

    def test_no_answer(self):
        host = mock.Mock()
        host.name = 'host1'
        host.ssh.execute.return_value.stdout = ''
        self.assertRaises(exceptions.FactsMissing, cache.look, host, self.path)
