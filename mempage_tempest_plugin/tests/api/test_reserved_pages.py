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

from mempage_tempest_plugin.hosts import pool_size
from mempage_tempest_plugin import reserved_pages
from mempage_tempest_plugin.tests import pool_base
from mempage_tempest_plugin.tests import reconfiguring


@decorators.serial
class TestReservedPages(reconfiguring.ReconfiguringTest,
                        pool_base.BasePoolTest):
    """A host to reconfigure, with a pool of pages that guests may have."""

    @classmethod
    def is_about(cls, host):
        return (reconfiguring.ReconfiguringTest.is_about(host)
                and pool_base.BasePoolTest.is_about(host))

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        # All have the same code, and a restart takes long.
        cls.declared = cls.declared[:1]

    def setUp(self):
        super().setUp()
        self.on_each_host(self.check_host, self.note_pools)
        self.host, self.pool = self.all_pools()[0]

    @decorators.idempotent_id('0e0b6f0e-0f3b-4b44-8a5e-4f8c9a1c2d05')
    def test_reserved_pages_stay_free(self):
        """Guests get all but the pages of reserved_huge_pages"""
        self.reconfigure({self.host: {
            ('DEFAULT', 'reserved_huge_pages'): reserved_pages.all_but(
                self.before(self.host), self.pool.size_kib,
                self.pool.half_mib)}})
        self.check_refused([self._request(self.pool.more_than_half())])
        self.check_active([self._request(self.pool.half_mib)])
        self.delete_guests()

    @decorators.idempotent_id('0e0b6f0e-0f3b-4b44-8a5e-4f8c9a1c2d06')
    def test_new_pages_need_a_restart(self):
        """nova-compute sees a pool that has grown only when it starts

        Known behaviour: libvirt's answer about the host is kept as long as
        nova-compute runs.
        """
        self.reconfigure({})
        ram = self.pool.node_mib + self.pool.unit_mib
        self._grow_pool()
        self.on_each_host(self.note_pools)
        self.check_refused([self._request(ram)])
        # Restarted, with the options that it had.
        self.reconfigure({self.host: {}})
        self.check_active([self._request(ram)])
        self.delete_guests()

    def _request(self, ram_mib):
        return self.request(ram_mib, self.pool.size_kib, self.host)

    def _grow_pool(self):
        pool = next(pool for pool in self.before(self.host).pools
                    if pool.size_kib == self.pool.size_kib and pool.total)
        wanted = pool.total + self.pool.unit_mib * 1024 // pool.size_kib
        self.addCleanup(pool_size.change, self.host, pool, pool.total)
        given = pool_size.change(self.host, pool, wanted)
        if given != wanted:
            raise self.skipException(
                'The kernel of host %s gives %d pages of %d KiB, not %d' % (
                    self.host.name, given, pool.size_kib, wanted))
