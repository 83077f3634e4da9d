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
import jsonschema
from oslotest import base
from testtools import matchers

from mempage_tempest_plugin import schema_errors

SCHEMA = {'type': 'object', 'additionalProperties': False,
          'properties': {'a': {'type': 'integer'}}}


@ddt.ddt
class MessageTest(base.BaseTestCase):

    @ddt.data(
        ({'a': 'wet'}, "'wet' is not of type 'integer'"),
        ({'a': ['x'] * 9}, "['x', 'x', ...] is not of type 'integer'"),
        ([{'host%d' % n: {'memory': n} for n in range(99)}],
         "[{'host0': {...}, 'host1': {...}, ...}] is not of type 'object'"))
    @ddt.unpack
    def test_values(self, document, expected):
        self.assertEqual(expected, self._message(document))

    def test_many_keys(self):
        message = self._message({'host%d' % n: None for n in range(99)})
        self.assertThat(message, matchers.StartsWith(
            "Additional properties are not allowed ('host0', "))
        self.assertThat(message, matchers.EndsWith(' were unexpected)'))
        self.assertLess(len(message), 420)

    def _message(self, document):
        [error] = jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)
        return schema_errors.message(error)
