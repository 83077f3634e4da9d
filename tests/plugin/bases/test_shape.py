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

"""What holds for all test classes: whoever looks at one sees all of it."""

import collections
import inspect
import os
import statistics
import unittest

from oslotest import base as test_base

import mempage_tempest_plugin
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import leased

PACKAGE = mempage_tempest_plugin.__name__
TOP = os.path.dirname(os.path.dirname(mempage_tempest_plugin.__file__))
ID = 'id-'

DIRECT_BASES = 2
ANCESTORS = 5
METHODS = 30
FILES = 2.5


def _load(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _load(each)
        else:
            yield each


def _own(cls):
    """List a class and its bases, as far as they are the plugin's."""
    return [each for each in cls.__mro__
            if each.__module__.partition('.')[0] == PACKAGE]


def _methods(cls):
    """List the names of all methods of a class itself that are no tests."""
    return [name for name, value in vars(cls).items()
            if not name.startswith('test_') and (
                inspect.isroutine(value) or isinstance(value, property))]


def _attributes(test):
    """List the attributes that a test can be selected by."""
    return test.id().rpartition('[')[2].rstrip(']').split(',')


def _source(test):
    """Tell which function a test comes from: ddt makes several of one."""
    function = inspect.unwrap(getattr(test, test._testMethodName))
    return function.__module__, function.__qualname__


class SuiteTestCase(test_base.BaseTestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tests = list(_load(unittest.TestLoader().discover(
            os.path.join(TOP, PACKAGE, 'tests'), top_level_dir=TOP)))
        cls.classes = {type(test) for test in cls.tests}

    def setUp(self):
        super().setUp()
        # A module that cannot be imported is a test of another class.
        self.assertEqual([], [test.id() for test in self.tests
                              if not isinstance(test, base.BaseMemoryTest)])
        self.assertNotEqual([], self.tests)


class AttributesTest(SuiteTestCase):

    def test_per_host_or_per_cloud(self):
        scopes = {test.id(): [attribute for attribute in _attributes(test)
                              if attribute in (base.PER_HOST, base.PER_CLOUD)]
                  for test in self.tests}
        self.assertEqual({}, {test: scope for test, scope in scopes.items()
                              if len(scope) != 1})

    def test_scope_is_that_of_the_class(self):
        self.assertEqual([], [test.id() for test in self.tests
                              if test.scope not in _attributes(test)])

    def test_there_are_both(self):
        self.assertEqual({base.PER_HOST, base.PER_CLOUD},
                         {test.scope for test in self.tests})

    def test_ids(self):
        sources = collections.defaultdict(set)
        for test in self.tests:
            found = [attribute for attribute in _attributes(test)
                     if attribute.startswith(ID)]
            self.assertEqual(1, len(found), test.id())
            sources[found[0]].add(_source(test))
        self.assertEqual({}, {found: tests for found, tests
                              in sources.items() if len(tests) > 1})

    def test_names(self):
        names = collections.Counter(test.id() for test in self.tests)
        self.assertEqual([], [name for name, number in names.items()
                              if number > 1])


class ShapeTest(SuiteTestCase):

    def setUp(self):
        super().setUp()
        self.all = {each for cls in self.classes for each in _own(cls)}

    def _assert_at_most(self, limit, numbers):
        """Assert that no number is larger.

        :param limit: the number
        :param numbers: dict of numbers by class
        """
        self.assertEqual({}, {
            '%s.%s' % (cls.__module__, cls.__name__): number
            for cls, number in numbers.items() if number > limit})

    def test_direct_bases(self):
        self._assert_at_most(DIRECT_BASES, {
            cls: len(cls.__bases__) for cls in self.all})

    def test_ancestors(self):
        self._assert_at_most(ANCESTORS, {
            cls: len(_own(cls)) - 1 for cls in self.classes})

    def test_methods(self):
        self._assert_at_most(METHODS, {
            cls: len(_methods(cls)) for cls in self.all})

    def test_files(self):
        files = [len({each.__module__ for each in _own(cls)})
                 for cls in self.classes]
        self.assertLessEqual(statistics.median(files), FILES)

    def test_every_class_says_what_its_tests_need(self):
        self.assertEqual([], [cls.__name__ for cls in self.classes
                              if not cls.__doc__])

    def test_moves_say_where_they_start_and_go(self):
        # Nobody would heed it.
        self.assertEqual([], [
            cls.__name__ for cls in self.classes
            if issubclass(cls, base.BaseMoveTest)
            and joined.values(cls, 'about') != [which.any_host]])

    def test_what_harms_others_says_so(self):
        """Hosts with guests of others are left out of it then"""
        harming = {'fault_injection', 'fill_stores', 'fill_pools'}
        self.assertEqual([], [
            cls.__name__ for cls in self.classes
            if cls.alone_on and not cls.harmful and harming.intersection(
                *[sum(joined.values(cls, 'promises'), ())])])

    def test_what_counts_pages_is_where_nobody_else_takes_some(self):
        self.assertEqual([], [
            cls.__name__ for cls in self.classes
            if cls.pools in (leased.COUNTS, leased.CHANGES)
            and not cls.harmful])

    def test_what_harms_others_is_alone(self):
        """Guests of tests are not told from those of others there"""
        self.assertEqual([], [
            cls.__name__ for cls in self.classes if cls.harmful
            and not cls.alone_on and 'fault_injection' not in sum(
                joined.values(cls, 'promises'), ())])

    def test_promises_are_known(self):
        self.assertEqual(set(), {
            promise for cls in self.classes
            for promises in joined.values(cls, 'promises')
            for promise in promises} - joined.LACKS.keys())
