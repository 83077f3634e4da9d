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
        """Assert that the guest keeps its memory on alike hosts, and back."""
        hosts = self._those(True)
        self.start_filled()
        here = self.source
        for host in [*hosts, self.source]:
            self.migrate(here, host)
            here = host
        self.keep()

    def check_mixed(self):
        """Assert that migrations to other hosts end as declared.

        Memory is unharmed, whatever they end in.
        """
        hosts = self._those(False)
        self.start_filled()
        for host in hosts:
            getattr(self, '_check_' + self.outcome(host).replace('-', '_'))(
                host)
        self.keep()

    def _those(self, alike):
        """Choose hosts to go to, or skip the test.

        :param alike: whether guests have the same kind of memory there
        :returns: list of compute_host.ComputeHost
        """
        hosts = [host for host in self.destinations
                 if self._is_alike(host) == alike]
        if not hosts:
            self.skipTest('%s declares no host with %s kind of memory for the '
                          'guests of %s' % (
                              self.inventory.path,
                              'the same' if alike else 'another',
                              self.source.name))
        return hosts

    def _is_alike(self, host):
        return (bool(host.declared.file_backed)
                == bool(self.source.declared.file_backed))

    def outcome(self, host):
        """Tell what a migration to a host of another kind has to end in.

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


class TestFileBackedLiveMigration(moving.FromFileBacked, LiveMigrationTest):
    """a file-backed host, and others"""

    @classmethod
    def _destinations(cls, source):
        others = [host for host in cls.inventory.hosts.values()
                  if host is not source]
        stores = {host.file_backed.filesystem: host
                  for host in reversed(others) if host.file_backed}
        return [*stores.values(), *page_sizes.one_of_each_policy(
            host for host in others
            if not host.file_backed and moving.can_have(host, None))]

    @decorators.idempotent_id('5f0c8a5e-3ae5-4d0b-8a7e-0e0c5a3cf8b1')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """A guest takes its memory from file to file"""
        self.check_round_trip()

    @decorators.idempotent_id('e2d9b52f-4f1c-4ed7-93f0-5ed3f1f55a14')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """A guest leaves its file for ordinary memory only where declared"""
        self.check_mixed()


class TestOrdinaryLiveMigration(moving.FromOrdinary, LiveMigrationTest):
    """a host with ordinary memory, and others"""

    @classmethod
    def _destinations(cls, source):
        others = [host for host in cls.inventory.hosts.values()
                  if host is not source and moving.can_have(host, None)]
        ordinary = [host for host in others if not host.file_backed]
        return ordinary[:1] + page_sizes.one_of_each_policy(
            host for host in others if host.file_backed)

    @decorators.idempotent_id('b0c0b6d5-0d68-4dcb-9d53-35b1ea8d26f2')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """A guest takes its memory along, and no host has a file"""
        self.check_round_trip()

    @decorators.idempotent_id('f3a1c8d6-2b7e-4a59-8c41-6f0b9e7d5c25')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """A guest leaves ordinary memory for a file only where declared"""
        self.check_mixed()


class TestLargePageLiveMigration(LiveMigrationTest):
    """a host with large pages, and others"""

    request = page_sizes.LARGE

    @classmethod
    def is_destination(cls, host, source):
        return (host.file_backed is not None
                or bool(page_sizes.large(host) & page_sizes.large(source)))

    def outcome(self, host):
        # Without a pool the scheduler sees at once that there are no pages.
        # With one Nova believes that it can serve them; no guest ever can.
        if CONF.mempage.allowed_memory_pagesize or not host.declared.pools:
            return 'refused-early'
        return 'refused-late'

    @decorators.idempotent_id('c7cf2b35-6d0e-4f43-9ec6-dd0d6d2c7a03')
    @utils.services('compute', 'network')
    def test_round_trip(self):
        """A guest takes its memory from pool to pool"""
        self.check_round_trip()

    @decorators.idempotent_id('04b2d9e7-3c8f-4b6a-9d52-701cafe86d36')
    @utils.services('compute', 'network')
    def test_mixed(self):
        """A guest does not lose its pages to a file"""
        self.check_mixed()


class TestLiveMigrationWithoutCheck(moving.FromFileBacked, moving.ToOrdinary,
                                    LiveMigrationTest,
                                    reconfiguring.ReconfiguringTest):
    """a file-backed host and an ordinary one, both without the pre-check"""

    promises = dict(
        reconfiguring.ReconfiguringTest.promises,
        allowed_memory_pagesize='is not set: there is no pre-check to do '
                                'without')

    @classmethod
    def is_about(cls, host):
        return (reconfiguring.ReconfiguringTest.is_about(host)
                and super().is_about(host))

    @classmethod
    def is_destination(cls, host, source):
        return (reconfiguring.ReconfiguringTest.is_about(host)
                and super().is_destination(host, source))

    @classmethod
    def _destinations(cls, source):
        return super()._destinations(source)[:1]

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # nova-compute takes its time to start, and so do the guests.
        cls._guests = {host: cls.request_guest_on(host) for host in cls.hosts}
        cls.wait_until_built(cls._guests.values())
        cls.reconfigure({host: {
            ('libvirt', 'refuse_mixed_live_migration'): 'False'}
            for host in cls.hosts})

    def boot_guest(self):
        self.use(self._guests[self.source])

    def outcome(self, host):
        return 'refused-late'

    @decorators.idempotent_id('15c3eaf8-4d90-4c7b-ae63-812db0f97e47')
    @utils.services('compute', 'network')
    def test_from_file(self):
        """Nova alone leaves ERROR, but the guest and its memory unharmed"""
        self.check_mixed()

    @decorators.idempotent_id('26d4fb09-5ea1-4d8c-bf74-923ec10a8f58')
    @utils.services('compute', 'network')
    def test_to_file(self):
        """Nova alone leaves ERROR, but the guest and its memory unharmed"""
        [destination] = self.destinations
        self.source, self.destinations = destination, [self.source]
        self.check_mixed()
