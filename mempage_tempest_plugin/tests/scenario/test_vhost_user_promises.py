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

"""Guests that no switch can map the memory of, and who keeps them away."""

from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.declared import aggregate_filter
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import consumers
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import connected
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import observed

#: Who refuses a guest whose port could not work.
REFUSING = which.vhost_user & ~which.file_backed & ~which.no_page_size
FILTERED = which.vhost_user & which.large_pages & which.no_page_size
# How many servers may go where they like.
SERVERS = 2


class _BaseConnectedTest(base.BaseMemoryTest):
    """Servers that have a port, and ask for no page size."""

    promises = ('vhost_user',)
    needs_network = True

    def setUp(self):
        super().setUp()
        self.net = connected.Connected(self)


class TestVhostUserOrdinary(_BaseConnectedTest):
    """Hosts that give ordinary memory to guests, one of each policy."""

    about = (which.vhost_user & ~which.file_backed & which.no_page_size
             & which.logs)
    take = which.one_of_each_policy
    servers_on_host = 1

    @decorators.idempotent_id('c7490a39-bfce-4373-b99e-0d0cb03fe373')
    @utils.services('compute', 'network')
    def test_guest_has_no_network(self):
        """libvirt refuses the guest, or before 11.2.0 it hears nothing"""
        self.on_each_host(self.net.boot, self._check)

    def _check(self, host):
        version, _ = host.libvirt.versions()
        if consumers.refuses_private_memory(version):
            self._check_refused(host)
        else:
            self._check_silent(host)

    def _check_refused(self, host):
        """Assert that libvirt says why, and who hears of that."""
        server = self.server_on(host)
        self.nova.settle([server])
        self.assert_agrees(consumers.compare_refused(
            host.name, server, host.errors_of(server.uuid),
            actions.left_allocated(server.uuid, self.cloud,
                                   host.declared.limit)))
        base.check_absent(self, host, server.uuid)

    def _check_silent(self, host):
        """Assert that the guest runs, and nobody hears of it."""
        self.wait_until_active(host)
        self.net.check_port(host)
        server = self.server_on(host)
        try:
            self.net.connect(server)
            silent = False
        except exceptions.GuestError:
            silent = True
        comparison = facts.Comparison(
            'in the guest of server %s' % server.uuid, host.name, server.uuid)
        comparison.equal('guest', 'no network', True, silent)
        self.assert_agrees(comparison)


class _BaseKeptAwayTest(_BaseConnectedTest):
    """Servers that ask for no page size, and may go to some hosts.

    Of these, one has vhost-user ports and no memory for such a guest that a
    switch could map, the others have.
    """

    # One more is sent to the host that must not get it, and again.
    servers_on_host = SERVERS + 2
    #: A which.Condition: who must not get them.
    keeps_away = None

    @classmethod
    def choose(cls, hosts, peers):
        chosen = super().choose(hosts, peers)
        for wanted in cls.keeps_away, which.vhost_user & which.file_backed:
            if not any(map(wanted, chosen)):
                joined.skip(cls, wanted)
        return chosen

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.kept = cls.create_flavor(
            {**cls.extra_specs, **base.keep_to(cls, cls.hosts)})

    @property
    def forbidden(self):
        """The compute_host.ComputeHost that must not get them."""
        [host] = [host for host in self.hosts
                  if self.keeps_away(host.declared)]
        return host

    def send(self, **kwargs):
        """Request a server on the host that must not get it, and wait.

        That none of those gets there that go where they like says little: the
        scheduler may prefer other hosts, which have more memory.

        :param kwargs: as of servers.Servers.request
        :returns: the servers.RequestedServer
        """
        server = self.net.boot(self.forbidden, flavor=self.kept, **kwargs)
        self.nova.settle([server])
        return server

    def check_refused(self, server, *words):
        """Assert that a server was refused for its memory.

        :param server: the servers.RequestedServer
        :param words: texts, one of which the fault has to have
        """
        host = self.forbidden.name
        comparison = facts.Comparison(
            'server %s, without page size, for %s' % (server.uuid, host),
            host, server.uuid)
        comparison.equal('nova', 'status', 'ERROR', server.status)
        comparison.holds('nova', 'fault', ' or '.join(words), server.fault,
                         any(text in server.fault for text in words))
        self.assert_agrees(comparison)

    def check_all_connected(self):
        """Assert that all servers run where they have a network."""
        servers = [self.net.boot(None, flavor=self.kept)
                   for _ in range(SERVERS)]
        self.nova.settle(servers)
        for server in servers:
            comparison = facts.Comparison(
                'server %s, without page size' % server.uuid, server.host,
                server.uuid)
            comparison.equal('nova', 'status', 'ACTIVE', server.status)
            comparison.equal('nova', 'fault', '', server.fault)
            comparison.holds(
                'nova', 'host', 'one where it has a network', server.host,
                server.host in self.inventory.hosts and which.file_backed(
                    self.inventory.hosts[server.host]))
            self.assert_agrees(comparison)
            self.net.check_connected(compute_host.get(
                self.inventory.hosts[server.host],
                base.CONF.mempage.host_timeout), server)


class TestVhostUserAllowedPages(_BaseKeptAwayTest):
    """A host that allows large pages only, and all file-backed ones."""

    promises = ('allowed_memory_pagesize',)
    keeps_away = REFUSING
    about = which.vhost_user & (which.file_backed | REFUSING)
    take = (which.among(REFUSING, which.first)
            + which.among(which.file_backed, which.each))

    @decorators.idempotent_id('dc12e2d8-fa79-4d9a-a24b-56b4fa3f17cb')
    @utils.services('compute', 'network')
    def test_guests_have_a_network(self):
        """Nobody is where packets would not get through"""
        # Nova forwards the host's own words where it asks no other host.
        self.check_refused(
            self.send(forced=True), page_sizes.Refusal.NO_PAGE_SIZE.value,
            page_sizes.NO_VALID_HOST)
        self.check_all_connected()


class TestVhostUserFiltered(_BaseKeptAwayTest):
    """A host that is in an aggregate for large pages, and file-backed ones."""

    promises = ('aggregate_memory_backing_filter',)
    keeps_away = FILTERED
    about = which.vhost_user & (which.file_backed | FILTERED)
    take = (which.among(FILTERED, which.first)
            + which.among(which.file_backed, which.each))
    alone_on = which.among(FILTERED, which.each)
    may_skip = (observed.IN_AGGREGATES,)

    @decorators.idempotent_id('3e56286d-97a1-437d-a2bf-51313dc4b977')
    @utils.services('compute', 'network')
    def test_guests_have_a_network(self):
        """Nobody is where packets would not get through"""
        client = self.os_admin.aggregates_client
        service = self.services.host_of(self.forbidden.name)
        aggregates.remove_left_of(client, [service])
        if service in aggregates.hosts_with(client, aggregate_filter.KEY):
            observed.skip(self, observed.IN_AGGREGATES, self.forbidden.name)
        # The scheduler says the same of a host that is disabled or full.
        self.assertNotIn(page_sizes.NO_VALID_HOST, self.send().fault,
                         'a server for %s before that is in an aggregate'
                         % self.forbidden.name)
        self.delete_requested()
        with aggregates.Aggregate(
                client, [service], {aggregate_filter.KEY: page_sizes.LARGE}):
            self.check_refused(self.send(), page_sizes.NO_VALID_HOST)
            self.check_all_connected()
