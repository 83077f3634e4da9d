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

"""Tests of what is made of guests that give back memory, or do not."""

from unittest import mock

import fixtures
from oslotest import base
import testtools

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.tests.scenario import test_faults
from tests.plugin.bases import cases
from tests.plugin import samples

MIB = samples.MIB


class GivenBackTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.host = cases.host('a')
        self.case = cases.make(
            test_faults.TestFullStore, 'test_memory_given_back_is_gone',
            host=self.host, flavor={'ram': 100})
        self.useFixture(fixtures.MockPatchObject(
            test_faults, 'NOTICE_TIMEOUT', 0.01))

    def _see(self, allocated_mib):
        found = mock.Mock(spec=files.File, size=100 * MIB,
                          allocated=allocated_mib * MIB)
        self.host.survey.return_value.files = {'ram': found}

    def test_given_back(self):
        self._see(40)
        self.case._wait_until_given_back('ram')

    def test_not_given_back(self):
        self._see(100)
        error = str(self.assertRaises(
            AssertionError, self.case._wait_until_given_back, 'ram'))
        self.assertIn('though Nova asks it to give back what is free', error)

    def test_not_asked(self):
        server = servers.RequestedServer('uuid', 100)
        self.host.memory_backing.return_value.free_page_reporting = False
        self.assertIn('which Nova asks for since 32', str(self.assertRaises(
            testtools.TestCase.skipException, self.case._skip_unless_asked,
            server)))
        self.host.memory_backing.return_value.free_page_reporting = True
        self.case._skip_unless_asked(server)
