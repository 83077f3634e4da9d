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

import ddt
from oslotest import base

from mempage_certificate import statistics

CONFIDENCE = {'level': 0.95, 'resamples': 9999, 'seed': 20261130}
RULE = {'rounds': 5, 'range_percent': 20, 'slope_percent': 10}


@ddt.ddt
class StatisticsTest(base.BaseTestCase):

    def test_interval(self):
        found = statistics.interval([0.9, 0.95, 1.0, 1.05, 1.1, 0.97, 1.03],
                                    CONFIDENCE)
        self.assertEqual(1.0, found.median)
        self.assertTrue(0.9 <= found.low < 1.0 < found.high <= 1.1, found)

    def test_interval_is_the_same_again(self):
        values = [3.0, 1.0, 2.0, 5.0, 4.0, 9.0]
        self.assertEqual(statistics.interval(values, CONFIDENCE),
                         statistics.interval(values, CONFIDENCE))
        other = dict(CONFIDENCE, level=0.5)
        self.assertNotEqual(statistics.interval(values, CONFIDENCE),
                            statistics.interval(values, other))

    def test_interval_of_values_that_are_the_same(self):
        found = statistics.interval([2.0] * 5, CONFIDENCE)
        self.assertEqual((2.0, 2.0, 2.0),
                         (found.median, found.low, found.high))

    @ddt.unpack
    @ddt.data(([100] * 5, 0), ([90, 100, 110, 100, 100], 0),
              ([50, 100, 100, 100, 100, 100], 1),
              # Range 20 %, and not more.
              ([100, 110, 90, 105, 95], 0), ([100, 111, 90, 105, 94], None),
              # Within the range, and falling.
              ([106, 103, 100, 97, 94], None),
              ([105, 102.5, 100, 97.5, 95], 0),
              ([100] * 4, None), ([], None))
    def test_steady(self, values, first):
        self.assertEqual(first, statistics.steady_from(values, RULE))

    @ddt.unpack
    @ddt.data(([100, 101, 99, 100, 60], ['4']), ([100, 101, 99, 100, 98], []),
              # Only those that differ by more than a trifle.
              ([100] * 4 + [100.1], []), ([100] * 4 + [105], ['4']),
              # Of so few, none is the odd one.
              ([100, 100, 100, 1], []))
    def test_outliers(self, values, names):
        self.assertEqual(names, statistics.outliers(
            {str(number): value for number, value in enumerate(values)}))

    @ddt.unpack
    @ddt.data((0.95, 15), (0.90, 1), (0.93, 6), (0.98, 15), (1.0, 15))
    def test_pairs_wanted(self, goal, more):
        found = statistics.Interval(1.0, 0.9, 1.1)
        self.assertEqual(more, statistics.pairs_wanted(found, goal, 5, 20))

    def test_no_more_pairs(self):
        self.assertEqual(0, statistics.pairs_wanted(
            statistics.Interval(1.0, 0.9, 1.1), 0.95, 20, 20))

    def test_quantiles(self):
        found = statistics.quantiles([1, 2, 3])
        self.assertEqual((3, 2, 1, 3), (found['n'], found['median'],
                                        found['min'], found['max']))
