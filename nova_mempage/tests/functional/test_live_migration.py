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

"""Live migrations between hosts that take memory from different sources."""

from tests.functional import base


class MixedLiveMigrationTest(base.TestCase):

    # What comes to the drivers is what this is about.
    ADDITIONAL_FILTERS = []

    def setUp(self):
        super().setUp()
        self.flags(ram_allocation_ratio=1.0, reserved_host_memory_mb=0)

    def boot_and_migrate(self, source_file_backed, dest_file_backed,
                         page_size=None):
        # All services of a test share one configuration: the source reads the
        # option while the guest is started, and the destination later.
        self.set_file_backed(source_file_backed)
        self.start_host('first')
        self.server = self.boot(page_size, host='first')
        self.set_file_backed(dest_file_backed)
        self.start_host('second')
        self.src, self.dest = self.computes['first'], self.computes['second']
        self.api.post_server_action(self.server['id'], {
            'os-migrateLive': {'host': 'second', 'block_migration': 'auto'}})

    def assert_refused(self, *texts):
        self._wait_for_migration_status(self.server, ['error'])
        self._wait_for_server_parameter(
            self.server, {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None,
                          'OS-EXT-SRV-ATTR:host': 'first'})
        self.assertFalse(self.migrate_stub_ran)
        for text in ('first', 'second', *texts):
            self.assertIn(text, self.details(self.server))
        self.assertEqual(1, self.log().count('Live migration is refused: '))

    def assert_migrated(self):
        self._wait_for_migration_status(self.server, ['completed'])
        self._wait_for_server_parameter(
            self.server, {'status': 'ACTIVE',
                          'OS-EXT-SRV-ATTR:host': 'second'})
        self.assertTrue(self.migrate_stub_ran)

    def test_file_to_none_is_refused(self):
        self.boot_and_migrate(True, False)
        self.assert_refused(
            "memory source 'file' here, 'none' there",
            'choose a host with file-backed memory or migrate cold')

    def test_none_to_file_is_refused(self):
        self.boot_and_migrate(False, True)
        self.assert_refused(
            "memory source 'none' here, 'file' there",
            'choose a host without file-backed memory or migrate cold')

    def test_hugepages_to_file_is_refused(self):
        self.boot_and_migrate(False, True, 'large')
        self.assert_refused(
            'from first to second: guests that ask for a memory page size are '
            'not allowed on this host')

    def test_small_pages_to_file_is_refused(self):
        self.boot_and_migrate(False, True, 'small')
        self.assert_refused('guests that ask for a memory page size')

    def test_file_to_file_is_accepted(self):
        self.boot_and_migrate(True, True)
        self.assert_migrated()

    def test_none_to_none_is_accepted(self):
        self.boot_and_migrate(False, False)
        self.assert_migrated()

    def test_hugepages_to_hugepages_is_accepted(self):
        self.boot_and_migrate(False, False, '2048')
        self.assert_migrated()

    def test_refusal_can_be_turned_off_where_libvirt_accepts_it(self):
        self.flags(refuse_mixed_live_migration=False, group='libvirt')
        self.boot_and_migrate(True, False)
        self.assert_migrated()
