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

"""Tests of the commands in the documents."""

import pathlib
import re
import shlex

import ddt
import fixtures
from oslotest import base

from mempage_certificate import cli
from mempage_tempest_plugin.cmd import argument_types
from mempage_tempest_plugin.cmd import inventory
from mempage_tempest_plugin.cmd import mempage_tempest

ROOT = pathlib.Path(__file__).parents[2]
PARSERS = {'inventory': inventory._parser, 'certify': cli._parser,
           'tempest': mempage_tempest._parser}
# In a block, after a prompt or a pipe, with lines that go on.
COMMAND = re.compile(
    r'^ +(?:[^\s`].*\| *|\| *|[$#] )?(?:[\w./]*/)?mempage-(%s) '
    r'((?:[^|>\n\\]|\\\n)*)' % '|'.join(PARSERS), re.MULTILINE)


FOUND = [(path.name, *found)
         for path in (ROOT / 'README.rst',
                      *sorted((ROOT / 'doc' / 'source').glob('*.rst')))
         for found in COMMAND.findall(path.read_text())]


@ddt.ddt
class CommandsTest(base.BaseTestCase):

    @ddt.data(*FOUND)
    @ddt.unpack
    def test_there_are_such_options(self, _file, command, arguments):
        # Documents name files that are not there.
        self.useFixture(fixtures.MockPatchObject(argument_types, 'source',
                                                 str))
        words = shlex.split(arguments.replace('\\\n', ' '), comments=True)
        # Else it says why, and exits.
        PARSERS[command]().parse_args(words)

    def test_they_are_found(self):
        self.assertEqual(
            {'README.rst', 'certificate.rst', 'devstack.rst', 'hazards.rst',
             'install.rst', 'inventory.rst', 'tests.rst', 'what-ran.rst'},
            {name for name, _, _ in FOUND})
