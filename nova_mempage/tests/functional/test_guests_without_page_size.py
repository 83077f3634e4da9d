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

"""Guests that ask for no page size, where the smallest is not allowed."""

from nova.compute import power_state
from nova.tests import fixtures as nova_fixtures

from tests.functional import base

REASON = 'guests that ask for no memory page size are not allowed on this host'
IMAGE = nova_fixtures.GlanceFixture.image2['id']


class RefusedTest(base.TestCase):
    """Who is not here yet does not get here, whatever the scheduler thinks."""

    # Without the filter: what comes to the driver is what this is about.
    ADDITIONAL_FILTERS = ['NUMATopologyFilter']

    def setUp(self):
        super().setUp()
        self.start_host('second')

    def test_boot_goes_on_to_the_next_host(self):
        self.start_large_only_host()
        server = self.boot()
        self.assertEqual('second', self.host_of(server))
        self.assertEqual(1, self.log().count('Failed to claim: ' + REASON))
        self.assertNotIn('Claim successful on node first', self.log())
        self.assertEqual({'second'}, self.allocations_of(server))

    def test_refused_boot_is_no_failed_build(self):
        """Those would send everybody else to other hosts."""
        self.start_large_only_host()
        self.boot()
        self._run_periodics()
        self.assertEqual(
            '0', self.stats_of('first').get('failed_builds', '0'))
        self.assertEqual('first', self.host_of(self.boot('2048')))

    def test_boot_with_numa_topology_goes_on_to_the_next_host(self):
        self.start_large_only_host()
        server = self._create_server(
            flavor_id=self.flavor(**{'hw:numa_nodes': '1'}), networks='none')
        self.assertEqual('second', self.host_of(server))

    def test_boot_on_this_host_only_says_why(self):
        self.start_large_only_host()
        server = self.boot(host='first', expected_state='ERROR')
        self.assertIn(REASON, self.fault_of(server))
        self.assertIn('choose a flavor or an image', self.fault_of(server))
        self.assertEqual(set(), self.allocations_of(server))
        self.assertNotIn('allowed_memory_pagesize', self.fault_of(server))

    def test_unshelve_leaves_the_server_shelved(self):
        server = self._shelve_server(self.boot())
        self.start_large_only_host()
        self.api.post_server_action(server['id'], {'unshelve': None})
        self._wait_for_action_fail_completion(
            server, 'unshelve', 'compute_unshelve_instance')
        self._wait_for_server_parameter(
            server, {'status': 'SHELVED_OFFLOADED',
                     'OS-EXT-STS:task_state': None,
                     'OS-EXT-SRV-ATTR:host': None})
        self.assertIn(REASON, self.details(server))

    def test_evacuate_leaves_the_server_where_it_was(self):
        server = self.boot()
        self.start_large_only_host()
        self.take_down('second')
        server = self._evacuate_server(
            server, expected_host='second', expected_state='ACTIVE',
            expected_task_state=None, expected_migration_status='failed')
        self.assertIn(REASON, self.details(server))

    def test_cold_migration_goes_on_to_the_next_host(self):
        server = self.boot()
        self.start_large_only_host()
        self.start_host('third')
        self._migrate_server(server)
        self.assertEqual('third', self.host_of(server))
        self.assertIn(REASON, self.log())

    def test_cold_migration_leaves_the_server_running(self):
        server = self.boot()
        self.start_large_only_host()
        self.api.post_server_action(server['id'], {'migrate': None})
        self._wait_for_action_fail_completion(
            server, 'migrate', 'compute_prep_resize')
        self._wait_for_server_parameter(
            server, {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None,
                     'OS-EXT-SRV-ATTR:host': 'second'})
        self.assertIn(REASON, self.details(server))

    def test_resize_leaves_the_server_running_with_its_old_flavor(self):
        self.start_large_only_host()
        server = self.boot('large')
        self.assertEqual('first', self.host_of(server))
        self.take_down('second')
        self.flags(allow_resize_to_same_host=True)
        self.api.post_server_action(
            server['id'], {'resize': {'flavorRef': self.flavor()}})
        self._wait_for_action_fail_completion(
            server, 'resize', 'compute_prep_resize')
        server = self._wait_for_server_parameter(
            server, {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None})
        self.assertEqual('large', server['flavor']['extra_specs'][
            'hw:mem_page_size'])
        self.assertIn(REASON, self.details(server))

    def test_resize_to_a_page_size_is_accepted(self):
        server = self.boot()
        self.start_large_only_host()
        self._resize_server(server, self.flavor('large'))
        self.assertEqual('first', self.host_of(server))

    def test_live_migration_goes_on_to_the_next_host(self):
        self.server = self.boot()
        self.start_large_only_host()
        self.start_host('third')
        self.src, self.dest = self.computes['second'], self.computes['third']
        self._live_migrate(self.server)
        self.assertEqual('third', self.host_of(self.server))

    def test_live_migration_leaves_the_server_running(self):
        server = self.boot()
        self.start_large_only_host()
        self.api.post_server_action(server['id'], {
            'os-migrateLive': {'host': 'first', 'block_migration': 'auto'}})
        self._wait_for_migration_status(server, ['error'])
        self._wait_for_server_parameter(
            server, {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None,
                     'OS-EXT-SRV-ATTR:host': 'second'})
        self.assertIn('from second to first: ' + REASON, self.details(server))


class LeftAloneTest(base.TestCase):
    """What ran before the option was switched on is never bricked."""

    def setUp(self):
        super().setUp()
        self.start_host('first')
        self.server = self.boot()

    def switch_on(self):
        self.allow('large')
        self.restart_compute_service('first')

    def assert_runs(self):
        self._wait_for_server_parameter(
            self.server, {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None,
                          'OS-EXT-STS:power_state': power_state.RUNNING,
                          'OS-EXT-SRV-ATTR:host': 'first'})
        # A failed reboot can leave a server ACTIVE.
        for action in self.api.get_instance_actions(self.server['id']):
            self.assertIsNone(action['message'], action)

    def warnings(self):
        return [line for line in self.log().splitlines()
                if 'could not come to this host any more' in line]

    def test_start_lists_it_in_a_warning(self):
        self.switch_on()
        warning, = self.warnings()
        self.assertIn('%s (%s, active, pages of 4 KiB)' % (
            self.server['id'], self.server['name']), warning)
        self.assertIn('([libvirt] allowed_memory_pagesize = large)', warning)

    def test_start_lists_a_stopped_guest(self):
        self._stop_server(self.server)
        self.switch_on()
        warning, = self.warnings()
        self.assertIn('%s (%s, stopped,' % (
            self.server['id'], self.server['name']), warning)

    def test_start_lists_hugepages_where_only_small_is_allowed(self):
        huge = self.boot('large')
        self.allow('small')
        self.restart_compute_service('first')
        warning, = self.warnings()
        self.assertIn(huge['id'], warning)

    def test_hard_reboot(self):
        self.switch_on()
        self._reboot_server(self.server, hard=True)
        self.assert_runs()

    def test_soft_reboot(self):
        self.switch_on()
        self._reboot_server(self.server)
        self.assert_runs()

    def test_power_off_and_on(self):
        self.switch_on()
        self._stop_server(self.server)
        self._start_server(self.server)
        self.assert_runs()

    def test_rebuild_in_place(self):
        self.switch_on()
        self._rebuild_server(self.server, IMAGE)
        self.assert_runs()

    def test_unshelve_before_it_was_offloaded(self):
        self.flags(shelved_offload_time=-1)
        self.switch_on()
        self._shelve_server(self.server, expected_state='SHELVED')
        self._unshelve_server(self.server)
        self.assert_runs()

    def test_revert_of_a_resize(self):
        self.start_host('second')
        self._resize_server(self.server, self.flavor())
        self.assertEqual('second', self.host_of(self.server))
        self.switch_on()
        self._revert_resize(self.server)
        self.assert_runs()

    def test_delete(self):
        self.switch_on()
        self._delete_server(self.server)

    def test_move_away(self):
        self.switch_on()
        self.start_host('second')
        self._migrate_server(self.server)
        self.assertEqual('second', self.host_of(self.server))

    def test_hugepages_where_only_small_is_allowed(self):
        huge = self.boot('large')
        self.allow('small')
        self.restart_compute_service('first')
        self._reboot_server(huge, hard=True)
        self.assertEqual(1048576, self.granted(huge))
