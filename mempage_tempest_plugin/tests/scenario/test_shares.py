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

"""Shares of Manila in guests whose memory virtiofsd can map."""

from tempest.common import utils
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.cloud import shares
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import consumers
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import remains
from mempage_tempest_plugin.tests.bases import shared


class _BaseSharesTest(base.BaseMemoryTest):
    """Servers that have a share."""

    promises = ('shares',)
    min_microversion = shares.MICROVERSION
    needs_network = True
    servers_on_host = 1

    @classmethod
    def resource_setup(cls):
        shared.take_turns(cls)
        super().resource_setup()

    def setUp(self):
        super().setUp()
        self.shared = shared.SharedWithGuests(self)

    def check_attachable(self, host):
        """Assert that Nova has to attach shares there."""
        self.assert_agrees(consumers.compare_attachable(
            host.declared, self.cloud.provider(host.name)))


class _BaseGuestsTest(_BaseSharesTest):
    """Guests with one kind of memory."""

    def check_both_sides(self):
        """Assert that a share works on both sides until it is detached."""
        self._attach_and_use()
        self.on_each_host(
            self.shared.detach, self.shared.check_nothing_left,
            self._start_without, self.shared.check_memory,
            self._check_no_share)

    def check_deleted(self, before=(), running=(), after=()):
        """Assert that nothing of it is left of a server that is deleted.

        :param before: steps before there is a server
        :param running: steps while it runs
        :param after: steps when it is gone
        """
        self._attach_and_use(*before)
        self.on_each_host(
            *running, self.delete, self.wait_until_deleted, *after,
            self._check_ended, self.shared.check_nothing_left)

    def _check_ended(self, host):
        server = self.server_on(host).uuid
        self.assert_soon_agrees(
            host, lambda host: consumers.compare_ended(
                host.name, server, host.pids(server)), shared.GONE_TIMEOUT)

    def _attach_and_use(self, *before):
        self.on_each_host(
            self.check_attachable, *before, self.shared.boot,
            self.wait_until_active, self.shared.attach, self.shared.start,
            self.shared.enter, self.shared.check_both_sides,
            self.shared.check_memory)

    def _start_without(self, host):
        self.nova.act(self.server_on(host).uuid, 'start_server', 'ACTIVE')

    def _check_no_share(self, host):
        server = self.server_on(host).uuid
        self.assert_agrees(consumers.compare_shares(
            host.name, server, [], self.shared.tags(host)))


class TestSharesInFiles(_BaseGuestsTest):
    """File-backed hosts, one of each file system."""

    about = which.file_backed
    take = which.one_of_each_file_system

    @decorators.idempotent_id('16e33a3c-4629-4958-a238-a0fd04b85c1c')
    @utils.services('compute', 'network')
    def test_both_sides(self):
        """Guest and host read each other's files, until it is detached"""
        self.check_both_sides()

    @decorators.idempotent_id('ff74bce1-7874-4644-b065-0b49ce112730')
    @utils.services('compute', 'network')
    def test_deleted_with_its_share(self):
        """Neither mount nor virtiofsd nor access is left of a guest"""
        left = remains.Remains(self)
        self.check_deleted([left.note_space], [left.note_files],
                           [left.check_none])


class TestSharesInPages(_BaseGuestsTest):
    """A host with large pages for guests."""

    about = which.large_pages
    take = which.first
    pools = leased.TAKES
    request = page_sizes.LARGE

    @decorators.idempotent_id('abae001b-c2d5-4fbb-80cc-b719047b91c4')
    @utils.services('compute', 'network')
    def test_both_sides(self):
        """Guest and host read each other's files, until it is detached"""
        self.check_both_sides()

    @decorators.idempotent_id('702a4fdb-9ce8-4f59-b697-fca1cd66efdc')
    @utils.services('compute', 'network')
    def test_deleted_with_its_share(self):
        """Neither mount nor virtiofsd nor access is left of a guest"""
        self.check_deleted()


class TestSharesBetweenGuests(_BaseSharesTest):
    """A file-backed host, and one with large pages for guests."""

    about = which.shared_memory
    take = (which.among(which.file_backed, which.first)
            + which.among(~which.file_backed, which.first))
    pools = leased.TAKES

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.flavor_with_pages = cls.create_flavor(
            {}, request=page_sizes.LARGE)

    def page_kib(self, host):
        if host.declared.file_backed:
            return None
        return page_sizes.granted(host.declared, page_sizes.LARGE,
                                  self.server_on(host).ram_mib)

    @decorators.idempotent_id('9f562ecc-83af-456c-89a3-5cab2f0d4ff9')
    @utils.services('compute', 'network')
    def test_one_share(self):
        """A guest reads what one with the other kind of memory has written"""
        for wanted in which.file_backed, which.large_pages:
            if not any(wanted(host.declared) for host in self.hosts):
                joined.skip(self, wanted)
        created = self.shared.create()
        self.on_each_host(self._boot, self.wait_until_active)
        for host in self.hosts:
            self.shared.attach(host, created)
        self.on_each_host(self.shared.start, self.shared.enter)
        one, other = self.hosts
        self.shared.check_passed_on(one, other)
        self.shared.check_passed_on(other, one)

    def _boot(self, host):
        self.shared.boot(host, flavor=(
            self.flavor if host.declared.file_backed
            else self.flavor_with_pages))


class TestSharesRefused(base.BaseMemoryTest):
    """Hosts with ordinary memory for guests, one of each policy."""

    about = ~which.file_backed & which.no_page_size
    take = which.one_of_each_policy
    promises = ('shares',)
    min_microversion = shares.MICROVERSION
    servers_on_host = 1
    needs_system = False

    @decorators.idempotent_id('e826ad1e-8a62-4a55-a01c-9036f371c435')
    @utils.services('compute')
    def test_not_attached(self):
        """The API refuses a share for memory that nobody can map, and why"""
        self.shared = shared.Shared(self)
        self._share = self.shared.create()
        self.on_each_host(self.boot, self.wait_until_active, self._attach,
                          self._start, self.check_evidence)

    def _attach(self, host):
        server = self.server_on(host).uuid
        try:
            self.shared.attach(host, self._share)
            reason = 'it was accepted'
        except lib_exc.Conflict as error:
            reason = str(error)
        comparison = facts.Comparison(
            'host %s, server %s, a share for it' % (host.name, server),
            host.name, server)
        comparison.holds('nova', 'reason', shared.NOT_ATTACHABLE, reason,
                         shared.NOT_ATTACHABLE in reason)
        comparison.equal('nova', 'its shares', {},
                         self.shared.attachments.statuses(server))
        self.assert_agrees(comparison)

    def _start(self, host):
        self.nova.act(self.server_on(host).uuid, 'start_server', 'ACTIVE')


# What Nova does to no server that has a share.
_REFUSED = ('live_migrate_server', 'suspend_server', 'shelve_server',
            'rebuild_server')


class _BaseMovesTest(base.BaseMoveTest):
    """A server that has a share, and another host that could take it."""

    promises = ('shares',)
    min_microversion = shares.MICROVERSION
    features = ('cold_migration',)
    go_to = which.alike
    take = which.first

    @classmethod
    def resource_setup(cls):
        shared.take_turns(cls)
        super().resource_setup()

    def setUp(self):
        super().setUp()
        self.shared = shared.Shared(self)

    def start_with_share(self):
        """Boot the server, and attach a share to it."""
        self.start()
        self.shared.attach(self.source)
        self.shared.start(self.source)

    def check_refused(self):
        """Assert that the API refuses what Nova cannot do, and does not."""
        self.start_with_share()
        pids = self.source.pids(self.server.uuid)
        arguments = {
            'live_migrate_server': self.nova.to_live(
                self.destinations[0].name),
            'rebuild_server': {'image_ref': self.image}}
        for method in _REFUSED:
            self._check_conflict(method, arguments.get(method, {}))
        self.assertEqual(pids, self.source.pids(self.server.uuid),
                         'QEMU processes of server %s' % self.server.uuid)
        self.shared.check_attached(self.source)

    def _check_conflict(self, method, arguments):
        comparison = facts.Comparison(
            'server %s, %s with a share' % (self.server.uuid, method),
            self.source.name, self.server.uuid)
        try:
            getattr(self.nova.client, method)(self.server.uuid, **arguments)
            reason = 'it was accepted'
        except (lib_exc.BadRequest, lib_exc.Conflict) as error:
            # Nova 34 has 400 for some, and 409 for others.
            reason = str(error)
        comparison.holds('nova', 'reason', shared.NOT_WITH_SHARES, reason,
                         shared.NOT_WITH_SHARES in reason)
        self.assert_agrees(comparison)

    def check_cold_migration(self):
        """Assert that Nova moves the server, or refuses that before 34."""
        self.start_with_share()
        [host] = self.destinations
        if not self.services.knows(shares.MOVES_SINCE):
            self._check_conflict('migrate_server', self.nova.to(host.name))
            self.shared.check_attached(self.source)
            return
        self.act('VERIFY_RESIZE', 'migrate_server', **self.nova.to(host.name))
        self.server.host = host.name
        self.act('ACTIVE', 'confirm_resize_server')
        self.check_moved(self.source, host)
        self.shared.check_not_there(self.source, self.server.uuid)
        self.shared.check_attached(host)


class TestSharesMovedInFiles(_BaseMovesTest):
    """A file-backed host, and another one."""

    start_on = which.file_backed

    @decorators.idempotent_id('996db9ef-3783-4f7e-a771-1dc157bd2793')
    @utils.services('compute')
    def test_refused(self):
        """The API refuses what Nova cannot do to a server with a share"""
        self.check_refused()

    @decorators.idempotent_id('dffd49cd-24ab-4e07-b240-97fed7ffe33d')
    @utils.services('compute')
    def test_cold_migration(self):
        """Nova 34 takes the share along, Nova 31 to 33 refuse to move it"""
        self.check_cold_migration()


class TestSharesMovedInPages(_BaseMovesTest):
    """A host with large pages for guests, and another one."""

    request = page_sizes.LARGE
    pools = leased.TAKES
    go_to = which.common_large_pages

    @decorators.idempotent_id('0d100182-e5ed-430d-a6f4-3063690eb65f')
    @utils.services('compute')
    def test_refused(self):
        """The API refuses what Nova cannot do to a server with a share"""
        self.check_refused()

    @decorators.idempotent_id('19a3a7f5-b2a5-4f96-89cd-13437d0009c5')
    @utils.services('compute')
    def test_cold_migration(self):
        """Nova 34 takes the share along, Nova 31 to 33 refuse to move it"""
        self.check_cold_migration()
