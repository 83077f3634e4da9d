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

import json
import os
import re

import ddt
import fixtures
from oslotest import base

from mempage_tempest_plugin.evidence import promised
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions

CLASS = 'mempage_tempest_plugin.tests.api.test_a.TestA'
RUNS = CLASS + '.test_runs[id-1,smoke]'
SKIPS = CLASS + '.test_skips_1_small[id-2]'
OF_CLASS = 'setUpClass (%s)' % CLASS
FORETOLD = {
    RUNS: promised.Foretold(None, ('too small', 'no target')),
    SKIPS: promised.Foretold('x.yaml declares no host')}


def _result(name, status, reason=''):
    return streams.Test(name, status, [], reason)


GOOD = [_result(RUNS, streams.PASSED),
        _result(SKIPS, streams.SKIPPED, 'x.yaml declares no host')]


@ddt.ddt
class CompareTest(base.BaseTestCase):

    def _problems(self, *results, required=None):
        self.results = list(results)
        self.tests = promised.compare(
            FORETOLD, self.results, required and re.compile(required))
        return [test.problem for test in self.tests]

    @ddt.data(streams.PASSED, streams.FAILED)
    def test_as_foretold(self, status):
        self.assertEqual([None, None], self._problems(
            _result(RUNS, status), GOOD[1]))
        self.assertEqual([], promised.problems(self.tests, self.results))

    @ddt.data('too small', 'no target')
    def test_reason_that_only_the_cloud_tells(self, reason):
        self.assertEqual([None, None], self._problems(
            _result(RUNS, streams.SKIPPED, reason + ': 3 MiB'), GOOD[1]))

    @ddt.data('3 MiB', 'too smaller: x', 'it is too small: x', '')
    def test_reason_that_was_not_foretold(self, reason):
        self.assertEqual(['had to run, and skipped: ' + reason, None],
                         self._problems(_result(
                             RUNS, streams.SKIPPED, reason), GOOD[1]))
        self.assertEqual('tests that are not as they have to be: 1',
                         promised.problems(self.tests, self.results)[0])

    def test_reason_other_than_that_foretold(self):
        self.assertEqual(
            [None, 'had to skip (x.yaml declares no host), and skipped: too '
             'small: x'], self._problems(GOOD[0], _result(
                 SKIPS, streams.SKIPPED, 'too small: x')))

    def test_class_skips_before_its_test_would(self):
        foretold = promised.Foretold('no host beside it', ('too small',))
        for reason, permitted in (('no host beside it', True),
                                  ('too small: x', True), ('other', False)):
            self.assertEqual(permitted, foretold.permits(reason))

    def test_hosts_that_were_left_out(self):
        """That is no problem, and nothing to be silent about"""
        result = streams.Test(RUNS, streams.PASSED, [
            {'kind': 'left_out', 'host': 'a', 'reason': 'too small: 3 MiB'}])
        self.assertEqual([None, None], self._problems(result, GOOD[1]))
        self.assertEqual([{'a': 'too small: 3 MiB'}, {}],
                         [test.document()['left_out'] for test in self.tests])

    def test_not_in_the_results(self):
        self.assertEqual(['had to run, and is not in the results', None],
                         self._problems(GOOD[1]))

    def test_what_skips_may_be_left_out(self):
        self.assertEqual([None, None], self._problems(GOOD[0]))

    def test_ran_although_it_had_to_skip(self):
        self.assertEqual(
            [None, 'had to skip (x.yaml declares no host), and ran'],
            self._problems(GOOD[0], _result(SKIPS, streams.PASSED)))

    def test_class_skipped(self):
        self.assertEqual(
            ['had to run, and skipped: x.yaml declares no host', None],
            self._problems(_result(
                OF_CLASS, streams.SKIPPED, 'x.yaml declares no host')))
        self.assertEqual([None, 'had to skip (x.yaml declares no host), and '
                          'skipped: too small: x'],
                         self._problems(_result(
                             OF_CLASS, streams.SKIPPED, 'too small: x')))

    def test_class_not_set_up(self):
        self.assertEqual(
            ['had to run, and its class could not be set up', None],
            self._problems(_result(OF_CLASS, streams.FAILED)))

    def test_class_not_torn_down(self):
        self.assertEqual([None, None], self._problems(
            *GOOD, _result('tearDownClass (%s)' % CLASS, streams.FAILED)))

    def test_class_of_another_module(self):
        self.assertEqual([None, None], self._problems(
            *GOOD, _result(OF_CLASS.replace('test_a.', 'test_b.'),
                           streams.SKIPPED, 'x')))

    def test_required(self):
        may = _result(RUNS, streams.SKIPPED, 'too small: x')
        self.assertEqual(['is required, and skips: too small: x', None],
                         self._problems(may, GOOD[1], required='runs'))
        self.assertEqual(
            [None, 'is required, and skips: x.yaml declares no host'],
            self._problems(*GOOD, required='skips'))
        self.assertEqual([None, None],
                         self._problems(*GOOD, required='runs'))

    def test_nothing_ran(self):
        self.assertEqual([None, None], self._problems(
            _result(RUNS, streams.SKIPPED, 'too small: x'), GOOD[1]))
        self.assertEqual(['no test ran: nothing was tested'],
                         promised.problems(self.tests, self.results))

    def test_torn_results(self):
        self._problems(*GOOD, _result(streams.UNREADABLE, streams.FAILED))
        self.assertEqual(['parts of the results cannot be read'],
                         promised.problems(self.tests, self.results))


class DocumentTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'expected.json')

    def _write(self, text):
        with open(self.path, 'w') as stream:
            stream.write(text)

    def test_what_was_written(self):
        required = re.compile('test_(runs|walks)')
        self._write(json.dumps(promised.document(
            promised.compare(FORETOLD, None, required), None, required)))
        self.assertEqual((FORETOLD, required), promised.read(self.path))

    def test_no_test_is_called_as_what_is_required(self):
        tests = promised.compare(FORETOLD)
        self.assertEqual(
            ['no test is called test_walks, which --require names'],
            promised.problems(tests, None, re.compile('test_walks')))

    def test_something_else(self):
        for text in ('', '[]', '{"tests": [], "required": "("}',
                     '{"tests": [{"test": "a"}], "required": null}'):
            self._write(text)
            error = self.assertRaises(exceptions.DocumentError, promised.read,
                                      self.path)
            self.assertIn('expected.json: is not what "mempage-tempest expect '
                          '--json" writes', str(error))

    def test_nothing(self):
        error = self.assertRaises(exceptions.DocumentError, promised.read,
                                  self.path)
        self.assertIn('No such file', str(error))


class BeforeTest(base.BaseTestCase):

    def test_nothing_is_wrong_yet(self):
        tests = promised.compare(FORETOLD)
        self.assertEqual([None, None], [test.problem for test in tests])
        self.assertEqual([], promised.problems(tests))

    def test_nothing_has_to_run(self):
        tests = promised.compare({SKIPS: FORETOLD[SKIPS]})
        self.assertEqual(['no test has to run: nothing would be tested'],
                         promised.problems(tests))

    def test_required(self):
        tests = promised.compare(FORETOLD, None, re.compile('test_'))
        self.assertEqual(
            [None, 'is required, and skips: x.yaml declares no host'],
            [test.problem for test in tests])
        self.assertEqual(['tests that are not as they have to be: 1'],
                         promised.problems(tests))

    def test_names(self):
        test = promised.Test(SKIPS, FORETOLD[SKIPS])
        self.assertEqual((CLASS, 'test_skips_1_small'),
                         (test.of_class, test.method))
