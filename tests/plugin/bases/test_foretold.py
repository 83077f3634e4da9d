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

"""Tests of what can be foretold, and that nothing skips besides."""

import ast
import collections
import inspect
import os

import ddt
from oslotest import base as test_base
import testtools

from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import foretold
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import observed
from tests.plugin.bases import test_shape
from tests.plugin import samples

TESTS = os.path.dirname(os.path.dirname(base.__file__))
# Who may say that something skips. What is not here asks one of them.
SKIP = {'base._raise_any', 'joined.skip', 'joined.skip_unless_promised',
        'joined.skip_unless_reachable', 'joined._skip_unless_spoken',
        'observed.skip', 'steps.of_those_enabled',
        'steps.skip_unless_enabled',
        'test_allowed_page_sizes_changed.test_mp7_with_the_filter',
        'test_measure_device._measure_footprints',
        'test_page_size_guards.skip_checks', 'test_plain.skip_checks',
        'test_traits.use'}


class Sample(testtools.TestCase):
    """Stands for a class of tests; its methods are not run here."""

    harmful = False
    may_skip = ('too small',)
    declared = [samples.FILE_BACKED, samples.PLAIN]

    @classmethod
    def skip_checks(cls):
        pass

    def setUp(self):
        raise AssertionError('it is never set up')

    def runs(self):
        self.cloud.server('uuid')
        self.skipTest('after it has asked the cloud')

    def asks_a_host(self):
        self.hosts[0].survey()
        self.skipTest('after it has asked a host')

    def skips(self):
        if not self.destinations[0].declared.file_backed:
            self.skipTest('no store on %s' % self.destinations[0].name)

    def passes(self):
        pass


class Harmful(Sample):
    harmful = True
    may_skip = ('no target',)

    @classmethod
    def skip_checks(cls):
        raise cls.skipException('no hosts')


class Moving(Sample):
    features = ('live_migration',)


@ddt.ddt
class ForetoldTest(test_base.BaseTestCase):

    def _of(self, name, cls=Sample):
        test = cls(name)
        [(found, told)] = foretold.of([test]).items()
        self.assertEqual(test.id(), found)
        return told

    @ddt.data('runs', 'asks_a_host', 'passes')
    def test_it_has_to_run(self, name):
        self.assertIsNone(self._of(name).reason)

    def test_it_skips(self):
        self.assertEqual('no store on plain1', self._of('skips').reason)

    def test_its_class_skips(self):
        self.assertEqual('no hosts', self._of('skips', Harmful).reason)

    def test_what_only_the_cloud_tells(self):
        self.assertEqual(('too small',), self._of('runs').may_skip)
        self.assertEqual(('too small', 'no target', observed.OCCUPIED),
                         self._of('runs', Harmful).may_skip)
        self.assertEqual(('too small', observed.OTHER_QEMU),
                         self._of('runs', Moving).may_skip)


def _calls(function):
    """List what a function calls: attributes of names, and their nodes."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func,
                                                     ast.Attribute):
            yield node.func.attr, node


class SuiteTest(test_shape.SuiteTestCase):

    def _functions(self):
        """List all functions of the tests and their bases, with names."""
        for folder, _, files in os.walk(TESTS):
            for file in sorted(files):
                if file.endswith('.py'):
                    with open(os.path.join(folder, file),
                              encoding='utf-8') as stream:
                        tree = ast.parse(stream.read())
                    for node in ast.walk(tree):
                        if isinstance(node, ast.FunctionDef):
                            yield '%s.%s' % (file[:-3], node.name), node

    def test_nothing_skips_besides(self):
        found = {name for name, function in self._functions()
                 for called, _ in _calls(function)
                 if called in ('skipTest', 'skipException')}
        self.assertEqual(SKIP, found)

    def test_who_may_skip_says_so(self):
        said = collections.defaultdict(set)
        for cls in self.classes:
            for each in inspect.getmro(cls):
                said[each.__module__.rpartition('.')[2]].update(
                    joined.united(cls, 'may_skip'))
        reasons = set()
        for name, function in self._functions():
            module = name.partition('.')[0]
            for called, node in _calls(function):
                if called not in ('skip', 'leave_out') or (
                        node.func.value.id != 'observed'):
                    continue
                reason = getattr(observed, node.args[1].attr)
                reasons.add(reason)
                if module in said:
                    self.assertIn(reason, said[module], name)
        self.assertEqual(
            reasons, {reason for cls in self.classes
                      for reason in joined.united(cls, 'may_skip')})

    def test_reasons_are_told_apart(self):
        reasons = [value for name, value in vars(observed).items()
                   if name.isupper() and isinstance(value, str)]
        self.assertEqual(len(reasons), len(set(reasons)))
        for reason in reasons:
            self.assertNotIn(': ', reason)
