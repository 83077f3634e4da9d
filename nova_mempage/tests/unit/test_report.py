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

from nova_mempage import policy
from nova_mempage import report
from tests.unit import test_pages

CELLS = [test_pages.cell((4, 9, 0), (2048, 8, 0), (1048576, 0, 0))]


@ddt.ddt
class TraitsTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data(
        (policy.Policy(), {'4', '2048'}),
        (policy.Policy(no_page_size=True), {'4', '2048', 'REQUIRED'}),
        (policy.Policy(page_size=True), {'REFUSED'}))
    def test_names(self, refuses, suffixes):
        self.assertEqual(
            {'CUSTOM_MEMORY_PAGE_SIZE_' + suffix for suffix in suffixes},
            report.traits(CELLS, refuses))

    @ddt.unpack
    @ddt.data(('CUSTOM_MEMORY_PAGE_SIZE_4', True),
              ('CUSTOM_MEMORY_PAGE_SIZE_REQUIRED', True),
              ('CUSTOM_MEM_PAGE_SIZE_4', True),
              ('CUSTOM_OF_THE_OPERATOR', False),
              ('MEMORY_PAGE_SIZE_SMALL', False),
              ('COMPUTE_MEM_BACKING_FILE', False))
    def test_is_ours(self, trait, ours):
        self.assertEqual(ours, report.is_ours(trait))

    def test_stats_are_strings(self):
        """Nova's ComputeNode takes no others."""
        self.assertEqual(
            {'mempage_refuses_no_page_size': 'True',
             'mempage_refuses_page_size': 'False',
             'mempage_allowed_pagesize': '2048,1GB'},
            report.stats(policy.Policy(no_page_size=True), ['2048', '1GB']))
