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

import itertools
import unittest

from mempage_lab.discovery import test_discover
from mempage_lab import durations
from mempage_lab import paths
from tests.lab import base


def _class(name):
    return type(name, (unittest.TestCase,), {
        'test_%d' % number: lambda self: None for number in range(5)})


class DiscoveryTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        classes = [_class('Test%d' % number) for number in range(5)]
        self.suite = unittest.TestSuite(
            unittest.defaultTestLoader.loadTestsFromTestCase(each)
            for each in classes)
        self.before = [test.id() for each in self.suite for test in each]

    def _shuffle(self, seed):
        return [test.id() for test in test_discover.shuffle(self.suite, seed)]

    def test_no_test_is_lost(self):
        self.assertEqual(sorted(self.before), sorted(self._shuffle('1')))

    def test_the_seed_tells_the_order(self):
        self.assertEqual(self._shuffle('1'), self._shuffle('1'))
        self.assertNotEqual(self._shuffle('1'), self._shuffle('2'))

    def test_classes_stay_together(self):
        order = [name.rsplit('.', 1)[0] for name in self._shuffle('1')]
        self.assertEqual(5, len(list(itertools.groupby(order))))
        self.assertNotEqual(sorted(order), order)

    def test_tests_of_a_class_are_shuffled(self):
        order = self._shuffle('1')
        self.assertNotEqual([name for name in sorted(order)
                             if '.Test0.' in name],
                            [name for name in order if '.Test0.' in name])

    def _longest_first(self, seconds):
        return [name.split('.')[-2] for name, _ in itertools.groupby(
            test.id().rsplit('.', 1)[0] + '.' for test
            in test_discover.longest_first(self.suite, seconds))]

    def test_what_takes_longest_comes_first(self):
        seconds = {name: 5 for name in self.before if '.Test3.' in name}
        seconds.update(zip(self.before, [9, 8]))
        seconds[self.before[-1]] = 10
        self.assertEqual(['Test3', 'Test0', 'Test4', 'Test1', 'Test2'],
                         self._longest_first(seconds))

    def test_serial_classes_come_before_all_others(self):
        for test in self.suite._tests[2]:
            type(test).is_serial_execution_requested = lambda self: True
        self.assertEqual(['Test2', 'Test1', 'Test0', 'Test3', 'Test4'],
                         self._longest_first({self.before[5]: 1}))

    def test_without_a_seed_durations_tell_the_order(self):
        self.patch_object(test_discover.test_discover, 'load_tests',
                          lambda *arguments: self.suite)
        paths.DURATIONS.parent.mkdir(parents=True)
        durations.note({self.before[-1]: 3})
        found = list(test_discover.load_tests(None, None, None))
        self.assertEqual(self.before[-5:],
                         [test.id() for test in found[:5]])
        self.assertEqual(sorted(self.before),
                         sorted(test.id() for test in found))


class DurationsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        paths.DURATIONS.parent.mkdir(parents=True)

    def test_the_last_one_counts(self):
        self.assertEqual({}, durations.load())
        durations.note({'a': 1, 'b': 2})
        durations.note({'b': 3.14})
        self.assertEqual({'a': 1, 'b': 3.1}, durations.load())

    def test_those_of_stestr(self):
        notes = paths.TEMPEST_WORKSPACE / '.stestr'
        notes.mkdir(parents=True)
        for name in ('times.dbm.dat', 'times.dbm.dir', 'next-stream'):
            (notes / name).touch()
        durations.forget_those_of_stestr()
        self.assertEqual(['next-stream'],
                         [file.name for file in notes.iterdir()])
