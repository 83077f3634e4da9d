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

"""A pool of large pages is handed out to the last page, and comes back."""

import collections

from tempest.lib import decorators

from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import pool_shares
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.tests.bases import pools


class TestPoolExhaustion(pools.BasePoolTest):
    """Hosts with a pool of large pages that guests may have."""

    about = which.large_pages
    promises = ('fill_pools',)

    # How many guests come and go; at a time ten, or one in each pool.
    COMERS = 20
    AT_A_TIME = 10
    # MiB with which QEMU starts.
    LITTLE_RAM = 16

    def setUp(self):
        super().setUp()
        self.on_each_host(self.check_host, self.note_pools)

    @decorators.idempotent_id('0e0b6f0e-0f3b-4b44-8a5e-4f8c9a1c2d01')
    def test_fill(self):
        """The last page is handed out, and not one more

        A guest that only its own pages are left for can be rebuilt in them.
        """
        self.on_each_host(self._skip_if_held)
        self.check_refused(self.request_in_each_pool(
            pool_shares.PoolShare.more_than_all))
        self.check_active(self.request_in_each_pool(
            pool_shares.PoolShare.filling))
        self._rebuild_one_on_each_host()
        self.check_refused(self.request_in_each_pool(
            pool_shares.PoolShare.more_than_left))
        self.delete_servers()

    def _skip_if_held(self, host):
        self.skip_if_held(host, sum(pool.mib for other, pool
                                    in self.all_pools() if other is host))

    def _rebuild_one_on_each_host(self):
        # With its own image again, no scheduler would be asked.
        image = self.create_image()
        rebuilt = [self.server_on(host) for host in self.hosts]
        servers.at_once(lambda server: self.nova.act(
            server.uuid, 'rebuild_server', 'ACTIVE', image), rebuilt)
        self.check_active(rebuilt)

    @decorators.idempotent_id('0e0b6f0e-0f3b-4b44-8a5e-4f8c9a1c2d02')
    def test_come_and_go(self):
        """Twenty guests that come and go leave the pools as they were"""
        few = self._a_few()
        for _ in range(0, self.COMERS, len(few)):
            self.check_active(self.request_at_once(few))
            self.delete_servers()

    def _a_few(self):
        pools = [(page_sizes.whole_pages(pool.size_kib, self.LITTLE_RAM),
                  pool, host) for host, pool in self.all_pools()]
        turns = [(ram, pool.size_kib, host)
                 for turn in range(1, self.AT_A_TIME + 1)
                 for ram, pool, host in pools if ram * turn <= pool.node_mib]
        return turns[:max(self.AT_A_TIME, len(pools))]

    @decorators.idempotent_id('0e0b6f0e-0f3b-4b44-8a5e-4f8c9a1c2d03')
    def test_race_on_one_host(self):
        """Of two that race for the last pages of a host one is refused"""
        racers = self.request_in_each_pool(self._one_too_many)
        self.nova.settle(self.servers)
        winners = [server for server in racers if server.status == 'ACTIVE']
        self.assertEqual(
            {(host.name, pool.size_kib): pool.nodes
             for host, pool in self.all_pools()},
            collections.Counter((server.host, server.size_kib)
                                for server in winners))
        # Last: it may skip.
        self.check_refused([server for server in racers
                            if server.status == 'ERROR'], racing=True)

    @staticmethod
    def _one_too_many(pool):
        return [pool.more_than_half()] * (pool.nodes + 1)

    @decorators.idempotent_id('0e0b6f0e-0f3b-4b44-8a5e-4f8c9a1c2d04')
    def test_race_anywhere(self):
        """Who loses the race for the last pages goes elsewhere, or nowhere"""
        # On these hosts: nobody else's pools are known, or leased.
        here = self.useFixture(host_traits.Trait(self.os_admin, [
            self.cloud.provider(host.name).uuid for host in self.hosts]))
        racers = self.request_at_once(self._one_too_many_anywhere(),
                                      **{'trait:%s' % here.name: 'required'})
        self.nova.settle(self.servers)
        for size in {server.size_kib for server in racers}:
            self._check_race([server for server in racers
                              if server.size_kib == size])
        # Last: it may skip.
        self.check_refused([server for server in racers
                            if server.status == 'ERROR'], racing=True)

    def _check_race(self, racers):
        """Assert that no room is left as long as somebody is refused.

        :param racers: list of servers.RequestedServer with the same RAM
        """
        room = {self.services.host_of(host.name): pool.nodes_for(
            racers[0].ram_mib) for host, pool in self.all_pools()
            if pool.size_kib == racers[0].size_kib}
        winners = [server for server in racers if server.status == 'ACTIVE']
        least = sum(nodes for host, nodes in room.items()
                    if host in self._refusing(racers, room))
        comparison = facts.Comparison(
            'race for the last pages of %d KiB' % racers[0].size_kib)
        comparison.holds(
            'nova', 'winners', 'at least %d, of %d for whom there is room' % (
                least, sum(room.values())),
            len(winners), least <= len(winners) <= sum(room.values()))
        self.assert_agrees(comparison)

    def _refusing(self, racers, room):
        """Tell on which hosts somebody is known to have been refused.

        Who was sent from host to host by several schedulers may have no more
        retries before the last one is tried.

        :param racers: list of servers.RequestedServer
        :param room: what has services of hosts
        :returns: set of services
        """
        refusing = set()
        for server in racers:
            if server.fault.startswith(page_sizes.NO_VALID_HOST):
                refusing.update(room)
            elif server.status == 'ERROR':
                refusing.update(actions.builds(self.nova.client, server.uuid))
        return refusing

    def _one_too_many_anywhere(self):
        pools = collections.defaultdict(list)
        for _, pool in self.all_pools():
            pools[pool.size_kib].append(pool)
        return [(max(pool.more_than_half() for pool in found), size, None)
                for size, found in pools.items()
                for _ in range(sum(pool.nodes for pool in found) + 1)]
