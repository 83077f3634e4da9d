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
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import late_refusal
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import live
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import reachable
from mempage_tempest_plugin.tests.bases import reconfigured

CONF = config.CONF

# Seconds in which the writer in the guest has to get one round further.
WRITER_TIMEOUT = 60
ALLOWED, REFUSED_LATE, REFUSED_EARLY = (
    'allowed', 'refused-late', 'refused-early')


class _BaseLiveMigrationTest(reachable.BaseFilledTest, base.BaseMoveTest):
    """Live migrations of a guest that has something in its memory.

    The tests of a class that begin on the same host use the same guest, as
    long as it is fit.
    """

    features = ('live_migration',)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._reused = {}

    def start_filled(self):
        """Have a server with filled memory; part of it goes on changing."""
        # Whoever fails leaves it to nobody.
        reused = self._reused.pop(self.source, None)
        if reused is None:
            self._boot_filled()
            return
        server, self.guest, self.before = reused
        self.use(server)
        self.check_evidence(self.source)
        self.check_guest()

    def reuse(self):
        """Leave the server, which is where it was, to the next test."""
        self._reused[self.source] = self.server, self.guest, self.before

    def boot_guest(self):
        """Get the server that start_filled is about."""
        self.use(self.request_guest_on(self.source))

    @classmethod
    def request_guest_on(cls, host):
        """Request a server on a host; it is deleted after the class.

        :param host: the compute_host.ComputeHost
        :returns: the servers.RequestedServer
        """
        server = cls.request_server(host, **reachable.request(
            reachable.find_network(cls.os_admin),
            cls.get_class_validation_resources(cls.os_admin)))
        cls.addClassResourceCleanup(cls.nova.delete, [server.uuid])
        return server

    def use(self, server):
        """Let a server be the one that the test is about.

        :param server: the servers.RequestedServer
        """
        self.servers = [server]
        self.note_reachable(server, self.get_class_validation_resources(
            self.os_admin))

    def _boot_filled(self):
        self.boot_guest()
        self.guest = self.fill(self.server)
        self.check_evidence(self.source)
        # While the guest is paused there is nothing to race with, and one
        # that writes much, or never rests, takes the CPU from all others.
        if CONF.mempage.live_migrate_running_guests:
            self.guest.start_writer(mib=4, pause=0)
        else:
            self.guest.start_writer(mib=1, pause=1)
        self.before = self.guest.state()
        self._check_state(self.before)

    def check_guest(self):
        """Assert that the guest's memory is what it was, and still works."""
        self._check_state(self.guest.state())

    def _check_state(self, state):
        comparison = facts.Comparison(
            'in the guest of server %s' % self.server.uuid,
            self.server.host, self.server.uuid)
        comparison.equal('guest', 'boot ID', self.before.boot, state.boot)
        comparison.equal('guest', 'digest of the pattern',
                         self.guest.intact(), state.digest)
        comparison.equal('guest', 'what the writer found wrong', '',
                         state.torn)
        comparison.equal('guest', 'complaints of the kernel',
                         self.before.trouble, state.trouble)
        if state.digest != self.guest.intact():
            comparison.equal('guest', 'damage', None, self.guest.damage())
        self.assert_agrees(comparison)
        self._check_writer()

    def _check_writer(self):
        first, last = self.guest.rounds(self.inventory.limit(WRITER_TIMEOUT))
        self.assertGreater(
            last, first,
            'the writer in the guest got no further than round %d' % first)

    def migrate(self, departed, host):
        """Take the running server to another host, with all its memory.

        :param departed: the compute_host.ComputeHost where it is
        :param host: the compute_host.ComputeHost where it has to go
        """
        live.migrate(self, self.guest.client.ip_address, departed, host)
        self.check_moved(departed, host)
        self.check_guest()

    def check_round_trip(self):
        """Assert that the guest keeps its memory on alike hosts, and back."""
        hosts = self._those(which.alike)
        self.start_filled()
        here = self.source
        for host in [*hosts, self.source]:
            self.migrate(here, host)
            here = host
        self.reuse()

    def check_mixed(self):
        """Assert that migrations to other hosts end as declared.

        Memory is unharmed, whatever they end in.
        """
        hosts = self._those(~which.alike)
        if (REFUSED_LATE in map(self.outcome, hosts)
                and self.source.declared.compute_log is None):
            joined.skip(self, 'log of nova-compute on %s (services.'
                        'nova-compute.log or .journal), where libvirt\'s '
                        'reason is' % self.source.name)
        self.start_filled()
        checks = {ALLOWED: self._check_allowed,
                  REFUSED_EARLY: self._check_refused_early,
                  REFUSED_LATE: self._check_refused_late}
        for host in hosts:
            checks[self.outcome(host)](host)
        self.reuse()

    def _those(self, condition):
        """Choose hosts to go to, or skip the test.

        :param condition: a which.Condition on them and where it starts
        :returns: list of compute_host.ComputeHost
        """
        hosts = [host for host in self.destinations
                 if condition(host.declared, self.source.declared)]
        if not hosts:
            observed.skip_left_out(self, observed.OTHER_QEMU)
            joined.skip(self, '%s beside %s' % (condition, self.source.name))
        return hosts

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
        # The scheduler has the same words for whatever it refuses.
        check = (self.check_forced_live_migration_refused if self.request
                 else self.check_live_migration_refused)
        check(host, move_refusals.before_live(
            self.source.declared, host.declared, self.request,
            CONF.mempage.allowed_memory_pagesize))
        self.check_guest()

    def _check_refused_late(self, host):
        """Assert that libvirt refuses, and that only the status suffers."""
        late_refusal.Attempt(self, host).check_refused(
            move_refusals.NOT_ALIKE)
        self.check_guest()


class TestFileBackedLiveMigration(_BaseLiveMigrationTest):
    """From a file-backed host to stores of each type, and to others."""

    start_on = which.file_backed
    go_to = which.file_backed | which.no_page_size
    take = (which.among(which.file_backed, which.one_of_each_file_system)
            + which.among(~which.file_backed, which.one_of_each_policy))

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


class TestOrdinaryLiveMigration(_BaseLiveMigrationTest):
    """From a host with ordinary memory to another one, and to stores."""

    # Such guests have no network where ports are vhost-user ports.
    start_on = ~which.file_backed & ~which.vhost_user
    go_to = which.no_page_size
    take = (which.among(~which.file_backed, which.first)
            + which.among(which.file_backed, which.one_of_each_policy))

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


class TestLargePageLiveMigration(_BaseLiveMigrationTest):
    """From a host with large pages to another one, and to stores."""

    request = page_sizes.LARGE
    pools = leased.TAKES
    go_to = which.file_backed | which.common_large_pages

    def outcome(self, host):
        # Without a pool the scheduler sees at once that there are no pages.
        # With one Nova believes that it can serve them; no guest ever can.
        if CONF.mempage.allowed_memory_pagesize or not host.declared.pools:
            return REFUSED_EARLY
        return REFUSED_LATE

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


class TestLiveMigrationWithoutCheck(_BaseLiveMigrationTest):
    """A file-backed host and an ordinary one, both without the pre-check."""

    promises = ('reconfigure_hosts', 'allowed_memory_pagesize')
    start_on = which.file_backed & which.reconfigurable
    go_to = ~which.file_backed & which.no_page_size & which.reconfigurable
    take = which.first
    alone_on = which.each

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # nova-compute takes its time to start, and so do the guests.
        cls._guests = {host: cls.request_guest_on(host) for host in cls.hosts}
        cls.nova.wait_until_built(
            [server.uuid for server in cls._guests.values()])
        reconfigured.begin(cls).apply({host: {
            ('libvirt', 'refuse_mixed_live_migration'): 'False'}
            for host in cls.hosts})

    def boot_guest(self):
        self.use(self._guests[self.source])

    def outcome(self, host):
        return REFUSED_LATE

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
