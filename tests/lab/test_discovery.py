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
from unittest import mock

import fixtures

from mempage_lab.discovery import shares
from mempage_lab.discovery import suite
from mempage_lab.discovery import test_discover
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

    def test_classes_are_mixed(self):
        self.patch_object(test_discover.test_discover, 'load_tests',
                          lambda *arguments: self.suite)
        found = test_discover.load_tests(None, None, None)
        order = [name for name, _ in itertools.groupby(
            type(test).__name__ for test in found)]
        self.assertEqual(['Test%d' % number for number in range(5)],
                         sorted(order))
        self.assertNotEqual(sorted(order), order)
        self.assertEqual(sorted(self.before),
                         sorted(test.id() for test in found))


class SuiteTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.log = log = []

        class Waiting(unittest.TestCase):
            waits = []

            @classmethod
            def would_wait(cls):
                return bool(cls.waits) and cls.waits.pop(0)

            @classmethod
            def setUpClass(cls):
                log.append('%s up' % cls.__name__)

            @classmethod
            def tearDownClass(cls):
                log.append('%s down' % cls.__name__)

            def test(self):
                log.append(type(self).__name__)

        self.classes = [type(name, (Waiting,), {'waits': []})
                        for name in 'ABC']
        for each in self.classes:
            each.__qualname__ = each.__name__

    def _run(self):
        # As the workers do: a suite within another one.
        result = unittest.TestResult()
        unittest.TestSuite([suite.Suite(
            each('test') for each in self.classes)]).run(result)
        self.assertEqual((3, True), (result.testsRun,
                                     result.wasSuccessful()))
        return self.log

    def test_in_order(self):
        self.assertEqual(['A up', 'A', 'A down', 'B up', 'B', 'B down',
                          'C up', 'C', 'C down'], self._run())

    def test_who_would_wait_comes_later(self):
        self.classes[0].waits[:] = [True, True]
        self.assertEqual(['B up', 'C up', 'A up'], [
            line for line in self._run() if line.endswith('up')])

    def test_all_wait(self):
        for each in self.classes:
            each.waits[:] = [True] * 5
        self.assertEqual(['A up', 'B up', 'C up'], [
            line for line in self._run() if line.endswith('up')])

    def _part(self, *classes):
        return suite.Suite(each('test') for each in self.classes
                           ).filter_by_ids({each('test').id()
                                            for each in classes})

    def test_only_the_tests_that_are_wanted(self):
        self._part(self.classes[1]).run(unittest.TestResult())
        self.assertEqual(['B up', 'B', 'B down'], self.log)

    def test_parts_of_several_workers(self):
        self.useFixture(fixtures.EnvironmentVariable(
            shares.DIRECTORY, str(self.directory)))
        first, second, third = self.classes
        mine = self._part(first)
        with mock.patch('os.getpid', return_value=1):
            others = self._part(second)
        # The other worker has begun meanwhile.
        self.assertTrue(shares.of_this_run().take(
            '%s.%s' % (second.__module__, second.__qualname__)))
        mine.run(unittest.TestResult())
        self.assertEqual(['A up', 'A', 'A down'], self.log)
        with mock.patch('os.getpid', return_value=2):
            self._part(third)
        others.run(unittest.TestResult())
        self.assertEqual(['C up', 'C', 'C down'], self.log[3:])

    def test_failed_class(self):
        def fail(cls):
            raise ValueError('no')

        self.classes[0].setUpClass = classmethod(fail)
        result = unittest.TestResult()
        suite.Suite(each('test') for each in self.classes).run(result)
        self.assertEqual(1, len(result.errors))
        self.assertEqual(2, result.testsRun)
