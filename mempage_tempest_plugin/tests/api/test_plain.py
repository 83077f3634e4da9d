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

"""Guests have ordinary memory where nothing else is declared."""

import math

from tempest.common import compute
from tempest.lib import decorators

from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import ordinary_memory
from mempage_tempest_plugin.tests.bases import amounts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed


class TestPlain(base.BaseMemoryTest):
    """Every host of the inventory without backing store and pools."""

    about = which.plain

    @decorators.idempotent_id('c5f2ce41-3959-475c-b95f-c8e00261395e')
    @decorators.attr(type='smoke')
    def test_capacity(self):
        """Placement hands out the host's RAM and knows of no files"""
        self.on_each_host(self.check_host, self.check_capacity)

    @decorators.idempotent_id('4b2edc0f-f854-438f-bbde-367d71772e33')
    @decorators.attr(type='smoke')
    def test_memory_is_anonymous(self):
        """The server's RAM is anonymous memory of small pages"""
        self.on_each_host(self.check_host, self.boot, self.wait_until_active,
                          self.check_evidence)


class TestPlainBesidePool(base.BaseMemoryTest):
    """Hosts with a pool of large pages that allow small ones."""

    about = ~which.file_backed & which.with_pool & which.no_page_size
    may_skip = (observed.NOT_PROMISED,)

    @decorators.idempotent_id('e4bc008e-1ffd-4c16-8bdd-abc1d985e811')
    def test_memory_is_anonymous(self):
        """Who asks for no page size gets ordinary memory"""
        self.on_each_host(self.check_host, self.check_capacity, self.boot,
                          self.wait_until_active, self.check_evidence)

    @decorators.idempotent_id('f35a41ba-ba92-4ff1-83e5-2d57b034ac0f')
    def test_memory_of_pools_is_handed_out(self):
        """Hazard: Nova hands out the pools' memory to ordinary guests, too

        It fails where the inventory says that it does not.
        """
        self._found = []
        self.on_each_host(self._check_handed_out)
        if not any(host.declared.memory_mb_without_pools
                   for host in self.hosts):
            observed.skip(self, observed.NOT_PROMISED, (
                'no host of %s has memory_mb_without_pools: true\n%s' % (
                    self.inventory.path, '\n'.join(self._found))))

    def _check_handed_out(self, host):
        provider = self.cloud.provider(host.name)
        comparison = ordinary_memory.compare(
            host.declared, host.survey(), provider.memory_total,
            provider.memory_reserved)
        self._found.append(str(comparison))
        self.assert_agrees(comparison)


class TestNodeBesidePool(base.BaseMemoryTest):
    """Hosts with a pool of large pages that allow small ones."""

    # Others have no room in placement for a guest that is too large.
    about = (~which.file_backed & which.with_pool & which.no_page_size
             & ~which.pools_kept_back)
    may_skip = (observed.NO_ROOM, observed.NOT_IN_POOLS)
    needs_system = False
    extra_specs = {'hw:numa_nodes': '1'}
    flavor_ram_mib = 64
    # One is larger than the quota that there is room for otherwise.
    servers_on_host = math.inf

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not compute.is_scheduler_filter_enabled(amounts.NUMA_FILTER):
            raise cls.skipException(
                '[compute-feature-enabled] scheduler_enabled_filters has no '
                + amounts.NUMA_FILTER)

    @decorators.idempotent_id('4488e93e-092a-4dd0-9e53-2bcb907a580e')
    def test_no_more_than_small_pages(self):
        """A guest with a NUMA node cannot have what pools have of a node

        It asks for no page size, and the node has enough memory.
        """
        self.on_each_host(self.boot, self.wait_until_active,
                          self.check_evidence, self._check_refused)

    def _check_refused(self, host):
        beyond = ordinary_memory.beyond_small_pages(host.survey())
        if beyond is None:
            observed.skip(self, observed.NOT_IN_POOLS, 'host %s' % host.name)
        self._skip_without_room(host, beyond)
        server = self.boot(host, flavor=self.create_flavor(
            self.extra_specs, beyond))
        self.nova.settle([server])
        self.assertEqual('ERROR', server.status, server)
        self.assertIn(page_sizes.NO_VALID_HOST, server.fault)
        # Those who came meanwhile may be why.
        self._skip_without_room(host, beyond)

    def _skip_without_room(self, host, wanted):
        room = (self.cloud.provider(host.name).memory_for_guests
                - self.cloud.used_memory(host.name))
        if room < wanted:
            observed.skip(
                self, observed.NO_ROOM, 'it has %d MiB for guests on host %s, '
                'where one needs %d MiB' % (room, host.name, wanted))
