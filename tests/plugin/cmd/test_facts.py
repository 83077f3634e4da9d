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
import json
import os
import subprocess
import sys
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.cmd import mempage_tempest as command
from tests.plugin import recorded


class FactsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.useFixture(fixtures.TempDir()).path,
                                 'results')
        recorded.record(self.path, 'test_both', 'test_one_fails',
                        'test_outcomes', 'test_without_facts')

    def _run(self, *arguments):
        with mock.patch('sys.stdout', new_callable=io.StringIO) as stdout, \
                mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
            self.status = command.main(['facts', self.path, *arguments])
        self.error = stderr.getvalue()
        return stdout.getvalue()

    def _run_json(self, *arguments):
        return [json.loads(line) for line
                in self._run('--json', *arguments).splitlines()]

    def test_by_host_and_test(self):
        lines = self._run().splitlines()
        self.assertEqual(0, self.status)
        self.assertEqual(
            ['host fbm1: Sample.test_both: passed',
             'host fbm1: Sample.test_one_fails: unknown',
             'host fbm1: Sample.test_outcomes: passed',
             'host plain1: Sample.test_both: passed',
             'host plain1: Sample.test_one_fails: failed',
             'host plain1: Sample.test_outcomes: failed'],
            [line.replace('tests.plugin.recorded.', '') for line in lines
             if 'Sample' in line])
        self.assertIn('boot: no valid host', lines)

    def test_table(self):
        text = self._run('--host', 'plain1', '--test', 'one_fails')
        self.assertIn('host plain1 (plain), server', text)
        self.assertRegex(text, r' !!  memory, MiB +64 +192 +QEMU\n')
        self.assertRegex(text, r'\n     status +ACTIVE +ACTIVE +nova\n')
        self.assertNotIn('test_both', text)

    def test_json(self):
        found = self._run_json('--host', 'fbm1')
        self.assertEqual(['passed', 'unknown', 'passed'],
                         [result['outcome'] for result in found])
        [comparison] = found[0]['comparisons']
        self.assertEqual('fbm1', comparison['host'])
        self.assertEqual(35, len(comparison['facts']))

    def test_disagreeing(self):
        [result] = self._run_json('--disagreeing')
        self.assertEqual('plain1', result['host'])
        [comparison] = result['comparisons']
        self.assertFalse(all(fact['agrees'] for fact in comparison['facts']))

    def test_all_agree(self):
        self.assertEqual('', self._run('--disagreeing', '--host', 'fbm1'))
        self.assertEqual(0, self.status)

    def test_host_that_was_left_out(self):
        recorded.record(self.path, 'test_left_out')
        lines = self._run('--host', 'fbm1').splitlines()
        self.assertEqual(
            ['host fbm1: tests.plugin.recorded.Sample.test_left_out: skipped',
             '', 'occupied: 2 guests'], lines[:3])
        [result] = self._run_json('--host', 'fbm1')
        self.assertEqual('occupied: 2 guests', result['reason'])

    def test_no_such_host(self):
        self._run('--host', 'nope')
        self.assertEqual(1, self.status)
        self.assertIn('no facts that were asked for; there are some of host '
                      'fbm1, host plain1', self.error)

    def test_no_facts(self):
        recorded.record(self.path, 'test_without_facts')
        self._run()
        self.assertEqual(1, self.status)
        self.assertIn('%s: no facts in it' % self.path, self.error)

    def test_no_file(self):
        self.path = '/nonexistent'
        self._run()
        self.assertEqual(1, self.status)
        self.assertIn('results /nonexistent: cannot be read', self.error)

    def test_no_regular_expression(self):
        error = self.assertRaises(SystemExit, self._run, '--test', '(')
        self.assertEqual(2, error.code)

    def test_torn(self):
        os.truncate(self.path, os.path.getsize(self.path) - 9)
        self._run()
        self.assertEqual(0, self.status)
        self.assertIn('parts of it cannot be read', self.error)

    def test_from_stdin_into_a_closed_pipe(self):
        reading, writing = os.pipe()
        os.close(reading)
        with open(self.path, 'rb') as source:
            done = subprocess.run(
                [sys.executable, '-m', command.__name__, 'facts', '-'],
                stdin=source, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        self.assertEqual((141, b''), (done.returncode, done.stderr))
