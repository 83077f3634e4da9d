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


"""What becomes of large pages that others want, or that nobody gives back."""

from tempest.common import utils
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators
from testtools import content

from mempage_tempest_plugin.changes import held_pages
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import fates
from mempage_tempest_plugin.evidence import pool_counts
from mempage_tempest_plugin.hosts import pools as host_pools
from mempage_tempest_plugin.tests.bases import ends
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import pools
from mempage_tempest_plugin.tests.bases import reachable
from mempage_tempest_plugin.tests.bases import survival

# What QEMU says.
NO_PAGES = 'unable to map backing store for guest RAM'
# Seconds that a guest may need to give back what is free.
NOTICE_TIMEOUT = 60
# What is left for a guest that takes more while others take the rest.
LEFT_MIB = 16


class _BasePagesTest(pools.BasePoolTest):
    """Tests that take a host's large pages away, or kill their guests."""

    about = which.large_pages
    take = which.first
    promises = ('fault_injection',)
    request = page_sizes.LARGE

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        [cls.host] = cls.hosts

    def setUp(self):
        super().setUp()
        self.on_each_host(self.check_host, self.note_pools)

    def boot_one(self):
        """Have a server whose pages are counted.

        :returns: the servers.RequestedServer
        """
        server = self.boot(self.host)
        server.size_kib = page_sizes.granted(
            self.host.declared, self.request, server.ram_mib)
        self.check_active([server])
        self.check_evidence(self.host)
        return server

    def report(self, name, text):
        """Attach a text to the test's result."""
        self.addDetailUniqueName(name, content.text_content(text + '\n'))


class TestPagesReservedByOthers(_BasePagesTest):
    """A host with large pages for guests: Nova and QEMU have one way."""

    promises = ('fill_pools',)

    @decorators.idempotent_id('067a7735-3cef-4efa-9142-eac15167fcb7')
    def test_reserved_but_not_taken(self):
        """Hazard: Nova hands out free pages that a process has reserved

        The server fails when QEMU starts, and leaves nothing behind.
        """
        pool = self.all_pools()[0][1]
        ram_mib = pool.half_mib
        with held_pages.HeldPages(
                self.host, pool.size_kib,
                self._free(pool) - ram_mib * 1024 // pool.size_kib + 1):
            self._check_refused(self.boot(
                self.host, forced=True,
                flavor=self.flavor_of(ram_mib, pool.size_kib)))
        self.servers = []
        self.check_active([self.request_one(ram_mib, pool.size_kib,
                                            self.host)])

    def _free(self, pool):
        return host_pools.free_pages(self.before(self.host).pools,
                                     pool.size_kib)

    def _check_refused(self, server):
        self.nova.settle([server])
        self.report('fault', server.fault)
        self.assertEqual('ERROR', server.status)
        self.assertIn(NO_PAGES, server.fault)
        self.assertEqual({}, actions.left_allocated(
            server.uuid, self.cloud, self.inventory.limit))
        self.assertEqual([], self.host.pids(server.uuid))
        self.check_taken(self.host)


class TestQemuKilledOnPages(_BasePagesTest):
    """A host with large pages for guests."""

    @decorators.idempotent_id('f1f04d55-185f-4cbb-822d-dbfe4ef273d6')
    def test_killed_and_started(self):
        """All pages are back, and the server starts anew, with none of them"""
        memory = survival.Survival(self)
        server = self.boot_one()
        memory.mark(self.host)
        self._kill(server)
        self.nova.wait_for(server.uuid, 'SHUTOFF')
        self.servers = []
        self.check_taken(self.host)
        self.servers = [server]
        self.nova.act(server.uuid, 'start_server', 'ACTIVE')
        self.check_evidence(self.host)
        self.on_each_host(memory.check('a kill and a start', fates.NEW))

    @decorators.idempotent_id('ad2270f5-fd74-4f02-8e21-3feb9f13ef58')
    def test_peer_keeps_pages(self):
        """Hazard: who has mapped a guest's pages keeps them when it dies

        As switches and file servers do. Whoever counts is told who has them.
        """
        server = self.boot_one()
        with self._peer(server) as peer:
            self._kill(server)
            self.servers = []
            comparison = self.compare_pools(self.host)
            self.keep(comparison)
            self.report('hazard', str(comparison))
            [who] = [fact.observed for fact in comparison.facts
                     if fact.name == pool_counts.HOLDERS]
            self.assertIn(str(peer.pid), [each.split()[0] for each in who])
        self.check_taken(self.host)

    def _kill(self, server):
        """End QEMU as the kernel does when memory is short."""
        pids = self.host.pids(server.uuid)
        self.assertNotEqual([], pids)
        self.host.ssh.execute(['kill', '-9', *map(str, pids)], root=True)
        self.assertTrue(test_utils.call_until_true(
            lambda: not self.host.pids(server.uuid),
            self.host.declared.limit(self.RELEASE_TIMEOUT), 0.5),
            'QEMU processes %s do not end' % pids)

    def _peer(self, server):
        """Make the fixture of a process that maps the guest's pages, too."""
        memory = fates.look(self.host, server.uuid)
        path, *_ = self.host.mapped(memory.pids[0],
                                    [path for path, _ in memory.files])
        return held_pages.HeldPages(
            self.host, server.size_kib,
            server.ram_mib * 1024 // server.size_kib, path)


class TestPagesGivenBack(reachable.BaseFilledTest):
    """A host with large pages for guests, which others take on purpose."""

    about = which.large_pages
    take = which.first
    alone_on = which.each
    harmful = True
    pools = leased.COUNTS
    may_skip = (observed.NOT_GIVEN_BACK,)
    promises = ('fault_injection', 'fill_pools')
    request = page_sizes.LARGE

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        [cls.host] = cls.hosts
        cls.size_kib = page_sizes.granted(cls.host.declared, cls.request,
                                          cls.flavor['ram'])

    @decorators.idempotent_id('4ae462ae-2c06-47e5-9317-7745383a6caf')
    @utils.services('compute', 'network')
    def test_pages_given_back_are_gone(self):
        """Hazard: QEMU dies if others have the pages of free guest memory"""
        before = self._free()
        server = self.boot_reachable(self.host)
        guest = self.enter(server)
        self.skip_unless_asked(self.host, server)
        self._wait_until_given_back(before - self._pages(server.ram_mib))
        # It cannot be told to begin when there is no memory to listen with.
        guest.fill_slowly(self.filled_mib)
        with held_pages.HeldPages(
                self.host, self.size_kib,
                self._free() - self._pages(LEFT_MIB), touched=True):
            ends.wait_until_crashed(self, self.host)
        self.nova.act(server.uuid, 'start_server', 'ACTIVE')
        self.check_evidence(self.host)

    def _wait_until_given_back(self, free):
        """Wait until the guest has given back half of what it will need.

        :param free: how many pages are free if it has all of its memory
        """
        if not test_utils.call_until_true(
                lambda: self._free() >= free + self._pages(
                    self.filled_mib // 2),
                self.host.declared.limit(NOTICE_TIMEOUT), 1):
            self.fail(reachable.KEEPS_ALL)

    def _free(self):
        return host_pools.free_pages(self.host.survey().pools, self.size_kib)

    def _pages(self, mib):
        return -(-mib * 1024 // self.size_kib)
