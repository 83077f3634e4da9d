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

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import aggregate_filter
from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import evacuation
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import page_size_outcomes

CONF = config.CONF


class _BaseWithoutPagesTest(base.BaseMoveTest):
    """Guests with large pages, and a host that has none for them."""

    request = page_sizes.LARGE
    pools = leased.TAKES
    # Nova takes the pools of a file-backed host for usable.
    go_to = (~which.large_pages & ~(which.file_backed & which.with_pool)
             & which.no_page_size)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.ordinary = cls.create_flavor({}, cls.flavor['ram'])

    def start(self, **kwargs):
        """Boot the server, and see its destinations take ordinary ones.

        Then it is for its pages that they do not take this one: the
        scheduler's words are the same for a host that is disabled or full.
        """
        controls = [self.boot(host, flavor=self.ordinary)
                    for host in self.destinations]
        self.nova.settle(controls)
        self.assertEqual([], [server for server in controls
                              if server.status != 'ACTIVE'],
                         'servers that ask for no page size')
        self.delete_requested()
        self.servers = []
        super().start(**kwargs)


class TestColdMigrationWithoutPages(_BaseWithoutPagesTest):
    """Guests with large pages, and a host that has none for them."""

    features = ('cold_migration',)

    @decorators.idempotent_id('0a5c2f3e-6b1d-4e8f-9c7a-1b2d3e4f5a60')
    def test_refused(self):
        """The server stays where it has its pages"""
        self.start()
        for host in self.destinations:
            self.check_refused(host, move_refusals.NO_PAGES,
                               'migrate_server', **self.nova.to(host.name))


class TestLiveMigrationWithoutPages(_BaseWithoutPagesTest):
    """Guests with large pages, and a host that has none for them."""

    features = ('live_migration',)

    @decorators.idempotent_id('5d9b7c1e-2f3a-4b6c-8d7e-9f0a1b2c3d4e')
    def test_refused(self):
        """The server stays where it has its pages, even if it is forced"""
        self.start()
        self.check_live_migration_refused(self.destinations[0],
                                          move_refusals.NO_PAGES)
        for host in self.destinations:
            # Nova itself does not refuse these: TestLargePagesToFileBacked.
            if not host.declared.file_backed:
                self.check_forced_live_migration_refused(
                    host, move_refusals.NO_PAGES_THERE)


class TestResizeWithoutPages(_BaseWithoutPagesTest):
    """Guests with large pages, and a host that has none for them."""

    features = ('resize',)

    @decorators.idempotent_id('8f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1')
    def test_refused(self):
        """The server stays as it is if no host has pages of the new size"""
        # No machine knows pages of three times the smallest size.
        flavor = self.create_flavor(
            {}, request=3 * self.source.declared.small_page_kib)
        self.start()
        self.check_refused(self.destinations[0], move_refusals.NO_PAGES,
                           'resize_server', flavor['id'])


class _BaseGuardTest(base.BaseMoveTest):
    """Refusals by the driver of nova_mempage: Nova itself lets them pass."""

    promises = ('allowed_memory_pagesize',)

    def check_guarded(self, host, words):
        """Assert that nova-compute refuses a live migration, and says why.

        :param host: the compute_host.ComputeHost that the server must not
            get to
        :param words: texts, one of which tells the user what to do
        """
        reason = self.check_forced_live_migration_refused(host, words)
        for expected in (self.services.host_of(self.source.name),
                         self.services.host_of(host.name)):
            self.assertIn(expected, reason)


class _BaseLiveMigrationGuardTest(_BaseGuardTest):
    """Live migrations that libvirt would refuse, or Nova regret."""

    # Texts, one of which tells the user what to do.
    words = ()
    features = ('live_migration',)

    def check_guards(self):
        """Assert that no destination takes the server, forced or not."""
        self.start()
        for host in self.destinations:
            self.check_guarded(host, self.words)
        # Who asks for pages may get no further than to the scheduler.
        self.check_live_migration_refused(
            self.destinations[0],
            self.words + (move_refusals.NO_PAGES if self.request else ()))


class TestLargePagesToFileBacked(_BaseLiveMigrationGuardTest):
    """Guests with large pages, and a file-backed host."""

    request = page_sizes.LARGE
    pools = leased.TAKES
    go_to = which.file_backed
    words = move_refusals.ASK_FOR_NO_PAGE_SIZE

    @decorators.idempotent_id('17c0a5d4-9b8e-4f7a-8c6d-5e4f3a2b1c0d')
    def test_live_migration(self):
        """The server stays where it has its pages"""
        self.check_guards()


class TestSmallPagesToFileBacked(_BaseLiveMigrationGuardTest):
    """Guests that ask for small pages, and a file-backed host."""

    request = page_sizes.SMALL
    go_to = which.file_backed
    words = move_refusals.ASK_FOR_NO_PAGE_SIZE

    @decorators.idempotent_id('28d1b6e5-ac9f-4a8b-9d7e-6f5a4b3c2d1e')
    def test_live_migration(self):
        """The server stays where it has ordinary memory"""
        self.check_guards()


class TestOrdinaryToFileBacked(_BaseLiveMigrationGuardTest):
    """Guests without page size, an ordinary and a file-backed host."""

    start_on = ~which.file_backed
    go_to = which.file_backed
    words = move_refusals.GO_TO_ORDINARY

    @decorators.idempotent_id('39e2c7f6-bda0-4b9c-8e8f-7a6b5c4d3e2f')
    def test_live_migration(self):
        """The server stays where it has ordinary memory"""
        self.check_guards()


class TestFileBackedToOrdinary(_BaseLiveMigrationGuardTest):
    """Guests without page size, a file-backed and an ordinary host."""

    start_on = which.file_backed
    go_to = ~which.file_backed & which.no_page_size
    words = move_refusals.GO_TO_FILE

    @decorators.idempotent_id('4af3d8a7-ceb1-4cad-9f9a-8b7c6d5e4f30')
    def test_live_migration(self):
        """The server stays where its memory is in a file"""
        self.check_guards()


class _BaseNoPageSizeTest(_BaseGuardTest):
    """Guests without page size, and a host that allows only large pages."""

    start_on = ~which.file_backed
    go_to = which.large_pages & ~which.no_page_size


class TestNoPageSizeForced(_BaseNoPageSizeTest):
    """Guests without page size, and a host that allows only large pages."""

    @decorators.idempotent_id('6cb5fac9-e0d3-4ecf-9bbc-ad9e8f7a6b52')
    def test_forced_live_migration(self):
        """nova-compute refuses what the scheduler has not judged"""
        self.start()
        for host in self.destinations:
            self.check_guarded(host, move_refusals.ASK_FOR_PAGE_SIZE)


class _BaseUnfilteredTest(_BaseNoPageSizeTest):
    """The scheduler sends guests to hosts that allow only large pages."""

    alone_on = which.each
    words = move_refusals.ASK_FOR_PAGE_SIZE

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if page_size_outcomes.has_page_size_filter():
            raise cls.skipException(
                '[compute-feature-enabled] scheduler_enabled_filters has '
                'MemoryPageSizeFilter, which sends no such server to these '
                'hosts')

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        if CONF.mempage.aggregate_memory_backing_filter:
            cls._open_filter()

    @classmethod
    def _open_filter(cls):
        """Let the filter pass everything: what aggregates allow adds up."""
        client = cls.os_admin.aggregates_client
        services = [cls.services.host_of(host.name)
                    for host in cls.destinations]
        aggregates.remove_left_of(client, services)
        aggregate = aggregates.Aggregate(
            client, services, {aggregate_filter.KEY: 'small,large'})
        aggregate.setUp()
        cls.addClassResourceCleanup(aggregate.cleanUp)


class TestNoPageSizeUnfiltered(_BaseUnfilteredTest):
    """Guests without page size, and a host that allows only large pages.

    Each test has a server of its own, as after a refused resize Nova would
    not unshelve one. They are booted at the same time.
    """

    features = ('cold_migration', 'live_migration', 'resize', 'shelve')
    speaks = (servers.UNSHELVE_ON_HOST,)
    # How many tests there are.
    servers_on_host = 3

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.booted = [cls.request_server(cls.source)
                      for _ in range(cls.servers_on_host)]
        cls.addClassResourceCleanup(
            cls.nova.delete, [server.uuid for server in cls.booted])

    def start(self):
        self.servers.append(self.booted.pop())
        self.wait_until_active(self.source)
        self.check_evidence(self.source)

    @decorators.idempotent_id('7dc60bda-f1e4-4fd0-8ccd-be0f9a8b7c63')
    def test_migrations(self):
        """The server stays, and the reason is told"""
        self.start()
        for host in self.destinations:
            self.check_refused(host, self.words, 'migrate_server',
                               **self.nova.to(host.name))
            self.check_live_migration_refused(host, self.words)

    @decorators.idempotent_id('8ed71ceb-02f5-40e1-9dde-cf10ab9c8d74')
    def test_resize(self):
        """The server stays if there is no other host for its new flavor"""
        self.start()
        for host in self.destinations:
            trait = self.useFixture(host_traits.Trait(
                self.os_admin, [self.cloud.provider(host.name).uuid]))
            flavor = self.create_flavor({'trait:%s' % trait.name: 'required'})
            self.check_refused(host, self.words, 'resize_server',
                               flavor['id'])

    @decorators.idempotent_id('9fe82dfc-1306-41f2-8eef-d021bcad9e85')
    def test_unshelve(self):
        """The server stays SHELVED_OFFLOADED, and comes back elsewhere"""
        self.start()
        self.nova.shelve(self.server.uuid)
        for host in self.destinations:
            request = self.nova.unshelve(
                self.server.uuid, 'SHELVED_OFFLOADED', host.name)
            self.reason(
                request, self.words,
                'server %s: unshelving on host %s was not refused'
                % (self.server.uuid, host.name))
            self.check_absent(host)
        self.nova.unshelve(self.server.uuid, 'ACTIVE', self.source.name)
        self.check_evidence(self.source)


class TestNoPageSizeEvacuation(_BaseUnfilteredTest):
    """From a host that Nova takes for down to one that must not take them.

    Nova insists on a restart of nova-compute if it takes them all the same.
    """

    promises = ('fault_injection',)
    start_on = which.reconfigurable
    harmful = True

    @decorators.idempotent_id('a0f93e0d-2417-4203-9ff0-e132cdbeaf96')
    def test_evacuate(self):
        """The server stays as it was"""
        self.start()
        self.useFixture(evacuation.forced_down_source(self))
        for host in self.destinations:
            self.check_refused(host, self.words, 'evacuate_server',
                               **self.nova.to(host.name))
