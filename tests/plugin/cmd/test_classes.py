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

import datetime
import io
import os
from unittest import mock

import fixtures
from oslo_utils import timeutils
from oslotest import base

from mempage_tempest_plugin.cmd import mempage_tempest as command
from mempage_tempest_plugin.evidence import streams
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
        self.assertIn(['a:', 'not', 'here'], lines)

    def test_how_much_a_column_has(self):
        path = self._record('run', 'test_both', 'test_guest', 'test_skipped')
        today = str(timeutils.utcnow().date())
        self.assertEqual('one: 1 failed, 1 passed, 1 skipped (%s)' % today,
                         ' '.join(self._run('one=' + path)[-1]))

    def test_days_of_a_column(self):
        found = [streams.Test('x', streams.PASSED, [], ended=(
            datetime.datetime(2026, 1, day))) for day in (3, 1, 2)]
        with mock.patch.object(streams, 'read', return_value=found):
            self.assertEqual(
                'a: 3 passed (2026-01-01 to 2026-01-03)',
                ' '.join(self._run('a=b')[-1]))
            found[:] = [streams.Test('x', streams.PASSED, [])]
            self.assertEqual('a: 1 passed', ' '.join(self._run('a=b')[-1]))

    def test_results_of_one_name(self):
        """What is later counts, of each test"""
        first = self._record('first', 'test_both', 'test_guest')
        second = self._record('second', 'test_both', 'test_without_facts')
        lines = self._run('all=' + first, 'all=' + second)
        self.assertEqual([['class', 'all'], [
            'tests.plugin.recorded.Sample', '2,', '1', 'failed']], lines[:2])

    def test_classes_of_one_name(self):
        """A class that was skipped, and its tests, are never both there"""
        def results(*names):
            return [streams.Test(name, status, [], reason)
                    for name, status, reason in names]

        whole = results(('setUpClass (a.B)', streams.SKIPPED, 'no host'))
        tests = results(('a.B.test_one', streams.PASSED, ''),
                        ('a.B.test_two', streams.PASSED, ''),
                        ('a.C.test_one', streams.PASSED, ''))
        for order, row in (([whole, tests], '2'), ([tests, whole], 'a')):
            with mock.patch.object(streams, 'read', side_effect=order):
                self.assertEqual([['a.B', row], ['a.C', '1']],
                                 self._run('x=1', 'x=2')[1:3])

    def test_all_classes(self):
        path = self._record('run', 'test_both')
        lines = self._run('--all', path)
        self.assertIn(['api.test_plain.TestPlain'], lines)
        self.assertIn(['tests.plugin.recorded.Sample', '1'], lines)
        self.assertNotIn(['api.test_plain.TestPlain'], self._run(path))

    def test_of_whole_classes(self):
        lines = self._run(self._record('run', 'SkippedClass'))
        self.assertEqual(0, self.status)
        self.assertEqual(['tests.plugin.recorded.SkippedClass', 'a'],
                         lines[1])

    def test_without_skips_there_is_no_legend(self):
        lines = self._run(self._record('run', 'test_both'))
        self.assertEqual(4, len(lines))
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
        self.assertIn('a: without host fbm1: occupied: 2 guests'.split(),
                      lines)
        lines = self._run('--hosts', path)
        self.assertEqual(['tests.plugin.recorded.Sample', '1,', 'a', '2'],
                         lines[1])
        self.assertIn('a: occupied: 2 guests'.split(), lines)

    def test_no_host(self):
        self._run('--hosts', self._record('run', 'test_without_facts'))
        self.assertEqual(1, self.status)
        self.assertIn('no facts of hosts in it', self.error)

    def test_a_name_without_a_file(self):
        self.assertRaises(SystemExit, self._run, 'one=')
        with mock.patch('sys.stderr'):
            self.assertRaises(SystemExit, self._run, '=file')
