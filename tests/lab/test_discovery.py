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

from dbm import dumb
import itertools
import shutil
import unittest

from stestr.repository import file

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

    def test_serial_classes_come_before_all_others(self):
        for test in self.suite._tests[2]:
            type(test).is_serial_execution_requested = lambda self: True
        self.patch_object(test_discover.test_discover, 'load_tests',
                          lambda *arguments: self.suite)
        forgotten = []
        self.patch_object(durations, 'forget', forgotten.extend)
        found = test_discover.load_tests(None, None, None)
        self.assertEqual([test.id() for test in self.suite._tests[2]],
                         forgotten)
        order = [name for name, _ in itertools.groupby(
            type(test).__name__ for test in found)]
        self.assertEqual('Test2', order[0])
        self.assertEqual(['Test0', 'Test1', 'Test3', 'Test4'],
                         sorted(order[1:]))
        self.assertNotEqual(sorted(order[1:]), order[1:])
        self.assertEqual(sorted(self.before),
                         sorted(test.id() for test in found))


class DurationsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.repository = paths.TEMPEST_WORKSPACE / '.stestr'
        self.repository.mkdir(parents=True)
        self.times = self.repository / 'times.dbm.dat'

    def test_next_lab_knows_them(self):
        self.times.write_text('1')
        (self.repository / 'next-stream').touch()
        durations.keep()
        shutil.rmtree(self.repository)
        self.repository.mkdir()
        durations.restore()
        self.assertEqual('1', self.times.read_text())
        self.assertEqual([self.times], list(self.repository.iterdir()))

    def test_what_this_lab_knows_counts(self):
        self.times.write_text('1')
        durations.keep()
        self.times.write_text('2')
        durations.restore()
        self.assertEqual('2', self.times.read_text())

    def test_nothing_is_known(self):
        durations.restore()
        durations.forget(['a.b'])
        self.assertEqual([], list(self.repository.iterdir()))

    def test_what_is_forgotten_is_dealt_out_in_turn(self):
        repository = file.Repository(str(self.repository))
        with dumb.open(str(self.repository / 'times.dbm')) as times:
            times.update({'a.b': '1.5', 'a.c': '2.5'})
        durations.forget(['a.b[id-1,slow]', 'a.d'])
        self.assertEqual(
            {'known': {'a.c[id-2]': 2.5}, 'unknown': {'a.b[id-1,slow]'}},
            repository.get_test_times(['a.b[id-1,slow]', 'a.c[id-2]']))
