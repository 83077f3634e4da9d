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


import dataclasses
import io
import json
import pathlib
from unittest import mock

import ddt
import fixtures

from mempage_lab.drills import report
from mempage_lab import errors
from mempage_lab import lab
from mempage_lab import matrix
from mempage_lab import runner
from mempage_lab import stream
from tests.lab import base

HOST = {'system': 'Debian 12', 'kernel': '6.1', 'python': '3.11.2',
        'libvirt': '9.0.0', 'qemu': '7.2.9'}
VERSIONS = {'release': '2025.1', 'stock': True,
            'openstack': {'nova': '31.0.0', 'glance': '30.0.0'},
            'hosts': {'a': HOST, 'b': HOST,
                      'c': dict(HOST, libvirt='11.3.0', qemu='10.0.2'),
                      'd': None}}
ONE = matrix.Cloud('2025.1', True, 'debian-12')
TWO = matrix.Cloud('2025.2', True, 'debian-12')
THREE = matrix.Cloud('2025.2', False, 'debian-13')
#: What there is after runs of all sorts.
RESULTS = [
    matrix.Result(ONE, 70, {}, 3, '', 812.5, VERSIONS, '/results/1'),
    matrix.Result(TWO, 69, {'a.b.test_c': 'AssertionError: 1 != 2'}, 3, '',
                  900.1, VERSIONS, '/results/2'),
    matrix.Result(THREE, error='keystone does not come up')]


@ddt.ddt
class VerdictTest(base.LabTestCase):

    @ddt.data(({'passed': 7, 'skipped': 2}, matrix.GREEN),
              ({'passed': 7, 'failures': {'a': 'b'}}, matrix.RED),
              ({'failures': {'a': 'b'}}, matrix.RED),
              ({}, matrix.UNFINISHED),
              ({'skipped': 7}, matrix.UNFINISHED),
              ({'passed': 7, 'error': 'why'}, matrix.UNFINISHED))
    @ddt.unpack
    def test_verdict(self, values, expected):
        self.assertEqual(expected, matrix.Result(ONE, **values).verdict)


class CloudsTest(base.LabTestCase):

    def test_each_with_each(self):
        clouds = matrix.clouds(['2025.1', '2025.2'], [True, False],
                               ['debian-12', 'debian-13'])
        self.assertEqual(8, len(set(clouds)))
        # Those of a system one after the other.
        self.assertEqual([ONE, matrix.Cloud('2025.1', False, 'debian-12'),
                          TWO], clouds[:3])

    def test_name(self):
        self.assertEqual(['2025.1 stock debian-12',
                          '2025.2 extension debian-13'],
                         [matrix.name(ONE), matrix.name(THREE)])


class RunTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.shown = mock.Mock()
        self.down = self.patch_object(lab, 'down')
        self.choose = self.patch_object(lab, 'choose')
        self.up = self.choose.return_value.up
        self.run_tests = self.patch_object(runner, 'run')
        self.run_tests.return_value = 1, self.directory
        self.compare = self.patch_object(runner, 'compare')
        self.compare.return_value = None
        self.make_page = self.patch_object(runner, 'make_page')
        self.make_page.return_value = 'page: x', True
        (self.directory / 'versions.json').write_text(json.dumps(VERSIONS))
        self.read = self.patch_object(stream, 'read')
        self.read.return_value = stream.Outcome(
            ['a', 'b'], {'d.e': (
                'Traceback:\n  File "d", line 1, in e\n    code()\n'
                'Error: two\nlines\n')}, {'c': 'not here'})
        self.wishes = {cloud: lab.Wish(system=cloud.system)
                       for cloud in (ONE, TWO, THREE)}

    def _run(self):
        return list(matrix.run(self.wishes, ['--regex', 'a'], self.shown))

    def test_result(self):
        [result, *_] = self._run()
        self.assertEqual(ONE, result.cloud)
        self.assertEqual((2, 1, {'d.e': 'Error: two lines'}, ''), (
            result.passed, result.skipped, result.failures, result.error))
        self.assertEqual(VERSIONS, result.versions)
        self.assertEqual(str(self.directory), result.results)
        self.read.assert_called_with(self.directory / 'results.subunit')

    def test_less_ran_than_had_to(self):
        self.run_tests.return_value = 0, self.directory
        self.read.return_value = stream.Outcome(['a'])
        self.compare.return_value = 'b skips'
        [result, *_] = self._run()
        self.assertEqual(({'expected.txt': 'b skips'}, matrix.RED),
                         (result.failures, result.verdict))
        self.compare.assert_called_with(['--regex', 'a'], self.directory)

    def test_page_that_cannot_be_made(self):
        self.make_page.return_value = 'no space', False
        [result, *_] = self._run()
        self.assertEqual('no space', result.failures['report.html'])
        self.make_page.assert_called_with(self.directory)

    def test_a_run_that_ended_badly_without_a_failed_test(self):
        self.read.return_value = stream.Outcome(['a'], {})
        [result, *_] = self._run()
        self.assertIn('exit status 1', result.error)
        self.assertEqual(matrix.UNFINISHED, result.verdict)

    def test_each_cloud_is_a_lab_of_its_own(self):
        order = mock.Mock()
        for name in ('down', 'choose', 'run_tests'):
            order.attach_mock(getattr(self, name), name)
        self._run()
        self.assertEqual(
            [call for wish in self.wishes.values() for call in (
                mock.call.down(self.shown),
                mock.call.choose(wish, self.shown),
                mock.call.choose().up(self.shown),
                mock.call.run_tests(['--regex', 'a'], self.shown))],
            order.mock_calls)

    def _verdicts(self):
        return [result.verdict for result in self._run()]

    def test_goes_on_after_a_lab_that_does_not_come_up(self):
        self.run_tests.return_value = 0, self.directory
        self.read.return_value = stream.Outcome(['a'])
        self.up.side_effect = [None, errors.LabError('no disk'), None]
        results = self._run()
        self.assertEqual([matrix.GREEN, matrix.UNFINISHED, matrix.GREEN],
                         [result.verdict for result in results])
        self.assertEqual('no disk', results[1].error)
        self.assertEqual(2, self.run_tests.call_count)

    def test_goes_on_after_a_wish_that_is_refused(self):
        self.choose.side_effect = errors.LabError('no')
        self.assertEqual([matrix.UNFINISHED] * 3, self._verdicts())

    def test_goes_on_after_a_lab_that_is_gone(self):
        self.run_tests.side_effect = errors.LabError('there is no lab')
        self.assertEqual([matrix.UNFINISHED] * 3, self._verdicts())

    def test_goes_on_after_a_red_one(self):
        self.assertEqual([matrix.RED] * 3, self._verdicts())

    def test_tempest_that_runs_no_test(self):
        self.read.return_value = stream.Outcome()
        self.assertEqual([matrix.UNFINISHED] * 3, self._verdicts())

    def test_each_is_told_as_it_comes(self):
        results = matrix.run(self.wishes, [], self.shown)
        next(results)
        self.shown.say.assert_called_once_with(
            'cloud 1 of 3, 2025.1 stock debian-12: red, 2 passed, 1 failed, '
            '1 skipped')
        self.choose.assert_called_once()


@ddt.ddt
class FileTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.path = self.directory / 'results' / 'matrix.json'

    def test_saved_is_loaded_again(self):
        matrix.save(RESULTS, self.path)
        self.assertEqual(RESULTS, matrix.load(self.path))
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_verdicts_are_there_to_read(self):
        matrix.save(RESULTS, self.path)
        content = json.loads(self.path.read_text())
        self.assertEqual([matrix.GREEN, matrix.RED, matrix.UNFINISHED],
                         [entry['verdict'] for entry in content])
        self.assertEqual({'release': '2025.1', 'stock': True,
                          'system': 'debian-12'}, content[0]['cloud'])

    def test_no_plain_file(self):
        self.path.mkdir(parents=True)
        for load, said in ((matrix.load, 'holds no results of a matrix: '),
                           (report.load, 'is not what drill --json writes')):
            error = self.assertRaises(errors.LabError, load, self.path)
            self.assertIn('%s %s' % (self.path, said), str(error))

    def test_no_file_is_no_result(self):
        self.assertEqual([], matrix.load(self.path))

    @ddt.data('', '[', '[' * 100000, 'null', '7', '{"figures": []}',
              '["a"]', '[{}]',
              '[{"verdict": "green"}]', '[{"verdict": "green", "cloud": {}}]',
              '[{"verdict": "green", "cloud": {"release": "2025.1", "stock": '
              'true, "system": "debian-12"}, "what": "caught"}]')
    def test_another_file(self, text):
        self.path.parent.mkdir()
        self.path.write_text(text)
        error = self.assertRaises(errors.LabError, matrix.load, self.path)
        self.assertIn('%s holds no results of a matrix' % self.path,
                      str(error))


class ShowTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        stream = io.StringIO()
        with mock.patch('sys.stdout', stream):
            matrix.show(RESULTS)
        self.shown = stream.getvalue()

    def test_table(self):
        self.assertRegex(
            self.shown, r'(?m)^2025\.1 +stock +debian-12 +green +70 +0 +3 '
            r'+812\.5 +nova 31\.0\.0, libvirt 11\.3\.0, QEMU 10\.0\.2; '
            r'libvirt 9\.0\.0, QEMU 7\.2\.9 *$')
        self.assertRegex(self.shown, r'(?m)^2025\.2 +stock +debian-12 +red '
                         r'+69 +1 +3 +900\.1 +nova')
        self.assertRegex(self.shown, r'(?m)^2025\.2 +extension +debian-13 '
                         r'+unfinished +0 +0 +0 +0 *$')

    def test_what_went_wrong_is_said_after_it(self):
        self.assertEqual(
            ['2025.2 stock debian-12: a.b.test_c: AssertionError: 1 != 2',
             '2025.2 extension debian-13: keystone does not come up'],
            self.shown.splitlines()[-2:])

    def test_pages_come_last(self):
        page = pathlib.Path(self.useFixture(fixtures.TempDir()).path,
                            'report.html')
        page.touch()
        stream = io.StringIO()
        with mock.patch('sys.stdout', stream):
            matrix.show([RESULTS[0], dataclasses.replace(
                RESULTS[1], results=str(page.parent))])
        self.assertEqual(
            ['2025.2 stock debian-12: a.b.test_c: AssertionError: 1 != 2',
             '2025.2 stock debian-12: page: %s' % page],
            stream.getvalue().splitlines()[-2:])
