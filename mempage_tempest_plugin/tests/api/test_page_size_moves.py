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

"""Guests keep their large pages when they move; a resize changes them."""

import contextlib

from tempest.lib import decorators

from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import evacuation
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import pools

# Little, so that tests which run at the same time leave pages for each other.
RAM_MIB = 64


class _BaseLargeToLargeTest(base.BaseMoveTest):
    """Guests with large pages: another host with the same size."""

    request = page_sizes.LARGE
    pools = leased.TAKES
    go_to = which.common_large_pages
    take = which.first

    @classmethod
    def choose(cls, hosts, peers):
        chosen = super().choose(hosts, peers)
        cls.flavor_ram_mib = page_sizes.common_ram(chosen, RAM_MIB)
        return chosen

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        [cls.destination] = cls.destinations

    @classmethod
    def _granted(cls, host):
        return page_sizes.granted(host.declared, cls.request,
                                  cls.flavor['ram'])


class TestPageSizeColdMigration(_BaseLargeToLargeTest):
    """Guests with large pages: another host with the same size."""

    features = ('cold_migration',)

    @decorators.idempotent_id('b7f0a3b7-8c1b-4cb7-8b0b-52cb40a0ef7e')
    def test_cold_migration(self):
        """The guest has the same pages there, and after a revert"""
        self.start()
        self._migrate(self.destination, 'revert_resize_server')
        self.check_moved(self.destination, self.source)
        self._migrate(self.destination, 'confirm_resize_server')
        self.check_moved(self.source, self.destination)

    def _migrate(self, host, decision):
        self.act('VERIFY_RESIZE', 'migrate_server',
                 **self.nova.to(host.name))
        self.act('ACTIVE', decision)


class TestPageSizeLiveMigration(_BaseLargeToLargeTest):
    """Guests with large pages: another host with the same size."""

    features = ('live_migration',)

    @decorators.idempotent_id('1fd1b9a2-6f0f-4f0e-9a0f-5b1f6a7d9a11')
    def test_live_migration(self):
        """The guest has the same pages there and back again"""
        self.start()
        self.migrate_live(self.destination)
        self.check_moved(self.source, self.destination)
        self.migrate_live(self.source)
        self.check_moved(self.destination, self.source)


class TestPageSizeUnshelve(_BaseLargeToLargeTest):
    """Guests with large pages: another host with the same size."""

    features = ('shelve',)
    speaks = (servers.UNSHELVE_ON_HOST,)

    @decorators.idempotent_id('d1a0d3a6-4b8d-4f6c-9a53-4f0d9e6a7c55')
    def test_unshelve_elsewhere(self):
        """The guest has the same pages there"""
        self.start()
        self.nova.shelve(self.server.uuid)
        self.check_absent(self.source)
        self.nova.unshelve(self.server.uuid, 'ACTIVE', self.destination.name)
        self.check_moved(self.source, self.destination)


class TestPageSizeEvacuation(_BaseLargeToLargeTest):
    """From a host that Nova takes for down, and that comes back."""

    promises = ('reconfigure_hosts',)
    start_on = which.reconfigurable
    alone_on = which.first
    harmful = True
    servers_on_host = 2
    room = leased.Room(with_pages=2)

    @decorators.idempotent_id('f88212ec-ddaa-4194-9849-09237b8538e7')
    def test_evacuate(self):
        """Guests whose flavor or image asks have the same pages there"""
        self.start(image=self.create_image(
            hw_mem_page_size=str(self._granted(self.source))))
        self.start()
        evacuation.evacuate(self, self.destination)
        self.check_moved(self.source, self.destination)
        self.check_absent(self.source, self.servers[0])


class TestPagesOfMoved(pools.BasePoolTest, base.BaseMoveTest):
    """From one host to another one, where others want its pages.

    Hosts with pages on several NUMA nodes have tests of their own.
    """

    features = ('cold_migration',)
    promises = ('fill_pools',)
    start_on = which.large_pages & ~which.pages_on_nodes
    go_to = which.common_large_pages & ~which.pages_on_nodes
    take = which.first
    may_skip = (observed.ON_SEVERAL_NODES,)

    @property
    def destination(self):
        return self.destinations[0]

    @decorators.idempotent_id('ce4a1745-d620-4057-b45a-cf2c15dc657f')
    def test_cold_migration(self):
        """Pages are those of just one host's guests, as soon as it is decided

        Before, nobody else gets them on either host.
        """
        self.on_each_host(self.check_host, self.note_pools)
        self._boot()
        self._migrate()
        self._check_taken(self.source, self.destination)
        self.act('ACTIVE', 'revert_resize_server')
        self._check_left(self.destination)
        self._migrate()
        self.act('ACTIVE', 'confirm_resize_server')
        self._check_left(self.source)

    def _boot(self):
        """Have a guest with a few pages: Nova may count them for a while."""
        self.size_kib = min(page_sizes.large(self.source.declared)
                            & page_sizes.large(self.destination.declared))
        self.ram_mib = page_sizes.whole_pages(self.size_kib, RAM_MIB)
        for host in self.hosts:
            if len(self._pool(host).node_pages) > 1:
                observed.skip(
                    self, observed.ON_SEVERAL_NODES, 'that of host %s: nobody '
                    'knows on which a guest has its own' % host.name)
        self.check_active([self.request_one(self.ram_mib, self.size_kib,
                                            self.source)])

    def _pool(self, host):
        return next(pool for where, pool in self.all_pools()
                    if where is host and pool.size_kib == self.size_kib)

    def _migrate(self):
        self.act('VERIFY_RESIZE', 'migrate_server',
                 **self.nova.to(self.destination.name))

    def _check_taken(self, *hosts):
        """Assert that nobody else gets a page of the guest on some hosts."""
        with self._others():
            self.check_refused(self.request_at_once([
                (pool.mib - self.ram_mib + pool.unit_mib, self.size_kib, host)
                for host, pool in ((host, self._pool(host))
                                   for host in hosts)]))

    def _check_left(self, left):
        """Assert that others get all pages on one host, none on the other."""
        self._check_taken(*(host for host in self.hosts if host is not left))
        with self._others():
            other = self.request_one(self._pool(left).node_mib, self.size_kib,
                                     left)
            self.nova.settle(self.servers)
            if other.status != 'ACTIVE':
                self.fail('host %s had to take %s: the guest has left all of '
                          'its pages there' % (left.name, other))
            self.check_active([other])

    @contextlib.contextmanager
    def _others(self):
        """Have other servers than the guest for a while."""
        guest = self.server
        yield
        others = [server for server in self.servers if server is not guest]
        self.servers = [guest]
        self.nova.delete([server.uuid for server in others])
        self.on_each_host(self.check_taken)


class _BaseResizeTest(base.BaseMoveTest):
    """Resizes to a flavor that asks for another page size."""

    # What the other flavor asks for.
    target = None
    features = ('resize',)
    pools = leased.TAKES

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # Known behaviour: the scheduler takes file-backed hosts for able.
        cls.other = cls.create_flavor(
            {**base.keep_to(cls, cls.destinations),
             'trait:%s' % traits.FILE_BACKED: 'forbidden'},
            request=cls.target)

    def check_resized(self):
        """Assert which size the server has after a revert and a resize."""
        self.start()
        destination = self._resize()
        self.act('ACTIVE', 'revert_resize_server')
        self.check_moved(destination, self.source)
        destination = self._resize()
        self.act('ACTIVE', 'confirm_resize_server')
        self.request = self.target
        self.check_moved(self.source, destination)

    def _resize(self):
        self.act('VERIFY_RESIZE', 'resize_server', self.other['id'])
        return self.locate(which.TAKES[self.target])


class TestResizeToLargePages(_BaseResizeTest):
    """Guests with small pages: another host with large ones."""

    request = page_sizes.SMALL
    target = page_sizes.LARGE
    go_to = which.large_pages

    @decorators.idempotent_id('3a0f8c8e-5f0a-4c26-a1b0-6d0f7b8f3f5b')
    def test_resize(self):
        """The guest has small pages after a revert, then large ones"""
        self.check_resized()


class TestResizeToSmallPages(_BaseResizeTest):
    """Guests with large pages: another host with small ones."""

    request = page_sizes.LARGE
    target = page_sizes.SMALL
    go_to = which.small_pages

    @decorators.idempotent_id('9f2b3c4d-1a5e-4f60-8b7c-2d3e4f5a6b7c')
    def test_resize(self):
        """The guest has large pages after a revert, then small ones"""
        self.check_resized()


class TestResizeOnHost(pools.BasePoolTest):
    """The host with most sizes of large pages for guests."""

    about = which.large_pages
    take = which.most_large_pages
    features = ('resize',)
    promises = ('resize_to_same_host',)

    @decorators.idempotent_id('43b75599-27c6-4f68-843b-153b95afecbb')
    def test_resize(self):
        """The guest has more pages, or larger ones, on the same host

        After a revert it has those of before, and the pool all others.
        """
        self.on_each_host(self.check_host, self.note_pools)
        [self.host] = self.hosts
        self.here = {'trait:%s' % self._trait().name: 'required'}
        sizes = sorted(page_sizes.large(self.host.declared))
        ram_mib = page_sizes.whole_pages(sizes[0], RAM_MIB)
        self.check_active([self.request_one(ram_mib, sizes[0], self.host)])
        steps = [(2 * ram_mib, sizes[0])] + [
            (page_sizes.whole_pages(size, RAM_MIB), size)
            for size in sizes[1:]]
        for step in steps:
            self._resize('revert_resize_server', *step)
            self._resize('confirm_resize_server', *step)

    def _trait(self):
        return self.useFixture(host_traits.Trait(
            self.os_admin, [self.cloud.provider(self.host.name).uuid]))

    def _resize(self, decision, ram_mib, size_kib):
        [server] = self.servers
        before = server.ram_mib, server.size_kib
        self.nova.act(server.uuid, 'resize_server', 'VERIFY_RESIZE',
                      self.flavor_of(ram_mib, size_kib, **self.here)['id'])
        self._check('VERIFY_RESIZE', ram_mib, size_kib)
        self.nova.act(server.uuid, decision, 'ACTIVE')
        if decision == 'revert_resize_server':
            ram_mib, size_kib = before
        self._check('ACTIVE', ram_mib, size_kib)

    def _check(self, status, ram_mib, size_kib):
        [server] = self.servers
        server.ram_mib, server.size_kib = ram_mib, size_kib
        self.check_evidence(self.host, status)
        self.check_taken(self.host)

    def page_kib(self, host):
        return self.servers[-1].size_kib
