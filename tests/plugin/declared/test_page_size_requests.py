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

import re

import ddt
from oslo_utils import strutils
from oslotest import base

from mempage_tempest_plugin.declared import page_size_requests

# nova.api.validation.extra_specs.hw
PATTERN = r'(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)'
EMPTY = "Page size %s forbidden against '<empty>'"
# Flavor, image, and what they ask for together.
COMBINATIONS = (
    (None, None, None),
    (None, 'small', EMPTY % 'small'),
    (None, '0', EMPTY % '0'),
    ('small', None, 'small'),
    ('small', 'small', "Page size small forbidden against 'small'"),
    ('large', None, 'large'),
    ('large', 'small', 'small'),
    ('large', 'any', 'any'),
    ('large', '4', 4),
    ('large', '2MB', 2048),
    ('large', '0', None),
    ('large', '2M', "Invalid memory page size '2M'"),
    ('any', 'large', 'large'),
    ('any', 'huge', "Invalid memory page size 'huge'"),
    ('2048', '2048', "Page size 2048 forbidden against '2048'"),
    ('2048', 'huge', "Page size huge forbidden against '2048'"),
    ('0', 'small', "Page size small forbidden against '0'"),
    ('2M', None, "Invalid memory page size '2M'"),
    ('2M', 'small', "Invalid memory page size '2M'"),
)


def _understood(text):
    """What nova.virt.hardware understands."""
    if text in ('small', 'large', 'any'):
        return text
    if not text:
        return None
    try:
        size = int(text) if text.isdigit() else int(
            strutils.string_to_bytes(text, return_int=True) / 1024)
    except ValueError:
        return page_size_requests.BadRequest(
            "Invalid memory page size '%s'" % text)
    return size or None


@ddt.ddt
class SpellingsTest(base.BaseTestCase):

    @ddt.data(*page_size_requests.SPELLINGS.values())
    def test_as_nova_reads_it(self, spelling):
        self.assertEqual(_understood(spelling.text), spelling.request)
        self.assertEqual(bool(re.fullmatch(PATTERN, spelling.text)),
                         spelling.valid)


@ddt.ddt
class EffectiveTest(base.BaseTestCase):

    @ddt.data(*COMBINATIONS)
    @ddt.unpack
    def test_combination(self, flavor, image, expected):
        found = page_size_requests.effective(flavor, image)
        self.assertEqual(expected, getattr(found, 'words', found))

    def test_all_combinations_are_spellings(self):
        values = {*page_size_requests.FLAVORS, *page_size_requests.IMAGES}
        self.assertEqual(
            set(), values - {None} - set(page_size_requests.SPELLINGS))
