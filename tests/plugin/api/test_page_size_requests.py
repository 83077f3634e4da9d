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


from unittest import mock

import ddt
from oslotest import base as test_base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.declared import page_size_requests
from mempage_tempest_plugin.tests.api import test_page_size_requests
from tests.plugin.bases import cases

REFUSED = page_size_requests.BadRequest("Invalid memory page size '2M'")


@ddt.ddt
class RequestTest(test_base.BaseTestCase):
    """A failure says what was asked for, what was expected, what came."""

    def _check(self, expected, seen):
        case = cases.make(test_page_size_requests.TestPageSizeOfImage,
                          'test_combination_01__None__None_',
                          cloud=mock.Mock(), nova=mock.Mock())
        case.request_server = mock.Mock(
            side_effect=[mock.Mock() if not isinstance(seen, str)
                         else lib_exc.BadRequest(seen)])
        case.cloud.page_size.return_value = seen
        case.check_request(expected, ('any', {}), ('2M', 'image'))

    @ddt.data((REFUSED, "Invalid memory page size '2M'"), (2048, 2048),
              ('large', -2), (None, None))
    @ddt.unpack
    def test_as_expected(self, expected, seen):
        self._check(expected, seen)

    @ddt.data((REFUSED, 2048), (REFUSED, 'Quota exceeded'), (2048, 4),
              (2048, "Invalid memory page size '2M'"), ('large', -1))
    @ddt.unpack
    def test_other_answer(self, expected, seen):
        error = str(cases.assert_fails(self, self._check, expected,
                                       seen))
        self.assertIn("page size 'any' in the flavor, '2M' in the image",
                      error)
        self.assertIn(str(seen), error)
        self.assertNotIn('bound method', error)
