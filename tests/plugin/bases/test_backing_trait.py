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
import fixtures
from oslotest import base
import testtools

from mempage_tempest_plugin.tests.bases import backing_trait
from tests.plugin.bases import cases


@ddt.ddt
class BackingTraitTest(base.BaseTestCase):

    @ddt.data((False, False, False), (False, True, True), (True, False, True))
    @ddt.unpack
    def test_reported(self, driver, since_31, expected):
        self.useFixture(fixtures.MockPatchObject(
            backing_trait, 'CONF', cases.options(
                mempage={'allowed_memory_pagesize': driver})))
        test = mock.Mock(skipException=testtools.TestCase.skipException)
        test.services.knows.return_value = since_31
        self.assertEqual(expected, backing_trait.is_reported(test))
        if expected:
            backing_trait.skip_unless_reported(test)
        else:
            self.assertRaises(test.skipException,
                              backing_trait.skip_unless_reported, test)
