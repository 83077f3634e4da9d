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


import pathlib
import re

import ddt
from oslotest import base

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / 'doc/source/hazards.rst').read_text()
PARTS = ['What happens', 'Versions', 'To see it', 'What to do', 'To file',
         'Test']
LABEL = re.compile(r'^\.\. _hazard-([\w-]+):$', re.MULTILINE)
NAMES = LABEL.findall(TEXT)
HAZARDS = dict(zip(NAMES, LABEL.split(TEXT)[2::2]))


@ddt.ddt
class HazardsTest(base.BaseTestCase):
    """The page of known hazards has one structure."""

    @ddt.data(*NAMES)
    def test_all_parts_are_there(self, name):
        found = re.findall(r'^\*\*([\w ]+)\.\*\*', HAZARDS[name],
                           re.MULTILINE)
        self.assertEqual(PARTS, found)
        self.assertRegex(HAZARDS[name], r'Title: (.|\n)+ Steps: (.|\n)+ '
                         r'Expected: (.|\n)+ Actual: ')

    @ddt.data(*NAMES)
    def test_the_test_is_there(self, name):
        tests = re.findall(r'``((?:api|scenario)\.[\w.]+)``',
                           HAZARDS[name].partition('**Test.**')[2])
        if not tests:
            self.assertIn('**Test.** None yet.', HAZARDS[name])
        for test in tests:
            room, module, test_class, method = test.split('.')
            source = (ROOT / 'mempage_tempest_plugin/tests' / room
                      / (module + '.py')).read_text()
            self.assertRegex(source, r'class %s\b' % test_class)
            self.assertRegex(source, r'def %s\b' % method)

    def test_the_table_names_each_once(self):
        table = TEXT[:TEXT.index('.. _hazard-')]
        self.assertEqual(sorted(NAMES), sorted(re.findall(
            r':ref:`hazard-([\w-]+)`', table)))
