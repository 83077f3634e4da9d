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

from mempage_lab.shuffled import test_discover
from tests.lab import base


def _class(name):
    return type(name, (unittest.TestCase,), {
        'test_%d' % number: lambda self: None for number in range(5)})


class ShuffledTest(base.LabTestCase):

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

    def test_without_a_seed_the_order_is_that_of_tempest(self):
        self.patch_object(test_discover.test_discover, 'load_tests',
                          lambda *arguments: self.suite)
        self.assertIs(self.suite, test_discover.load_tests(None, None, None))
