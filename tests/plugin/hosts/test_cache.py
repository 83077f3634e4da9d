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

import json
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


def _host(python=sys.executable):
    """A host that runs commands here."""
    def execute(command, stdin, root, check=True):
        result = subprocess.run(
            [python if word == 'python3' else word
             for word in command], input=stdin, check=check,
            capture_output=True, text=True)
        return mock.Mock(stdout=result.stdout, stderr=result.stderr,
                         status=result.returncode)

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
            file = evict.identity(stream.fileno())
            with mmap.mmap(stream.fileno(), 0):
                self.assertEqual(
                    [PAGES * mmap.PAGESIZE],
                    [length for _, length in evict.mappings(os.getpid(),
                                                            file)])

    def test_evict(self):
        with open(self.path, 'r+b') as stream, \
                mmap.mmap(stream.fileno(), 0) as mapped:
            self.assertEqual(7, mapped[0])
            found = cache.evict(_host(), self.path, [os.getpid()])
        self.assertEqual((PAGES, 0, None, mmap.PAGESIZE),
                         (found.pages, found.cached, found.fsync, found.page))

    def test_able(self):
        self.assertIsNone(cache.unable(_host()))

    def test_no_python(self):
        self.assertIn('it has no python3: ',
                      cache.unable(_host('nonexistent')))
        # Whatever else goes wrong is no reason to skip anything.
        self.assertRaises(exceptions.HostCommandFailed, cache.unable,
                          _host('false'))

    def test_kernel_without_the_system_calls(self):
        host = mock.Mock()
        host.ssh.execute.return_value = mock.Mock(status=0, stdout=json.dumps(
            'pidfd_open or process_madvise: not implemented'))
        self.assertEqual('its kernel lacks pidfd_open or process_madvise: not '
                         'implemented', cache.unable(host))
        with mock.patch.object(evict, 'PROCESS_MADVISE', 9999):
            self.assertIn('process_madvise', evict.lacking())

    def test_no_answer(self):
        host = mock.Mock()
        host.name = 'host1'
        host.ssh.execute.return_value.stdout = ''
        self.assertRaises(exceptions.FactsMissing, cache.look, host, self.path)
