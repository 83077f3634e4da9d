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

"""Tests of guests that give back memory, and of those that do not."""

from unittest import mock

import ddt
from oslotest import base as test_base
import testtools

from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.scenario import test_faults
from tests.plugin.bases import cases


@ddt.ddt
class GivenBackTest(test_base.BaseTestCase):
    """A guest that keeps free memory is a failure where it need not."""

    def _wait(self, given_back, may):
        case = cases.make(
            test_faults.TestFullStore, 'test_memory_given_back_is_gone',
            host=cases.host('a'), flavor={'ram': 128})
        case._given_back = lambda path: given_back
        case.host.memory_backing.return_value.free_page_reporting = may
        with mock.patch.object(test_faults, 'NOTICE_TIMEOUT', 0.1):
            case._wait_until_given_back('uuid', '/ram')

    @ddt.data(True, False)
    def test_given_back(self, may):
        self._wait(64, may)

    def test_nova_before_32(self):
        skipped = self.assertRaises(testtools.TestCase.skipException,
                                    self._wait, 9, False)
        self.assertTrue(str(skipped).startswith(
            observed.NOT_GIVEN_BACK + ': '))

    def test_guest_that_does_not_what_it_may(self):
        error = self.assertRaises(AssertionError, self._wait, 9, True)
        self.assertIn('[compute] image_ref', str(error))
