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

import io
import os
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.cmd import mempage_tempest as command
from tests.plugin import recorded


class ClassesTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path

    def _record(self, name, *tests):
        path = os.path.join(self.directory, name)
        recorded.record(path, *tests)
        return path

    def _run(self, *arguments):
        with mock.patch('sys.stdout', new_callable=io.StringIO) as stdout, \
                mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
            self.status = command.main(['classes', *arguments])
        self.error = stderr.getvalue()
        return [line.split() for line in stdout.getvalue().splitlines()]

    def test_a_column_for_each_run(self):
        lines = self._run(
            'one=' + self._record('a', 'test_both', 'test_guest'),
            self._record('two.subunit', 'test_both', 'test_outcomes',
                         'test_skipped'))
        self.assertEqual(1, self.status)
        self.assertEqual(
            [['class', 'one', 'two'],
             ['tests.plugin.recorded.Sample', '1,', '1', 'failed',
              '1,', '1', 'failed,', 'a']], lines[:2])
        self.assertEqual(['a:', 'not', 'here'], lines[-1])

    def test_of_whole_classes(self):
        lines = self._run(self._record('run', 'SkippedClass'))
        self.assertEqual(0, self.status)
        self.assertEqual(['tests.plugin.recorded.SkippedClass', 'a'],
                         lines[1])

    def test_without_skips_there_is_no_legend(self):
        self.assertEqual(2, len(self._run(self._record('run', 'test_both'))))
        self.assertEqual(0, self.status)

    def test_a_column_for_each_host(self):
        lines = self._run('--hosts', self._record(
            'run', 'test_outcomes', 'test_fails_later', 'test_skipped'))
        self.assertEqual(1, self.status)
        self.assertEqual(
            [['class', 'fbm1', 'plain1'],
             ['tests.plugin.recorded.Sample', '1,', '1', 'unknown,', 'a',
              '1', 'failed,', '1', 'unknown']], lines[:2])

    def test_hosts_that_were_left_out(self):
        path = self._record('run', 'test_left_out', 'test_both')
        lines = self._run(path)
        self.assertEqual(['tests.plugin.recorded.Sample', '2,', 'a'],
                         lines[1])
        self.assertEqual('a: without host fbm1: occupied: 2 guests',
                         ' '.join(lines[-1]))
        lines = self._run('--hosts', path)
        self.assertEqual(['tests.plugin.recorded.Sample', '1,', 'a', '2'],
                         lines[1])
        self.assertEqual('a: occupied: 2 guests', ' '.join(lines[-1]))

    def test_no_host(self):
        self._run('--hosts', self._record('run', 'test_without_facts'))
        self.assertEqual(1, self.status)
        self.assertIn('no facts of hosts in it', self.error)

    def test_a_name_without_a_file(self):
        self.assertRaises(SystemExit, self._run, 'one=')
        with mock.patch('sys.stderr'):
            self.assertRaises(SystemExit, self._run, '=file')
