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

"""Tests of which guests a pattern is looked for in."""

from unittest import mock

from oslotest import base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.scenario import test_memory_content
from tests.plugin.bases import cases


class BesideTest(base.BaseTestCase):

    def test_each_host_has_another_guest(self):
        """Whose file must not have the pattern."""
        case = cases.make(
            test_memory_content.TestMemoryContent,
            'test_guest_memory_is_found_in_file',
            hosts=[cases.host('a'), cases.host('b')], nova=mock.Mock())
        case._other_image = 'image'
        case.boot = lambda host, image: servers.RequestedServer(
            image + host.name, 64, host=host.name)
        for host in case.hosts:
            case._boot_beside(host)
            case._wait_for_other(host)
        self.assertEqual([mock.call('imagea'), mock.call('imageb')],
                         case.nova.wait_until_active.mock_calls)
