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


import collections
import json

import ddt
from oslotest import base

from mempage_tempest_plugin.evidence import values
from tests.plugin import samples


@ddt.ddt
class PlainTest(base.BaseTestCase):

    @ddt.data(None, True, 3, 1.5, 'text', [1, 'a'], {'a': [None]})
    def test_plain_already(self, value):
        self.assertEqual(value, values.plain(value))

    @ddt.unpack
    @ddt.data(((1, 2), [1, 2]), ({'b', 'a'}, ['a', 'b']),
              (frozenset(['b', 'a']), ['a', 'b']),
              ({4: (5,)}, {'4': [5]}), (collections.Counter('a'), {'a': 1}))
    def test_made_plain(self, value, expected):
        self.assertEqual(expected, values.plain(value))

    def test_others_are_text(self):
        self.assertEqual('NodePool(node=0, size_kib=2048, total=256, '
                         'free=256, surplus=0)',
                         values.plain(samples.host_survey().pools[0]))

    def test_long_text_is_cut(self):
        text = values.plain('x' * 5000)
        self.assertTrue(text.endswith('x... (5000 characters)'), text)
        self.assertLess(len(text), 600)

    def test_long_list_is_cut(self):
        found = values.plain(list(range(500)))
        self.assertEqual([18, 19, 'and 480 more'], found[-3:])
        self.assertEqual(21, len(found))

    def test_secrets_are_masked(self):
        text = json.dumps(values.plain(
            {'a': ['http://nova:secret@host/', 'password=secret']}))
        self.assertNotIn('secret', text)
