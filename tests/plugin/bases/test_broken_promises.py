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

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.api import test_aggregate_memory_backing
from mempage_tempest_plugin.tests.api import test_allowed_page_sizes
from mempage_tempest_plugin.tests.bases import base
from tests.plugin.bases import cases
from tests.plugin import samples


def _host(declared):
    return cases.host(declared.name, declared=declared)


class FilterTest(test_base.BaseTestCase):

    def _case(self, shown):
        case = cases.make(
            test_aggregate_memory_backing.TestAggregateMemoryBacking,
            'test_amb3_large')
        case.host = _host(samples.PLAIN)
        case.small, case.large = 4, 2048
        case.client = mock.Mock()
        case.services = mock.Mock()
        case.flavor_for = lambda request: {'ram': 64}
        case.send = mock.Mock(
            return_value=servers.RequestedServer('server', 64, host='plain1'))
        case.begin_to_delete = mock.Mock()
        manager = mock.Mock()
        manager.servers_client.list_servers.return_value = {'servers': []}
        manager.servers_client.show_server.return_value = {
            'server': dict(shown, id='server')}
        case.nova = servers.Servers(manager, case.services, 1, 0.01,
                                    lambda seconds: seconds)
        case.cloud = mock.Mock()
        case.cloud.page_size.return_value = None
        self.useFixture(fixtures.MockPatchObject(base, 'CONF'))
        base.CONF.mempage.parallel_hosts = 1
        return case

    def test_filter_that_passes_all(self):
        case = self._case({
            'status': 'ACTIVE', 'fault': {},
            'OS-EXT-SRV-ATTR:hypervisor_hostname': 'plain1'})
        with mock.patch.object(aggregates, 'Aggregate', mock.MagicMock()):
            error = cases.assert_fails(self, case.check, ['large'],
                                       ('large',), [None])
        self.assertIn('plain1', str(error))
        self.assertIn('MemoryBacking = large; does nova-scheduler have '
                      'AggregateMemoryBackingFilter', str(error))
        [deleted] = case.begin_to_delete.call_args.args
        self.assertEqual([case.send.return_value], list(deleted))


class DriverTest(test_base.BaseTestCase):

    def test_option_that_is_not_in_effect(self):
        case = cases.make(
            test_allowed_page_sizes.TestAllowedPageSizes,
            'test_mp1_the_driver_knows_the_option')
        case.cloud = mock.Mock()
        host = _host(samples.LARGE_PAGE)
        for traits in ({'CUSTOM_MEMORY_PAGE_SIZE_4',
                        'CUSTOM_MEMORY_PAGE_SIZE_2048'}, set()):
            case.cloud.provider.return_value = cloud.Provider(
                'uuid', 1024, 1024, 0, 1.0, frozenset(traits))
            error = cases.assert_fails(self, case.check_traits,
                                       host, host.declared)
            self.assertIn('host huge1 must allow large', str(error))
            self.assertIn('[libvirt] allowed_memory_pagesize', str(error))
