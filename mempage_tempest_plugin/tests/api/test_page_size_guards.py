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

"""What cannot work is refused, and the server stays what it was."""

from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin import aggregates
from mempage_tempest_plugin import conditions
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import moving

CONF = config.CONF

# What nova_mempage tells guests that ask for no page size.
NO_PAGE_SIZE = 'set hw:mem_page_size'


class WithoutPagesTest(moving.BaseMoveTest):
    """guests with large pages, and a host that has none for them"""

    request = page_sizes.LARGE

    @classmethod
    def is_destination(cls, host, source):
        # Nova takes the pools of a file-backed host for usable.
        return (not page_sizes.large(host)
                and not (host.file_backed and host.pools))


class TestColdMigrationWithoutPages(WithoutPagesTest):
    """guests with large pages, and a host that has none for them"""

    features = ('cold_migration',)

    @decorators.idempotent_id('0a5c2f3e-6b1d-4e8f-9c7a-1b2d3e4f5a60')
    def test_refused(self):
        """The server stays where it has its pages"""
        self.start()
        for host in self.destinations:
            self.check_refused(host, 'migrate_server', **self.to(host))


class TestLiveMigrationWithoutPages(WithoutPagesTest):
    """guests with large pages, and a host that has none for them"""

    features = ('live_migration',)

    @decorators.idempotent_id('5d9b7c1e-2f3a-4b6c-8d7e-9f0a1b2c3d4e')
    def test_refused(self):
        """The server stays where it has its pages, even if it is forced"""
        self.start()
        self.check_refused(self.destinations[0], 'live_migrate_server',
                           **self.to_live(self.destinations[0]))
        for host in self.destinations:
            # Nova itself does not refuse these: TestLargePagesToFileBacked.
            if not host.declared.file_backed:
                self.check_forced_live_migration_refused(host)


class TestResizeWithoutPages(WithoutPagesTest):
    """guests with large pages, and a host that has none for them"""

    features = ('resize',)

    @decorators.idempotent_id('8f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1')
    def test_refused(self):
        """The server stays as it is if no host has pages of the new size"""
        # No machine knows pages of three times the smallest size.
        flavor = self.create_flavor({'hw:mem_page_size': str(
            3 * self.source.declared.small_page_kib)})
        self.start()
        self.check_refused(self.destinations[0], 'resize_server',
                           flavor['id'])


class GuardTest(moving.BaseMoveTest):
    """Refusals by the driver of nova_mempage."""

    promises = {
        'allowed_memory_pagesize': 'is not set: Nova itself does not refuse '
                                   'this'}

    def check_guarded(self, host, words):
        """Assert that nova-compute refuses a live migration, and says why.

        :param host: the compute_host.ComputeHost that the server must not
            get to
        :param words: what the user is told to do
        """
        reason = self.check_forced_live_migration_refused(host)
        for expected in (words, self.to(self.source)['host'],
                         self.to(host)['host']):
            self.assertIn(expected, reason)


class LiveMigrationGuardTest(GuardTest):
    """Live migrations that libvirt would refuse, or Nova regret."""

    # What the user is told to do.
    words = None
    features = ('live_migration',)

    def check_guards(self):
        """Assert that no destination takes the server, forced or not."""
        self.start()
        for host in self.destinations:
            self.check_guarded(host, self.words)
        self.check_refused(self.destinations[0], 'live_migrate_server',
                           **self.to_live(self.destinations[0]))


class TestLargePagesToFileBacked(moving.ToFileBacked, LiveMigrationGuardTest):
    """guests with large pages, and a file-backed host"""

    request = page_sizes.LARGE
    words = 'choose a host without [libvirt] file_backed_memory'

    @decorators.idempotent_id('17c0a5d4-9b8e-4f7a-8c6d-5e4f3a2b1c0d')
    def test_live_migration(self):
        """The server stays where it has its pages"""
        self.check_guards()


class TestSmallPagesToFileBacked(moving.ToFileBacked, LiveMigrationGuardTest):
    """guests that ask for small pages, and a file-backed host"""

    request = page_sizes.SMALL
    words = 'choose a host without [libvirt] file_backed_memory'

    @decorators.idempotent_id('28d1b6e5-ac9f-4a8b-9d7e-6f5a4b3c2d1e')
    def test_live_migration(self):
        """The server stays where it has ordinary memory"""
        self.check_guards()


class TestOrdinaryToFileBacked(moving.FromOrdinary, moving.ToFileBacked,
                               LiveMigrationGuardTest):
    """guests without page size, an ordinary and a file-backed host"""

    words = 'choose a host without file-backed memory or migrate cold'

    @decorators.idempotent_id('39e2c7f6-bda0-4b9c-8e8f-7a6b5c4d3e2f')
    def test_live_migration(self):
        """The server stays where it has ordinary memory"""
        self.check_guards()


class TestFileBackedToOrdinary(moving.FromFileBacked, moving.ToOrdinary,
                               LiveMigrationGuardTest):
    """guests without page size, a file-backed and an ordinary host"""

    words = 'choose a host with file-backed memory or migrate cold'

    @decorators.idempotent_id('4af3d8a7-ceb1-4cad-9f9a-8b7c6d5e4f30')
    def test_live_migration(self):
        """The server stays where its memory is in a file"""
        self.check_guards()


class NoPageSizeTest(moving.FromOrdinary, GuardTest):
    """guests without page size, and a host that allows only large pages"""

    @classmethod
    def is_destination(cls, host, source):
        return (not moving.can_have(host, None)
                and moving.can_have(host, page_sizes.LARGE))


class TestNoPageSizeForced(NoPageSizeTest):
    """guests without page size, and a host that allows only large pages"""

    @decorators.idempotent_id('6cb5fac9-e0d3-4ecf-9bbc-ad9e8f7a6b52')
    def test_forced_live_migration(self):
        """nova-compute refuses what the scheduler has not judged"""
        self.start()
        for host in self.destinations:
            self.check_guarded(host, NO_PAGE_SIZE)


@decorators.serial
class TestNoPageSizeUnfiltered(NoPageSizeTest):
    """guests without page size, and a host that allows only large pages

    Each test has a server of its own, as after a refused resize Nova would
    not unshelve one. They are booted at the same time.
    """

    features = ('cold_migration', 'live_migration', 'resize', 'shelve')

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        moving.skip_unless_unshelved_on_host()

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        if CONF.mempage.aggregate_memory_backing_filter:
            cls._open_filter()
        cls.booted = [cls.request_on(cls.source) for name in dir(cls)
                      if name.startswith('test_')]
        cls.addClassResourceCleanup(cls.delete_servers, list(cls.booted))

    @classmethod
    def _open_filter(cls):
        """Let the filter pass everything: what aggregates allow adds up."""
        client = cls.os_admin.aggregates_client
        aggregates.remove_left(client)
        aggregate = aggregates.Aggregate(
            client, [cls.services.host_of(host.name)
                     for host in cls.destinations],
            {'MemoryBacking': 'small,large'})
        aggregate.setUp()
        cls.addClassResourceCleanup(aggregate.cleanUp)

    def start(self):
        self.servers[self.source.name] = self.booted.pop()
        self.wait_until_active(self.source)
        self.check_evidence(self.source)

    @decorators.idempotent_id('7dc60bda-f1e4-4fd0-8ccd-be0f9a8b7c63')
    def test_migrations(self):
        """The server stays, and the reason is told"""
        self.start()
        for host in self.destinations:
            self._check_reason(self.check_refused(
                host, 'migrate_server', **self.to(host)))
            self._check_reason(self.check_refused(
                host, 'live_migrate_server', **self.to_live(host)))

    @decorators.idempotent_id('8ed71ceb-02f5-40e1-9dde-cf10ab9c8d74')
    def test_resize(self):
        """The server stays if there is no other host for its new flavor"""
        self.start()
        for host in self.destinations:
            trait = self.useFixture(conditions.Trait(
                self.os_admin, [self.cloud.provider(host.name).uuid]))
            flavor = self.create_flavor({'trait:%s' % trait.name: 'required'})
            self._check_reason(self.check_refused(host, 'resize_server',
                                                  flavor['id']))

    @decorators.idempotent_id('9fe82dfc-1306-41f2-8eef-d021bcad9e85')
    def test_unshelve(self):
        """The server stays SHELVED_OFFLOADED, and comes back elsewhere"""
        self.start()
        self.shelve()
        for host in self.destinations:
            self._check_reason(self.reason(
                self.unshelve('SHELVED_OFFLOADED', host),
                'server %s: unshelving on host %s was not refused' % (
                    self.server, host.name)))
            self.check_absent(host)
        self.unshelve('ACTIVE', self.source)
        self.check_evidence(self.source)

    @decorators.idempotent_id('a0f93e0d-2417-4203-9ff0-e132cdbeaf96')
    def test_evacuate(self):
        """The server stays as it was"""
        self.start()
        self.useFixture(conditions.ForcedDown(
            self.os_admin, self.services, self.source.name,
            CONF.compute.build_timeout))
        for host in self.destinations:
            self._check_reason(self.check_refused(
                host, 'evacuate_server', **self.to(host)))

    def _check_reason(self, reason):
        self.assertIn(NO_PAGE_SIZE, reason)
