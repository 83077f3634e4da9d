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

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.declared import documents


@dataclasses.dataclass(frozen=True)
class Part:
    size: int
    name: str | None = None


@dataclasses.dataclass(frozen=True)
class LargePart(Part):
    color: str = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class Whole:
    first: Part | None = None
    parts: tuple[Part, ...] = ()
    words: tuple[str | int, ...] = ('any',)


@dataclasses.dataclass(frozen=True)
class LargeWhole(Whole):
    parts: tuple[LargePart, ...] = ()


@ddt.ddt
class DocumentsTest(base.BaseTestCase):

    @ddt.data(
        ({}, Whole()),
        ({'first': {'size': 1}}, Whole(Part(1))),
        ({'parts': [{'size': 1}, {'size': 2, 'name': 'a'}],
          'words': ['a', 3]}, Whole(None, (Part(1), Part(2, 'a')), ('a', 3))))
    @ddt.unpack
    def test_there_and_back(self, document, expected):
        self.assertEqual(expected,
                         Whole(**documents.fields(document, Whole)))
        self.assertEqual(document, documents.part(expected, Whole))

    def test_part_as_another_class_knows_it(self):
        whole = LargeWhole(parts=(LargePart(1, color='red'),))
        self.assertEqual({'parts': [{'size': 1}]},
                         documents.part(whole, Whole))
        self.assertEqual({'parts': [{'size': 1, 'color': 'red'}]},
                         documents.part(whole, LargeWhole))

    def test_extended(self):
        schema = {'a': {'b': 1, 'c': {'d': 2}}, 'e': [3]}
        self.assertEqual(
            {'a': {'b': 1, 'c': {'d': 4}, 'f': 5}, 'e': [6]},
            documents.extended(schema, {'a': {'c': {'d': 4}, 'f': 5},
                                        'e': [6]}))
        self.assertEqual({'a': {'b': 1, 'c': {'d': 2}}, 'e': [3]}, schema)

    def test_problems(self):
        schema = {'properties': {
            'a': {'items': {'description': 'a color', 'enum': ['red']}},
            'b': {'type': 'integer'}}}
        self.assertEqual(
            ["a.1: 'wet' is not a color", "b: 'x' is not of type 'integer'"],
            documents.problems({'b': 'x', 'a': ['red', 'wet']}, schema))
        self.assertEqual([], documents.problems({}, schema))
