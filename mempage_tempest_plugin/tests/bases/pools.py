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

"""What tests share that count the pages of whole pools."""

from tempest import config

from mempage_tempest_plugin.declared import pool_shares
from mempage_tempest_plugin.evidence import pool_counts
from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.tests.bases import amounts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import counted
from mempage_tempest_plugin.tests.bases import leased

CONF = config.CONF


class BasePoolTest(amounts.BaseAmountTest):
    """Tests that must be alone with the pools of their hosts."""

    pools = leased.COUNTS

    # Seconds that the kernel may need to have the pages back after nova has
    # forgotten the server.
    RELEASE_TIMEOUT = 30

    def setUp(self):
        super().setUp()
        self._before = {}
        self.on_each_host(self.wait_until_counted)

    @base.in_turn
    def wait_until_counted(self, host):
        """Wait until nova-compute takes no page for a guest's that is gone.

        Placement forgets a deleted guest at once, nova-compute that of a move
        only when it looks again. Until then the scheduler refuses its pages.

        :param host: the compute_host.ComputeHost
        """
        self.assert_soon_agrees(host, self._compare_counts,
                                CONF.compute.build_timeout)

    def _compare_counts(self, host):
        # Nova knows nothing of what placement holds for nobody.
        due, used = counted.memory(self, host)
        return pool_counts.compare_used(
            host.name, due, base.memory_of_nobody(self, host), used)

    def note_pools(self, host):
        """Remember how many pages are free, for :meth:`check_taken`.

        Those for guests have to be. The guests of other tests are deleted,
        but the kernel may not have their pages yet.
        """
        self.assert_soon_agrees(host, self._compare_untaken,
                                self.RELEASE_TIMEOUT)

    def _compare_untaken(self, host):
        self._before[host.name] = survey = host.survey()
        others = [other.declared for other in self.hosts
                  if other is not host and other.kernel == host.kernel]
        return pool_counts.compare_untaken([host.declared, *others], survey)

    def before(self, host):
        """Return the survey that :meth:`note_pools` has made."""
        return self._before[host.name]

    def all_pools(self):
        """Return all pools with their hosts.

        :returns: list of (compute_host.ComputeHost, pool_shares.PoolShare)
        """
        return [(host, pool) for host in self.hosts for pool in
                pool_shares.of_host(host.declared, self._before[host.name])]

    def request_in_each_pool(self, sizes):
        """Request servers on every host.

        :param sizes: function of a pool_shares.PoolShare that returns a list
            of MiB: a server for each
        :returns: list of servers.RequestedServer
        """
        return self.request_at_once([
            (ram, pool.size_kib, host) for host, pool in self.all_pools()
            for ram in sizes(pool)])

    def check_taken(self, host):
        """Assert that just the pages of the running guests are taken."""
        self.assert_soon_agrees(host, self.compare_pools,
                                self.RELEASE_TIMEOUT)

    def compare_pools(self, host):
        """Compare free pages with what the running guests leave.

        :param host: the compute_host.ComputeHost
        :returns: a facts.Comparison, which names who else has pages if some
            are missing
        """
        pages = pool_counts.taken(
            [(server.host, server.size_kib, server.ram_mib)
             for server in self.servers if server.host in self._before],
            {name: before.boot for name, before in self._before.items()})
        before = self._before[host.name]
        comparison = pool_counts.compare(host.declared, before,
                                         host.survey(), pages[before.boot])
        if comparison.disagreements:
            guests = host.survey(guests=list(host.libvirt.running()))
            pool_counts.compare_holders(comparison, page_holders.find(host),
                                        guests.processes.values())
        return comparison

    def evidence_table(self, host):
        if host.name not in self._before:
            return super().evidence_table(host)
        return self.table_of_servers(self.compare_pools(host))
