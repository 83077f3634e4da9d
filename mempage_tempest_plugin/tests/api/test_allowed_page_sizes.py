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

"""Hosts give the page sizes that [libvirt] allowed_memory_pagesize allows.

The tests are named after the rows of the specification: MP1 to MP8.
"""

from tempest.lib import decorators

from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import page_size_outcomes

ZONE = page_sizes.Way.ZONE


def _large_size(host):
    """Get the smallest size in KiB that a declared pool has, or None."""
    return min(page_sizes.in_pools(host), default=None)


class TestAllowedPageSizes(page_size_outcomes.BasePageSizeTest):
    """Hosts as they are declared, other than file-backed ones."""

    about = ~which.file_backed
    promises = ('allowed_memory_pagesize',)

    def _check_first(self, condition):
        """Assert what becomes of all ways to ask a host for a page size."""
        host = self.first(condition)
        declared = host.declared
        numbers = {declared.small_page_kib, _large_size(declared)} - {None}
        self.check_requests([None, page_sizes.SMALL, page_sizes.LARGE,
                             *numbers], {host: declared}, ZONE)

    @decorators.idempotent_id('f3d5c3c1-3b61-4b0e-9e5c-5c8b6f0a7a11')
    def test_mp1_the_driver_knows_the_option(self):
        """Traits tell that the option is in effect"""
        self.on_each_host(self._check_declared_traits)

    def _check_declared_traits(self, host):
        self.check_traits(host, host.declared)

    @decorators.idempotent_id('0d1f6f0e-5a54-4d0c-8f39-3b9f3a0c2d12')
    def test_mp2_pages_are_withheld_from_guests_not_from_the_host(self):
        """A host with free pages that are not allowed gives none of them"""
        host = self.first(which.with_withheld_pool)
        size = _large_size(host.declared)
        free = pools.free_pages(host.survey().pools, size)
        self.assertGreaterEqual(free * size, self.ram_mib(size) * 1024)
        self.check_requests([size], {host: host.declared}, ZONE)

    @decorators.idempotent_id('b8e1a8f9-4f5c-4a55-8a0b-1f3f4b6c3e13')
    def test_mp3_small(self):
        """Small: no page size, small and its number; nothing else"""
        self._check_first(which.allowing(page_sizes.SMALL))

    @decorators.idempotent_id('27b0b9c5-0a6e-4a0f-9d8f-6f5a0e7d4f14')
    def test_mp4_large(self):
        """Large: large and its numbers; nothing else"""
        self._check_first(which.allowing(page_sizes.LARGE))

    @decorators.idempotent_id('6a4c8d2e-9a43-4c8b-b2b9-8d6c1f8e5a15')
    def test_mp5_any(self):
        """Any: everything that the host has"""
        self._check_first(which.allowing(page_sizes.ANY) & which.with_pool)

    @decorators.idempotent_id('e5b7f1a3-7c28-4e2f-a6d1-7a9b2c0f6b17')
    def test_mp7_no_page_size_where_large_pages_must_be(self):
        """No guest slips in by not asking, whoever chose the host"""
        host = self.first(~which.no_page_size)
        for way in page_sizes.Way.HOST, ZONE:
            self.check_requests([None], {host: host.declared}, way)

    @decorators.idempotent_id('91d0c2b4-2d7f-4b8e-8c35-0e4d5f6a7c18')
    def test_mp8_small_is_the_smallest_size_of_the_host(self):
        """What small gets is the size of ordinary pages of the kernel"""
        hosts = [host for host in self.hosts
                 if which.small_pages(host.declared)]
        if not hosts:
            joined.skip(self, which.small_pages)
        self.on_each_host(self._check_small_page)
        self.check_requests([page_sizes.SMALL],
                            {host: host.declared for host in hosts}, ZONE)

    def _check_small_page(self, host):
        bytes_ = int(host.ssh.execute(['getconf', 'PAGESIZE']).stdout)
        self.assertEqual(host.declared.small_page_kib, bytes_ // 1024)
