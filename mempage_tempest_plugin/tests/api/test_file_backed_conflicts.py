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

"""What a file-backed host cannot give is refused, and leaves nothing.

The hosts declare more than their stores have, more than their machines have,
and large pages: so the scheduler takes them for able, and prefers them.
"""

from oslo_utils import units
from tempest import config
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import page_size_outcomes
from mempage_tempest_plugin.tests.bases import reconfigured
from mempage_tempest_plugin.tests.bases import stores

CONF = config.CONF
Refusal = page_sizes.Refusal
# What a host's memory weighs. More than any other thing, even than a build
# that failed on it: [filter_scheduler] build_failure_weight_multiplier.
PREFERENCE = 10 ** 7
# RAM of a guest that is looked at: more than any library that QEMU maps.
ORDINARY_MIB = 64


class TestFileBackedConflicts(stores.BaseStoreTest):
    """File-backed hosts that can be reconfigured, one of each file system."""

    about = which.reconfigurable
    take = which.one_of_each_file_system
    promises = ('reconfigure_hosts',)
    # One test sends servers on to a host that is not file-backed.
    anywhere = True
    room = leased.Room(in_files=0)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.surveys = {host.name: host.survey_store() for host in cls.hosts}
        reconfigured.begin(cls).apply({
            host: cls._too_much(host) for host in cls.hosts})

    @classmethod
    def _too_much(cls, host):
        survey = cls.surveys[host.name]
        capacity = 2 * max(survey.memory_mib,
                           survey.store.total // units.Mi)
        return {('libvirt', 'file_backed_memory'): str(capacity),
                ('DEFAULT', 'reserved_huge_pages'): None}

    def setUp(self):
        super().setUp()
        self.on_each_host(self.note_store)

    @decorators.idempotent_id('2e1b4d6f-8c75-4a2f-8b66-4a1e7d3c9f01')
    def test_store_too_small(self):
        """Who does not fit leaves no file, and the host goes on"""
        self.check_active(self._request_little())
        self.on_each_host(self.note_processes, self._make_small)
        self.check_refused([
            self.request_forced(self._small_mib(host) + 1, host)
            for host in self.hosts], stores.NO_SPACE)
        self.on_each_host(self.check_unchanged, foreign_data.remove)
        self.check_active(self._request_little())

    def _request_little(self):
        return self.request_on_each(lambda host: [self.RAM_MIB])

    def _make_small(self, host):
        """Leave less of a large store than one guest can ask for."""
        if self._store_mib(host) > self._small_mib(host):
            self.fill_store(host, self._small_mib(host))

    def _small_mib(self, host):
        return min(self._store_mib(host), stores.MOST_MIB - 1)

    def _store_mib(self, host):
        return self.surveys[host.name].store.total // units.Mi

    @decorators.idempotent_id('2e1b4d6f-8c75-4a2f-8b66-4a1e7d3c9f02')
    def test_numa_guests_are_limited_by_ram(self):
        """What the store has beside the machine's RAM is not for them

        Known behaviour: Nova takes the memory of NUMA nodes from libvirt,
        which knows of RAM only.
        """
        numa = {'hw:numa_nodes': '1'}
        self.check_active([self.request_forced(self.RAM_MIB, host, **numa)
                           for host in self.hosts])
        self.check_refused([
            self.request_forced(self.surveys[host.name].memory_mib + 1, host,
                                **numa)
            for host in self.hosts], [Refusal.CANNOT_FIT.value])

    @decorators.idempotent_id('2e1b4d6f-8c75-4a2f-8b66-4a1e7d3c9f03')
    def test_page_sizes(self):
        """Who asks for any page size at all is refused"""
        self.check_refused([
            self.request_forced(page_sizes.whole_pages(size, self.RAM_MIB),
                                host, **{page_sizes.EXTRA_SPEC: request})
            for host in self.hosts
            for request, size in self._page_sizes(host).items()],
            [self._refusal()])

    @staticmethod
    def _refusal():
        """Tell in whose words page sizes are refused."""
        if page_size_outcomes.has_page_size_filter():
            return page_sizes.NO_VALID_HOST
        return (Refusal.PAGE_SIZE if CONF.mempage.allowed_memory_pagesize
                else Refusal.FILE_BACKED).value

    def _page_sizes(self, host):
        """All that can be asked for, with the page size that it needs."""
        pools = {pool.size_kib for pool in self.surveys[host.name].pools
                 if pool.free}
        small = host.declared.small_page_kib
        sizes = {page_sizes.SMALL: small, page_sizes.ANY: small}
        if pools:
            sizes[page_sizes.LARGE] = min(pools)
        return {**sizes, **{str(size): size for size in {small, *pools}}}

    @decorators.idempotent_id('2e1b4d6f-8c75-4a2f-8b66-4a1e7d3c9f04')
    def test_locked_memory(self):
        """It needs a page size, by Nova's word, and so cannot be had"""
        locked = {'hw:locked_memory': 'true'}
        for host in self.hosts:
            try:
                self.request_forced(self.RAM_MIB, host, **locked)
            # It was another error before Nova 34.
            except (lib_exc.BadRequest, lib_exc.Forbidden) as refused:
                self.assertIn('locked_memory', str(refused))
            else:
                self.fail('Nova had to refuse a flavor with hw:locked_memory '
                          'and no page size, and took it')
        self.check_refused([
            self.request_forced(self.RAM_MIB, host, **locked,
                                **{page_sizes.EXTRA_SPEC: page_sizes.SMALL})
            for host in self.hosts], [self._refusal()])

    @decorators.idempotent_id('2e1b4d6f-8c75-4a2f-8b66-4a1e7d3c9f05')
    def test_rescheduled(self):
        """Who is refused here runs on a host that can, and left nothing"""
        able = {host: self._able(host) for host in self.hosts}
        services = [self.services.host_of(host.name) for host in self.hosts]
        aggregates.remove_left_of(self.os_admin.aggregates_client, services)
        self.useFixture(aggregates.Aggregate(
            self.os_admin.aggregates_client, services,
            {'ram_weight_multiplier': str(PREFERENCE)}))
        for host in self.hosts:
            other = able[host]
            server = self._request_on_one_of(host, other)
            self.nova.settle(self.servers)
            self.assertEqual(('ACTIVE', other.name),
                             (server.status, server.host), server)
            self.assert_agrees(base.compare_memory(
                self, compute_host.get(other, CONF.mempage.host_timeout),
                server, other.small_page_kib))
            asked = ((other,) if page_size_outcomes.has_page_size_filter()
                     else (host, other))
            self.assertEqual(
                [self.services.host_of(each.name) for each in asked],
                actions.builds(self.nova.client, server.uuid),
                'hosts that were asked to build server %s' % server.uuid)
            self.check_taken(host)

    def _able(self, host):
        for other in self.inventory.hosts.values():
            if (which.small_pages(other)
                    and other.group == host.declared.group):
                return other
        joined.skip(self, '%s in the group of %s' % (
            which.small_pages, host.name))

    def _request_on_one_of(self, host, other):
        """Request a server on one of two hosts.

        The first has more memory, by its configuration, and is preferred.
        """
        trait = self.useFixture(host_traits.Trait(self.os_admin, [
            self.cloud.provider(each.name).uuid for each in (host, other)]))
        return self.boot(flavor=self.flavor_of(
            ORDINARY_MIB, page_sizes.SMALL,
            **{'trait:%s' % trait.name: 'required'}))
