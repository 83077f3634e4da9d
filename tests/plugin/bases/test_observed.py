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

"""Tests of what becomes of hosts that are not what tests need."""

from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed
from tests.plugin.bases import cases


class LeaveOutTest(test_base.BaseTestCase):

    def _leave_out(self, **reasons):
        self.useFixture(fixtures.MockPatchObject(
            observed, 'CONF', cases.options()))
        cls = mock.Mock(skipException=base.BaseMemoryTest.skipException,
                        hosts=[cases.host(name) for name in reasons])
        cls.__name__ = 'TestStoreDevice'
        observed.leave_out(cls, lambda host: reasons[host.name])
        return [host.name for host in cls.hosts]

    def test_some(self):
        self.assertEqual(['a', 'c'], self._leave_out(
            a=None, b='on loop0', c=None))

    def test_all(self):
        error = self.assertRaises(
            base.BaseMemoryTest.skipException, self._leave_out,
            a='on loop0', b='no nvme-cli')
        self.assertEqual('host a: on loop0; host b: no nvme-cli', str(error))
