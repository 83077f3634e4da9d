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

"""Clouds that do not do what they promise make the tests fail."""

from unittest import mock

from oslotest import base

from mempage_tempest_plugin import cloud
from mempage_tempest_plugin.tests.api import test_aggregate_memory_backing
from mempage_tempest_plugin.tests.api import test_allowed_page_sizes
from tests.plugin import samples


def _host(declared):
    host = mock.Mock(declared=declared)
    host.name = declared.name
    return host


class FilterTest(base.BaseTestCase):

    def _case(self, shown):
        case = test_aggregate_memory_backing.TestAggregateMemoryBacking(
            'test_amb3_large')
        case.hosts = []
        case.host = _host(samples.PLAIN)
        case.small, case.large = 4, 2048
        case.client = mock.Mock()
        case.services = mock.Mock()
        case.flavor_for = lambda request: {'ram': 64}
        case.send_server = mock.Mock(return_value='server')
        case.begin_to_delete = mock.Mock()
        case.wait_until_built = mock.Mock()
        case.servers_client = mock.Mock()
        case.servers_client.show_server.return_value = {'server': shown}
        case.cloud = mock.Mock()
        case.cloud.page_size.return_value = None
        return case

    def test_filter_that_passes_all(self):
        case = self._case({
            'status': 'ACTIVE', 'fault': {},
            'OS-EXT-SRV-ATTR:hypervisor_hostname': 'plain1'})
        with mock.patch.object(case, 'useFixture'):
            error = self.assertRaises(AssertionError, case.check, ['large'],
                                      ('large',), [None])
        self.assertIn('plain1', str(error))
        self.assertIn('MemoryBacking = large; does nova-scheduler have '
                      'AggregateMemoryBackingFilter', str(error))
        case.begin_to_delete.assert_called_once()


class DriverTest(base.BaseTestCase):

    def test_option_that_is_not_in_effect(self):
        case = test_allowed_page_sizes.TestAllowedPageSizes(
            'test_mp1_the_driver_knows_the_option')
        case.cloud = mock.Mock()
        host = _host(samples.LARGE_PAGE)
        for traits in ({'CUSTOM_MEM_PAGE_SIZE_4',
                        'CUSTOM_MEM_PAGE_SIZE_2048'}, set()):
            case.cloud.provider.return_value = cloud.Provider(
                'uuid', 1024, 1024, 0, 1.0, frozenset(traits))
            error = self.assertRaises(AssertionError, case.check_traits,
                                      host, host.declared)
            self.assertIn('host huge1 must allow large', str(error))
            self.assertIn('[libvirt] allowed_memory_pagesize', str(error))
