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

"""Tests of what tests make of hosts whose allowed page sizes change."""

from unittest import mock

from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.tests.api import test_allowed_page_sizes_changed
from tests.plugin.bases import cases
from tests.plugin import samples


class LeftAloneTest(test_base.BaseTestCase):

    def _check(self, *evidence):
        host = cases.host(samples.PLAIN.name, declared=samples.PLAIN)
        case = cases.make(
            test_allowed_page_sizes_changed.TestAllowedPageSizesChanged,
            'test_mp7_running_guest_is_left_alone', hosts=[host],
            nova=mock.Mock(), cloud=mock.Mock(), image='image',
            reconfiguration=mock.Mock(), guest=servers.RequestedServer(
                samples.SERVER, 192, host=host.name))
        case._allow = lambda policy: (host, None)
        case.reconfiguration.log_of.return_value = (
            '%s: It is left alone' % samples.SERVER)
        with mock.patch.object(collect, 'collect',
                               side_effect=evidence) as looks:
            case.test_mp7_running_guest_is_left_alone()
        self.assertEqual(3, looks.call_count)

    def test_left_alone(self):
        self._check(*[samples.plain_evidence()] * 3)

    def test_another_memory_after_a_start(self):
        error = cases.assert_fails(
            self, self._check, samples.plain_evidence(),
            samples.plain_evidence(xml=samples.backing()))
        self.assertIn('source: expected none, libvirt says file', str(error))
