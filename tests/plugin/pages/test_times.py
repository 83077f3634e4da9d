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

import ddt
from oslotest import base

from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.pages import runs
from mempage_tempest_plugin.pages import times

BEGIN = datetime.datetime(2026, 11, 30, tzinfo=datetime.timezone.utc)


def a_test(name, begin, end, worker='worker-0'):
    return streams.Test(
        name, streams.PASSED, [], '', BEGIN + datetime.timedelta(0, begin),
        BEGIN + datetime.timedelta(0, end), frozenset([worker]))


@ddt.ddt
class TimesTest(base.BaseTestCase):

    def test_workers(self):
        [one, other] = times.workers([runs.Run('', [
            a_test('a', 0, 10), a_test('b', 10, 100),
            a_test('c', 20, 45, 'worker-1')])])
        self.assertEqual(('worker-0', 2, 100, 100),
                         (one.name, one.tests, one.busy, one.share))
        self.assertEqual(('worker-1', 1, 25, 25),
                         (other.name, other.tests, other.busy, other.share))
        self.assertEqual(BEGIN + datetime.timedelta(0, 45), other.end)

    def test_workers_of_several_runs(self):
        found = times.workers([runs.Run('fbm1', [a_test('a', 0, 10)]),
                               runs.Run('fbm2', [a_test('a', 50, 60)])])
        self.assertEqual([('fbm1, worker-0', 100), ('fbm2, worker-0', 100)],
                         [(each.name, each.share) for each in found])

    def test_slowest(self):
        found = times.slowest([runs.Run('', [
            a_test('a.b', 0, number) for number in range(30)])])
        self.assertEqual(times.SLOWEST, len(found))
        self.assertEqual([29, 28], [test.seconds for _, test, _ in found[:2]])

    def test_no_times(self):
        without = [runs.Run('', [streams.Test('a', streams.PASSED, [])])]
        self.assertEqual((None, None), times.span(without))
        self.assertEqual([], times.workers(without))
        self.assertEqual([], times.slowest(without))

    def test_no_length(self):
        [worker] = times.workers([runs.Run('', [a_test('a', 3, 3, 'x')])])
        self.assertEqual(('no name', 100), (worker.name, worker.share))

    @ddt.unpack
    @ddt.data((0.26, '0.3 s'), (61, '1 min 01 s'), (3600, '1 h 00 min'),
              (7384, '2 h 03 min'))
    def test_duration(self, seconds, text):
        self.assertEqual(text, times.duration(seconds))
