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


class FoundTest(base.BaseTestCase):

    def _check(self, counts):
        case = cases.make(
            test_memory_content.TestMemoryContent,
            'test_guest_memory_is_found_in_file', hosts=[cases.host('a')],
            flavor={'ram': 1})
        case.servers = [servers.RequestedServer('uuid', 1, host='a')]
        [host] = case.hosts
        host.memory_backends.return_value = [mock.Mock(mem_path='own')]
        case._patterns = {'a': 'PATTERN'}
        case._counts = {'a': {path: {'PATTERN': count}
                              for path, count in counts.items()}}
        case._check_pattern_is_in_own_file(host)

    def test_own_file_alone(self):
        self._check({'own': 1024})

    def test_too_little(self):
        self.assertIn('at least 1024, file system says 1023', str(
            cases.assert_fails(self, self._check, {'own': 1023})))

    def test_in_another_file(self):
        self.assertIn('the pattern in other files: expected none', str(
            cases.assert_fails(self, self._check, {'own': 1024, 'else': 1})))


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
