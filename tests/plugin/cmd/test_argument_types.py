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

"""Tests of the types of arguments that several commands take."""

import argparse
import os

import ddt
import fixtures
from oslotest import base

from mempage_tempest_plugin.cmd import argument_types


@ddt.ddt
class ArgumentTypesTest(base.BaseTestCase):

    @ddt.data(('regex', 'a(', 'missing ), unterminated'),
              ('regex', 'a{%s}' % ('9' * 50), 'too large'),
              ('regex', '(' * 5000, '(('),
              ('regexes', 'a (b', "position 0: '(b'"),
              ('names', '', 'has no name'), ('names', ' ,', 'has no name'),
              ('not_empty', '', 'it is empty'),
              ('not_empty', '\n', 'it is empty'),
              ('at_least_one', '0', '0 is less than 1'),
              ('at_least_one', '1.5', "'1.5' is no whole number"),
              ('seconds', '-1', '-1 is less than 0'),
              ('seconds', '5m', "'5m' is no whole number"),
              ('seconds', '9' * 5000, 'is no whole number'),
              ('port', '0', '0 is less than 1'),
              ('port', '65536', '65536 is more than 65535'),
              ('source', '', 'it is empty'),
              ('source', '/', '/: is a directory'),
              ('source', '/nothing', '/nothing: no such file'),
              ('output', '', 'it is empty'),
              ('output', '/', '/: is a directory'),
              ('output', '/nothing/such', '/nothing: no such directory'))
    @ddt.unpack
    def test_refused(self, kind, text, said):
        error = self.assertRaises(argparse.ArgumentTypeError,
                                  getattr(argument_types, kind), text)
        self.assertIn(said, str(error))

    def test_source(self):
        self.assertEqual(os.devnull, argument_types.source(os.devnull))
        self.useFixture(fixtures.MonkeyPatch(
            'os.access', lambda path, mode: False))
        error = self.assertRaises(argparse.ArgumentTypeError,
                                  argument_types.source, os.devnull)
        self.assertEqual('/dev/null: may not be read', str(error))

    def test_output_that_may_not_be_written(self):
        self.useFixture(fixtures.MonkeyPatch(
            'os.access', lambda path, mode: path != '.'))
        error = self.assertRaises(argparse.ArgumentTypeError,
                                  argument_types.output, 'x')
        self.assertEqual('x: may not be written', str(error))

    def test_output(self):
        for text in ('x', './x', '-', os.devnull):
            self.assertEqual(text, argument_types.output(text))

    def test_new_output(self):
        directory = self.useFixture(fixtures.TempDir())
        path = directory.join('x')
        for text in (path, '-', os.devnull):
            self.assertEqual(text, argument_types.new_output(text))
        with open(path, 'w', encoding='utf-8') as stream:
            # As mktemp makes them.
            self.assertEqual(path, argument_types.new_output(path))
            stream.write('hosts: {}')
        error = self.assertRaises(argparse.ArgumentTypeError,
                                  argument_types.new_output, path)
        self.assertEqual('%s: is there already; name another file, or remove '
                         'it' % path, str(error))

    def test_names(self):
        self.assertEqual(['a', 'b'], argument_types.names('a, b,a,'))
