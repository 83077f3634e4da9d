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

"""Tests of what tests assert that count the pages of pools."""

import dataclasses
from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.hosts import pools as host_pools
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import pools
from tests.plugin.bases import cases
from tests.plugin import samples

PAGES = 256


def _survey(free, boot='boot'):
    return samples.host_survey(boot=boot, pools=[
        host_pools.NodePool(0, 2048, PAGES, free, 0)])


class PoolTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.useFixture(fixtures.MockPatch('time.sleep'))
        # Both are containers of one machine.
        self.a, self.b = self.hosts = [
            cases.host(name, declared=dataclasses.replace(
                samples.LARGE_PAGE, name=name,
                pools=(inventory.DeclaredPool(2048, PAGES // 2),)))
            for name in 'ab']
        self.useFixture(fixtures.MockPatchObject(
            pools.BasePoolTest, 'wait_until_counted'))
        self.useFixture(fixtures.MockPatchObject(
            pools.BasePoolTest, 'RELEASE_TIMEOUT', 0.01))
        self.useFixture(fixtures.MockPatchObject(
            page_holders, 'find', return_value=[
                page_holders.Holder(samples.PID, 'qemu-system-x86'),
                page_holders.Holder(77, 'ovs-vswitchd')]))
        self.case = cases.make(pools.BasePoolTest, hosts=self.hosts,
                               cloud=mock.Mock(), services=mock.Mock())
        self._see(PAGES)
        for host in self.hosts:
            self.case.note_pools(host)

    def _see(self, free, boots=('boot', 'boot')):
        for host, boot in zip(self.hosts, boots):
            host.survey.return_value = _survey(free, boot)

    def _guest(self, host, ram_mib):
        self.case.servers.append(servers.RequestedServer(
            'uuid', ram_mib, 2048, host=host))

    def test_pages_that_somebody_else_has(self):
        for host in self.hosts:
            host.kernel = 'boot'
        self._see(PAGES - 1)
        error = str(cases.assert_fails(self, self.case.note_pools,
                                       self.a))
        self.assertIn('free pages of 2048 KiB, for guests: expected at least '
                      '256, kernel says 255', error)

    def test_pages_that_come_back_soon(self):
        self.a.survey.side_effect = [_survey(0), _survey(PAGES)]
        with mock.patch.object(self.case, 'RELEASE_TIMEOUT', 10):
            self.case.note_pools(self.a)
        self.assertEqual(PAGES, self.case.before(self.a).pools[0].free)

    def test_each_host_is_waited_for(self):
        waited = pools.BasePoolTest.wait_until_counted.call_args_list
        self.assertEqual(['a', 'b'], sorted(
            call.args[0].name for call in waited))

    def test_nothing_taken(self):
        for host in self.hosts:
            self.case.check_taken(host)

    def test_taken_by_guests(self):
        self._guest('a', 64)
        self._guest('b', 32)
        self._see(PAGES - 48)
        for host in self.hosts:
            self.case.check_taken(host)

    def test_page_that_is_lost(self):
        self._see(PAGES - 1)
        error = str(cases.assert_fails(self, self.case.check_taken,
                                       self.a))
        self.assertIn('free pages of 2048 KiB', error)
        # The other one is a guest.
        self.assertIn('are no guests: expected none, kernel says 77 '
                      '(ovs-vswitchd)', error)

    def test_guest_without_pages(self):
        self._guest('a', 64)
        cases.assert_fails(self, self.case.check_taken, self.a)

    def test_other_machines_have_other_pools(self):
        self._see(PAGES, ('one', 'two'))
        for host in self.hosts:
            self.case.note_pools(host)
        self._guest('a', 64)
        self.case.check_taken(self.b)
        cases.assert_fails(self, self.case.check_taken, self.a)

    def test_guests_elsewhere_do_not_matter(self):
        self._guest('c', 64)
        self._guest(None, 64)
        self.case.check_taken(self.a)

    def test_table(self):
        self._guest('a', 64)
        self.assertIn('uuid', self.case.evidence_table(self.a))

    def test_request_in_each_pool(self):
        class Case(pools.BasePoolTest):
            def request_at_once(self, wanted):
                return wanted

        self.case.__class__ = Case
        self.assertEqual(
            [(ram, 2048, host) for host in self.hosts for ram in (128, 2)],
            self.case.request_in_each_pool(
                lambda pool: [pool.half_mib, pool.unit_mib]))


class WaitUntilCountedTest(test_base.BaseTestCase):

    def _wait(self, used, timeout=10, of_nobody=None):
        self.useFixture(fixtures.MockPatch('time.sleep'))
        options = cases.options()
        options.compute['build_timeout'] = timeout
        case = cases.make(base.BaseMemoryTest)
        # Its setUp would wait, too.
        case.__class__ = pools.BasePoolTest
        case.cloud, case.services = mock.Mock(), mock.Mock()
        case.cloud.provider.return_value.memory_reserved = 512
        case.cloud.used_memory.return_value = 64
        case.cloud.memory_of_nobody.return_value = of_nobody or {}
        case.services.used_memory.side_effect = used
        with mock.patch.object(pools, 'CONF', options):
            case.wait_until_counted(cases.host('a'))

    def test_counted(self):
        self._wait([576])

    def test_guest_that_is_gone_counts_for_a_while(self):
        self._wait([640, 640, 576])

    def test_never(self):
        cases.assert_fails(self, self._wait, lambda host: 640, 0.05)

    def test_what_placement_holds_for_nobody(self):
        self._wait([544], of_nobody={'gone': 32})
        error = str(cases.assert_fails(
            self, self._wait, lambda host: 576, 0.05,
            {'gone': 32}))
        self.assertIn('(without those that placement holds for no server: 32 '
                      'for consumer gone): expected 544, compute API says 576',
                      error)
