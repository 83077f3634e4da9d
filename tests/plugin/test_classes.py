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

"""Tests of what the documents say of all test classes."""

import pathlib
import re

from oslotest import base

from mempage_tempest_plugin.cmd import suite

TESTS = (pathlib.Path(__file__).parents[2] / 'doc' / 'source' / 'tests.rst')
_SECTION = re.compile(r'^Classes\n-+\n(.*?)^=+$', re.M | re.S)


class ClassesTest(base.BaseTestCase):

    def test_each_class_is_said_to_prove_something(self):
        [section] = _SECTION.findall(TESTS.read_text())
        self.assertEqual(
            sorted({type(test).__name__ for test in suite.load()}),
            sorted(re.findall(r'``(Test\w+)``', section)))
