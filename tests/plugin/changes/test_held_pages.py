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


"""Tests of a process that holds pages, on a file of this machine."""

import os
import subprocess
from unittest import mock

import fixtures
from oslotest import base
from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin.changes import held_pages

SIZE_KIB = 2048
PAGES = 2


class HeldPagesTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.useFixture(fixtures.TempDir()).path,
                                 'ram')
        with open(self.path, 'wb') as stream:
            stream.truncate(SIZE_KIB * PAGES * 1024)
        self.host = mock.Mock()
        self.host.ssh.execute = self._execute

    def _execute(self, command, root=False, check=True):
        self.assertTrue(root)
        # Who waits for the end of the output does not wait for the process.
        return subprocess.run(command, check=check, text=True, timeout=60,
                              stdout=subprocess.PIPE)

    def _held(self, **arguments):
        return held_pages.HeldPages(self.host, SIZE_KIB, PAGES,
                                    path=self.path, **arguments)

    def _taken(self):
        return os.stat(self.path).st_blocks

    def test_process_holds_them_until_the_end(self):
        held = self._held()
        with held:
            with open('/proc/%d/maps' % held.pid,
                      encoding='utf-8') as stream:
                self.assertIn(self.path, stream.read())
            self.assertEqual(0, self._taken())
        # A signal that was sent may not have been heeded yet.
        self.assertTrue(test_utils.call_until_true(
            lambda: not self._runs(held.pid), 10, 0.05))

    def _runs(self, pid):
        try:
            with open('/proc/%d/stat' % pid, encoding='utf-8') as stream:
                # Nobody may have asked yet how it has ended.
                return stream.read().rpartition(') ')[2][0] not in 'ZX'
        except FileNotFoundError:
            return False

    def test_touched(self):
        with self._held(touched=True):
            self.assertGreater(self._taken(), 0)

    def test_pages_without_file(self):
        held = held_pages.HeldPages(mock.Mock(), 1048576, 3)
        self.assertEqual(['', str(3 << 30), '30', '0', '900'], held._words)
