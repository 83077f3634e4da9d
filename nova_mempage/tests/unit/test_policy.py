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
from tests.unit import test_filters


@ddt.ddt
class PolicyTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data(
        # refuses no page size, refuses one, request, reason
        (False, False, None, None), (False, False, 2048, None),
        (True, False, None, policy.NO_PAGE_SIZE), (True, False, 2048, None),
        (False, True, None, None), (False, True, 2048, policy.PAGE_SIZE),
        (False, True, 'small', policy.PAGE_SIZE))
    def test_refusal(self, no_page_size, page_size, asked, reason):
        topology = test_filters.request(asked).numa_topology
        refuses = policy.Policy(no_page_size, page_size)
        self.assertEqual(reason, refuses.refusal(topology))
        self.assertEqual(no_page_size or page_size, bool(refuses))

    def test_guest_without_numa_topology(self):
        self.assertEqual(policy.NO_PAGE_SIZE,
                         policy.Policy(no_page_size=True).refusal(None))
        self.assertIsNone(policy.Policy(page_size=True).refusal(None))

    @ddt.data(policy.NO_PAGE_SIZE, policy.PAGE_SIZE)
    def test_owners_read_no_configuration(self, text):
        """Nova shows the first 255 characters of a fault."""
        self.assertNotIn('[', text)
        self.assertNotIn('nova.conf', text)
        self.assertLess(len(text), 230)
