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

"""Tests of how unit tests look at tests."""

import ast
import pathlib
import unittest

from oslotest import base

import tests
from tests.plugin.bases import cases


def _fail():
    raise AssertionError('broken')


def _skip():
    raise unittest.SkipTest('no host')


def _raises_assertion_error(node):
    """Tell whether a node of a source is assertRaises(AssertionError, ...)."""
    return (isinstance(node, ast.Call)
            and getattr(node.func, 'attr', None) == 'assertRaises'
            and getattr(node.args[0], 'id', None) == 'AssertionError')


class AssertFailsTest(base.BaseTestCase):

    def test_fails(self):
        self.assertEqual('broken', str(cases.assert_fails(self, _fail)))

    def test_passes(self):
        self.assertRaisesRegex(AssertionError, 'returned None',
                               cases.assert_fails, self, lambda: None)

    def test_skips(self):
        self.assertRaisesRegex(
            AssertionError, 'it skips: no host', self._assert_fails, _skip)

    def _assert_fails(self, function):
        try:
            cases.assert_fails(self, function)
        except unittest.SkipTest:
            self.fail('a skip went through')

    def test_everybody_uses_it(self):
        """What skips would go through assertRaises(AssertionError, ...)"""
        top = pathlib.Path(tests.__file__).parent
        found = ['%s:%d' % (path.relative_to(top), node.lineno)
                 for path in sorted(top.rglob('*.py'))
                 for node in ast.walk(ast.parse(path.read_text()))
                 if _raises_assertion_error(node)]
        self.assertEqual([], found)
