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

import ddt
from oslotest import base

from mempage_tempest_plugin import plain_yaml

#: Each line has the one above it ten times; no line is long.
BOMB = 'l0: &l0 x\n' + ''.join(
    'l%d: &l%d [%s]\n' % (level, level, ', '.join(['*l%d' % (level - 1)] * 10))
    for level in range(1, 30))


@ddt.ddt
class PlainYamlTest(base.BaseTestCase):

    def assert_refused(self, words, text, **kwargs):
        error = self.assertRaises(ValueError, plain_yaml.parse, text, **kwargs)
        self.assertIn(words, str(error))
        self.assertNotIn('\n', str(error))

    @ddt.unpack
    @ddt.data(
        ('a: 1\nb: 2\na: 3\n', "key 'a' is there twice in"),
        # Different to look at, and the same in Python.
        ('{1: a, 0x1: b}', 'key 1 is there twice'),
        ('{yes: a, true: b}', 'key True is there twice'),
        ('a: 1\n"a": 2', "key 'a' is there twice"),
        ('a: !!set {b, b}', "key 'b' is there twice"),
        ('? [a]\n: 1', 'a key has to be one value in'),
        ('a: [', 'line 1'), ('a: *b', "undefined alias 'b'"),
        ('[' * 5000, 'maximum recursion'))
    def test_refused(self, text, words):
        self.assert_refused(words, text)
        self.assertRaises(ValueError, plain_yaml.parse, text, aliases=False)

    @ddt.data('!!bool x', '!!int ""', '!!float ""', '!!timestamp x',
              '2026-13-45', '9' * 5000)
    def test_value_that_is_not_what_it_has_to_be(self, value):
        self.assert_refused('line 2, column 4', 'a: 1\nb: %s' % value)

    def test_bomb(self):
        self.assert_refused('aliases repeat more than 100000 values in '
                            '"<unicode string>", line 6, ', BOMB)

    def test_bomb_of_merges(self):
        text = 'l0: &l0 {x: 1}\n' + ''.join(
            'l%d: &l%d {<<: [%s]}\n' % (
                level, level, ', '.join(['*l%d' % (level - 1)] * 10))
            for level in range(1, 30))
        self.assert_refused('aliases repeat', text)

    @ddt.data('a: &a [*a]', 'a: &a {b: {c: *a}}', 'a: &a {<<: *a}')
    def test_part_of_itself(self, text):
        self.assert_refused('*a is a part of itself in', text)

    def test_aliases(self):
        text = ('a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, x: 3}\n'
                'd: [*a, *a]\ne: {<<: [*a, {z: 4}]}')
        a = {'x': 1, 'y': 2}
        self.assertEqual({'a': a, 'b': a, 'c': {'x': 3, 'y': 2}, 'd': [a, a],
                          'e': {'x': 1, 'y': 2, 'z': 4}},
                         plain_yaml.parse(text))

    @ddt.unpack
    @ddt.data(('a: &a 1\nb: *a', 'aliases are not allowed in'),
              ('a: {<<: {b: 1}}', 'merge'), (BOMB, 'aliases are not allowed'))
    def test_without_aliases(self, text, words):
        self.assert_refused(words, text, aliases=False)

    def test_as_many_aliases_as_a_large_cloud_has(self):
        host = '{x: 1, y: {z: [1, 2, 3, 4]}}'
        text = 'h0: &h %s\n' % host + ''.join(
            'h%d: *h\n' % number for number in range(1, 2000))
        self.assertEqual(2000, len(plain_yaml.parse(text)))
