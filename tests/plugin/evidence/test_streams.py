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
import json
import os
import pathlib
import subprocess
import sys

import ddt
import fixtures
from oslotest import base
import subunit

from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions
from tests.plugin import recorded
from tests.plugin import samples

ROOT = str(pathlib.Path(recorded.__file__).parents[2])
# What stestr runs.
MODULE = """
from tests.plugin import recorded


class Case(recorded.Sample):
    pass
"""


@ddt.ddt
class StreamsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.directory, 'results')

    def _hosts(self, *names):
        recorded.record(self.path, *names)
        return {result.host: result for test in streams.read(self.path)
                for result in test.hosts()}

    def test_facts_of_a_test_that_passed(self):
        hosts = self._hosts('test_both')
        self.assertEqual({'fbm1', 'plain1'}, set(hosts))
        [comparison] = hosts['fbm1'].comparisons
        self.assertEqual(samples.SERVER, comparison['server'])
        self.assertIn({'witness': 'libvirt', 'name': 'source',
                       'expected': 'file', 'observed': 'file',
                       'agrees': True, 'exact': True}, comparison['facts'])
        self.assertEqual(streams.PASSED, hosts['plain1'].outcome)
        self.assertTrue(hosts['fbm1'].test.endswith('Sample.test_both'))

    @ddt.unpack
    @ddt.data(('test_both', streams.PASSED, streams.PASSED),
              ('test_one_fails', streams.UNKNOWN, streams.FAILED),
              ('test_outcomes', streams.PASSED, streams.FAILED),
              ('test_fails_later', streams.UNKNOWN, streams.UNKNOWN))
    def test_outcome(self, name, fbm1, plain1):
        hosts = self._hosts(name)
        self.assertEqual((fbm1, plain1), (hosts['fbm1'].outcome,
                                          hosts['plain1'].outcome))

    @ddt.unpack
    @ddt.data(('test_guest', streams.FAILED),
              ('test_skipped', streams.SKIPPED))
    def test_outcome_on_the_only_host(self, name, outcome):
        self.assertEqual(outcome, self._hosts(name)['fbm1'].outcome)

    @ddt.unpack
    @ddt.data(('test_left_out', streams.PASSED),
              ('test_fails_without_a_host', streams.FAILED))
    def test_host_that_was_left_out(self, name, outcome):
        hosts = self._hosts(name)
        self.assertEqual(
            (streams.SKIPPED, 'occupied: 2 guests'),
            (hosts['fbm1'].outcome, hosts['fbm1'].reason))
        # It is the only one that was looked at.
        self.assertEqual((outcome, ''), (hosts['plain1'].outcome,
                                         hosts['plain1'].reason))

    def test_reason_of_all_hosts(self):
        self.assertEqual('not here', self._hosts('test_skipped')[
            'fbm1'].reason)

    def test_error_on_a_host(self):
        hosts = self._hosts('test_outcomes')
        self.assertEqual('boot: no valid host', hosts['plain1'].error)
        self.assertIsNone(hosts['fbm1'].error)

    def test_test_without_facts(self):
        recorded.record(self.path, 'test_without_facts')
        [test] = streams.read(self.path)
        self.assertEqual((streams.PASSED, []), (test.status, test.hosts()))

    @ddt.unpack
    @ddt.data(('test_skipped', 'not here'), ('test_guest', ''))
    def test_reason(self, name, reason):
        recorded.record(self.path, name)
        self.assertEqual(reason, streams.read(self.path)[0].reason)

    def test_detail_in_parts(self):
        text = ('{"kind":"outcome","version":1,"host":"h\u00f6st",'
                '"passed":true,"error":null}').encode()
        with open(self.path, 'wb') as target:
            result = subunit.StreamResultToBytes(target)
            for byte in text:
                result.status('a', file_name='outcome',
                              file_bytes=bytes([byte]),
                              mime_type='application/json')
            result.status('a', 'success')
        [test] = streams.read(self.path)
        self.assertEqual('h\u00f6st', test.documents[0]['host'])

    @ddt.data(b'{"kind":"facts","version":2}', b'[]', b'{', b'[' * 100000)
    def test_what_is_not_understood(self, data):
        with open(self.path, 'wb') as target:
            subunit.StreamResultToBytes(target).status(
                'a', 'success', file_name='facts-7', file_bytes=data,
                mime_type='application/json')
        error = self.assertRaises(exceptions.ResultsError, streams.read,
                                  self.path)
        self.assertIn('a kept what is no document of version 1', str(error))

    def test_figures_and_hosts(self):
        with open(self.path, 'wb') as target:
            result = subunit.StreamResultToBytes(target)
            result.status('a', file_name='environment', file_bytes=json.dumps(
                samples.environment('fbm1')).encode(),
                mime_type='application/json')
            result.status('a', 'success')
        [test] = streams.read(self.path)
        self.assertEqual('kvm', test.documents[0]['accelerator'])
        [host] = test.hosts()
        self.assertEqual((streams.PASSED, []), (host.outcome,
                                                host.comparisons))

    @ddt.data('{"kind":"facts","version":1}', '{"kind":"outcome",'
              '"version":1,"host":7,"passed":true,"error":null}')
    def test_what_has_another_form(self, data):
        with open(self.path, 'wb') as target:
            subunit.StreamResultToBytes(target).status(
                'a', 'success', file_name='outcome', mime_type=(
                    'application/json'), file_bytes=data.encode())
        error = self.assertRaises(exceptions.ResultsError, streams.read,
                                  self.path)
        self.assertIn('a kept what is no document of outcome: $',
                      str(error))

    def test_times_and_worker(self):
        begin = datetime.datetime(2026, 11, 30, tzinfo=datetime.timezone.utc)
        with open(self.path, 'wb') as target:
            result = subunit.StreamResultToBytes(target)
            result.status('a', 'inprogress', timestamp=begin,
                          test_tags={'worker-1', 'smoke'})
            result.status('a', 'success', timestamp=begin.replace(minute=1),
                          test_tags={'worker-1', 'smoke'})
            result.status('b', 'success')
        a, b = streams.read(self.path)
        self.assertEqual((begin, 60, 'worker-1'),
                         (a.began, a.seconds, a.worker))
        self.assertEqual((None, 0, ''), (b.ended, b.seconds, b.worker))

    def test_texts(self):
        with open(self.path, 'wb') as target:
            result = subunit.StreamResultToBytes(target)
            for test, status in ('a', 'fail'), ('b', 'success'):
                for name, mime_type in (
                        ('traceback', 'text/x-traceback'),
                        (streams.LOG, 'text/plain; charset="nope"'),
                        ('picture', 'image/png')):
                    result.status(test, file_name=name, file_bytes=b'\xffx',
                                  mime_type=mime_type)
                result.status(test, status)
        a, b = streams.read(self.path)
        self.assertEqual({'traceback': '\ufffdx', streams.LOG: '\ufffdx'},
                         a.texts)
        self.assertEqual({'traceback': '\ufffdx'}, b.texts)

    def test_details_of_others(self):
        with open(self.path, 'wb') as target:
            result = subunit.StreamResultToBytes(target)
            result.status('a', file_name='facts', file_bytes=b'text',
                          mime_type='text/plain')
            result.status('a', 'success', file_name='other',
                          file_bytes=b'{}', mime_type='application/json')
        self.assertEqual([], streams.read(self.path)[0].documents)

    def test_torn(self):
        recorded.record(self.path, 'test_both', 'test_one_fails')
        os.truncate(self.path, os.path.getsize(self.path) - 9)
        both, unreadable, one = streams.read(self.path)
        self.assertEqual(2, len(both.documents))
        self.assertEqual((streams.UNREADABLE, streams.FAILED),
                         (unreadable.name, unreadable.status))
        self.assertEqual((streams.FAILED, 2), (one.status,
                                               len(one.documents)))

    @ddt.data(b'', b'usage: tempest help [-h]', b'\xb3' * 99)
    def test_no_results(self, data):
        with open(self.path, 'wb') as target:
            target.write(data)
        error = self.assertRaises(exceptions.ResultsError, streams.read,
                                  self.path)
        self.assertIn('no test results', str(error))

    def test_no_file(self):
        error = self.assertRaises(exceptions.ResultsError, streams.read,
                                  '/nonexistent')
        self.assertEqual('results /nonexistent: cannot be read: No such file '
                         'or directory', str(error))

    def _stestr(self, *arguments):
        return subprocess.run(
            [sys.executable, '-m', 'stestr.cli', *arguments],
            cwd=self.directory, capture_output=True,
            env=dict(os.environ, PYTHONPATH=ROOT))

    def test_through_stestr(self):
        with open(os.path.join(self.directory, 'test_sample.py'), 'w') as file:
            file.write(MODULE)
        self._stestr('--test-path', '.', 'run', '--serial', 'Case')
        with open(self.path, 'wb') as target:
            target.write(self._stestr('last', '--subunit').stdout)
        tests = {test.name.rpartition('.')[2]: test
                 for test in streams.read(self.path)}
        self.assertEqual(9, len(tests))
        self.assertEqual(['facts', 'facts'], [
            document['kind'] for document in tests['test_both'].documents])
