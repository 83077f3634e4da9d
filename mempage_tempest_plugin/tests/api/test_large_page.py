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

"""Guests that ask for a page size get it, large ones from the pool."""

from tempest.lib import decorators

from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.evidence import server_memory
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import pools


class TestLargePage(base.BaseMemoryTest):
    """Hosts with a pool of large pages that guests may have."""

    about = which.large_pages
    pools = leased.TAKES
    request = page_sizes.LARGE
    # One would give memory back: then a single page would have to do.
    needs_system = False

    @decorators.idempotent_id('9e5f6a4c-6d4a-4a34-8d58-6a1e5f4d8f0b')
    @decorators.attr(type='smoke')
    def test_memory_is_in_large_pages(self):
        """The server's RAM consists of large pages, all of them taken"""
        self.on_each_host(self.check_host, self.check_capacity, self.boot,
                          self.wait_until_active, self.check_evidence)


class TestEveryPageSize(pools.BasePoolTest):
    """Hosts that grant some page size to those who ask for it."""

    about = which.some_page_size

    @decorators.idempotent_id('5a0f0c0e-6f0b-4f0c-9d9e-2f6f3f0c7c11')
    def test_guest_takes_exactly_its_pages(self):
        """The pool has fewer pages by the guest's RAM until that is gone"""
        self.on_each_host(self.check_host, self.check_capacity,
                          self.note_pools)
        self.request_at_once([
            (page_sizes.whole_pages(size, self.flavor['ram']), size, host)
            for host in self.hosts
            for size in sorted(page_sizes.available(host.declared))])
        self.check_active(self.servers)
        self.on_each_host(self._check_evidence_of_all)
        self.delete_servers()

    def _check_evidence_of_all(self, host):
        for server in self.servers:
            if server.host == host.name:
                found = collect.collect(host, server.uuid, server.ram_mib,
                                        self.cloud)
                self.assert_agrees(server_memory.compare(
                    host.declared, found, server.size_kib,
                    system=self.needs_system))
