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

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import facts
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin import pool_counts
from mempage_tempest_plugin import pool_shares
from mempage_tempest_plugin.tests import guests_base

CONF = config.CONF


class BasePoolTest(guests_base.BaseGuestsTest):
    """Tests that must be alone with the pools of all declared hosts."""

    # Seconds that the kernel may need to have the pages back after nova has
    # forgotten the server.
    RELEASE_TIMEOUT = 30

    @classmethod
    def is_about(cls, host):
        return bool(page_sizes.large(host))

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.services = compute_services.ComputeServices(cls.os_admin)

    def setUp(self):
        super().setUp()
        self._before = {}
        self.on_each_host(self.wait_until_counted)

    def wait_until_counted(self, host):
        """Wait until nova-compute takes no page for a guest's that is gone.

        Placement forgets a deleted guest at once, nova-compute that of a move
        only when it looks again. Until then the scheduler refuses its pages.

        :param host: the compute_host.ComputeHost
        """
        self.assert_soon_agrees(host, self._compare_counts,
                                CONF.compute.build_timeout)

    def _compare_counts(self, host):
        comparison = facts.Comparison(
            'host %s, before its pools are filled' % host.name)
        comparison.equal(
            'compute API', 'MiB used, once update_resources_interval is over',
            self.cloud.provider(host.name).memory_reserved
            + self.cloud.used_memory(host.name),
            self.services.used_memory(host.name))
        return comparison

    def note_pools(self, host):
        """Remember how many pages are free, for :meth:`check_taken`."""
        self._before[host.name] = host.survey()

    def before(self, host):
        """Return the survey that :meth:`note_pools` has made."""
        return self._before[host.name]

    def all_pools(self):
        """Return all pools with their hosts.

        :returns: list of (compute_host.ComputeHost, pool_shares.Pool)
        """
        return [(host, pool) for host in self.hosts for pool in
                pool_shares.of_host(host.declared, self._before[host.name])]

    def request_in_each_pool(self, sizes):
        """Request servers on every host.

        :param sizes: function of a pool_shares.Pool that returns a list of
            MiB: a server for each
        :returns: list of :class:`guests_base.Guest`
        """
        return self.request_at_once([
            (ram, pool.size_kib, host) for host, pool in self.all_pools()
            for ram in sizes(pool)])

    def check_taken(self, host):
        """Assert that just the pages of the running guests are taken."""
        self.assert_soon_agrees(host, self._compare_pools,
                                self.RELEASE_TIMEOUT)

    def _compare_pools(self, host):
        pages = pool_counts.taken(
            [(guest.host, guest.size_kib, guest.ram_mib)
             for guest in self.guests if guest.host in self._before],
            {name: before.boot for name, before in self._before.items()})
        before = self._before[host.name]
        return pool_counts.compare(host.declared, before, host.survey(),
                                   pages[before.boot])

    def _evidence_table(self, host):
        if host.name not in self._before:
            return super()._evidence_table(host)
        return '%s\n\n%s' % (self._compare_pools(host),
                             '\n'.join(map(str, self.guests)))
