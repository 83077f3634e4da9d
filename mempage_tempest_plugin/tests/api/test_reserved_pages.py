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

"""Nova leaves large pages alone that are not for guests."""

from tempest.lib import decorators

from mempage_tempest_plugin.changes import pool_size
from mempage_tempest_plugin.declared import pool_shares
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.hosts import pools as host_pools
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import pools
from mempage_tempest_plugin.tests.bases import reconfigured


class TestReservedPages(pools.BasePoolTest):
    """A host to reconfigure: all have the same code, and it takes long."""

    about = which.reconfigurable & which.large_pages
    take = which.first
    pools = leased.CHANGES
    promises = ('reconfigure_hosts', 'fill_pools')
    may_skip = (observed.NO_MORE_PAGES,)

    @decorators.idempotent_id('0e0b6f0e-0f3b-4b44-8a5e-4f8c9a1c2d05')
    def test_new_pages_and_reserved_pages(self):
        """Pages are for guests when nova-compute has started, less reserved

        Known behaviour: nova-compute does not see a pool that changes, since
        it asks libvirt about the host only when it starts.
        """
        self.on_each_host(self.check_host, self.note_pools)
        [host] = self.hosts
        pool = self.all_pools()[0][1]
        grown = self._grow(host, pool)
        self.check_refused([self.request_one(
            pool.node_mib + pool.unit_mib, pool.size_kib, host)])
        # Half of the guests' pages is left only if the new ones count.
        reconfigured.begin(self).apply({host: {
            ('DEFAULT', 'reserved_huge_pages'): pool_shares.reserve_all_but(
                self.before(host), grown, pool.half_mib)}})
        self.check_refused([self.request_one(
            pool.more_than_half(), pool.size_kib, host)])
        self.check_active([self.request_one(
            pool.half_mib, pool.size_kib, host)])
        self.delete_servers()

    def _grow(self, host, pool):
        """Give a pool more pages on one node, until the end of the test."""
        # Half of the guests' pages need not fit on another one.
        node = host_pools.largest(self.before(host).pools, pool.size_kib)
        wanted = node.persistent + pool.unit_mib * 1024 // pool.size_kib
        self.addCleanup(pool_size.put_back, host)
        given = pool_size.change(host, node, wanted)
        if given != wanted:
            observed.skip(
                self, observed.NO_MORE_PAGES, 'host %s has %d of %d KiB on a '
                'node, not %d' % (host.name, given, pool.size_kib, wanted))
        self.note_pools(host)
        return node
