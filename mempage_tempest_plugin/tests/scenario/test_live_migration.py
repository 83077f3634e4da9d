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

"""Running guests keep what is in their memory when they change hosts."""

from tempest.common import utils
from tempest.common import waiters
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import guest_moving
from mempage_tempest_plugin.tests import moving
from mempage_tempest_plugin.tests import reconfiguring

CONF = config.CONF


class LiveMigrationTest(guest_moving.GuestMoveTest):
    """Live migrations of a guest that has something in its memory."""

    features = ('live_migration',)

    def check_round_trip(self):
        """Assert that the guest keeps its memory on all hosts, and back."""
        self.start_filled()
        here = self.source
        for host in [*self.destinations, self.source]:
            self.migrate(here, host)
            here = host


class TestFileBackedLiveMigration(moving.FromFileBacked, LiveMigrationTest):
    """a file-backed host, and others, also with another file system"""

    @classmethod
    def _destinations(cls, source):
        others = [host for host in cls.inventory.hosts.values()
                  if host.file_backed and host is not source]
        return list({host.file_backed.filesystem: host
                     for host in reversed(others)}.values())

    @decorators.idempotent_id('5f0c8a5e-3ae5-4d0b-8a7e-0e0c5a3cf8b1')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """A guest takes its memory from file to file"""
        self.check_round_trip()


class TestOrdinaryLiveMigration(moving.FromOrdinary, moving.ToOrdinary,
                                LiveMigrationTest):
    """hosts with ordinary memory, with different policies"""

    @decorators.idempotent_id('b0c0b6d5-0d68-4dcb-9d53-35b1ea8d26f2')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """A guest takes its memory along, and no host has a file"""
        self.check_round_trip()


class TestLargePageLiveMigration(LiveMigrationTest):
    """guests with large pages: another host with the same size"""

    request = page_sizes.LARGE

    @classmethod
    def is_destination(cls, host, source):
        return bool(page_sizes.large(host) & page_sizes.large(source))

    @decorators.idempotent_id('c7cf2b35-6d0e-4f43-9ec6-dd0d6d2c7a03')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """A guest takes its memory from pool to pool"""
        self.check_round_trip()


class MixedTest(LiveMigrationTest):
    """Live migrations between file-backed and other hosts."""

    def check_mixed(self):
        """Assert that migrations end as declared, with memory unharmed."""
        self.start_filled()
        for host in self.destinations:
            getattr(self, '_check_' + self.outcome(host).replace('-', '_'))(
                host)

    def outcome(self, host):
        """Tell what a migration has to end in.

        :param host: the compute_host.ComputeHost to which it goes
        :returns: a value of [mempage] mixed_live_migration
        """
        return CONF.mempage.mixed_live_migration

    def _check_allowed(self, host):
        self.migrate(self.source, host)
        self.migrate(host, self.source)

    def _check_refused_early(self, host):
        self.check_refused(host, 'live_migrate_server', **self.to_live(host))
        self.check_guest()

    def _check_refused_late(self, host):
        """Assert that only the server's status suffers, and that it heals."""
        pids = self.source.pids(self.server)
        self.servers_client.live_migrate_server(self.server,
                                                **self.to_live(host))
        waiters.wait_for_server_status(
            self.servers_client, self.server, 'ERROR', raise_on_error=False)
        self.check_absent(host)
        self.servers_client.reset_state(self.server, state='active')
        self.wait_until_active(self.source)
        self.check_untouched(pids)
        self.check_guest()


class TestFileBackedToOthers(moving.FromFileBacked, moving.ToOrdinary,
                             MixedTest):
    """a file-backed host and others"""

    @decorators.idempotent_id('e2d9b52f-4f1c-4ed7-93f0-5ed3f1f55a14')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """A guest leaves its file for ordinary memory only where declared"""
        self.check_mixed()


class TestOrdinaryToFileBacked(moving.FromOrdinary, moving.ToFileBacked,
                               MixedTest):
    """a host with ordinary memory, and a file-backed one"""

    @decorators.idempotent_id('f3a1c8d6-2b7e-4a59-8c41-6f0b9e7d5c25')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """A guest leaves ordinary memory for a file only where declared"""
        self.check_mixed()


class TestLargePagesToFileBacked(moving.ToFileBacked, MixedTest):
    """guests with large pages, and a file-backed host"""

    request = page_sizes.LARGE

    def outcome(self, host):
        # Without a pool the scheduler sees at once that there are no pages.
        # With one Nova believes that it can serve them; no guest ever can.
        if CONF.mempage.allowed_memory_pagesize or not host.declared.pools:
            return 'refused-early'
        return 'refused-late'

    @decorators.idempotent_id('04b2d9e7-3c8f-4b6a-9d52-701cafe86d36')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """A guest does not lose its pages to a file"""
        self.check_mixed()


class LateTest(reconfiguring.ReconfiguringTest, MixedTest):
    """Live migrations without the pre-check of nova_mempage."""

    promises = dict(
        reconfiguring.ReconfiguringTest.promises,
        allowed_memory_pagesize='is not set: there is no pre-check to do '
                                'without')

    @classmethod
    def is_about(cls, host):
        return (reconfiguring.ReconfiguringTest.is_about(host)
                and MixedTest.is_about(host))

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.reconfigure({cls.source: {
            ('libvirt', 'refuse_mixed_live_migration'): 'False'}})
        del cls.destinations[1:]

    def outcome(self, host):
        return 'refused-late'


class TestFileBackedToOthersLate(moving.FromFileBacked, moving.ToOrdinary,
                                 LateTest):
    """a file-backed host without the pre-check of nova_mempage, and others"""

    @decorators.idempotent_id('15c3eaf8-4d90-4c7b-ae63-812db0f97e47')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """Nova alone leaves ERROR, but the guest and its memory unharmed"""
        self.check_mixed()


class TestOrdinaryToFileBackedLate(moving.FromOrdinary, moving.ToFileBacked,
                                   LateTest):
    """an ordinary host without the pre-check of nova_mempage, and a store"""

    @decorators.idempotent_id('26d4fb09-5ea1-4d8c-bf74-923ec10a8f58')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """Nova alone leaves ERROR, but the guest and its memory unharmed"""
        self.check_mixed()
