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

"""What a guest had in its memory is read back from its file, by it alone."""

import dataclasses

from tempest.common import utils
from tempest.common import waiters
from tempest.lib import decorators

from mempage_tempest_plugin import facts
from mempage_tempest_plugin import guests
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.tests import in_guest

# File systems that have no device below: what is pushed out goes to swap.
IN_MEMORY = ('tmpfs', 'ramfs', 'hugetlbfs')


@dataclasses.dataclass
class Tenant:
    """A guest with a pattern of its own in its memory."""

    server: str
    guest: guests.Guest
    state: guests.State
    path: str


class TestMemoryTruth(in_guest.FilledGuestTest):
    """a file-backed host whose store is a device"""

    @classmethod
    def is_about(cls, host):
        return bool(host.file_backed and host.file_backed.filesystem
                    and host.file_backed.filesystem not in IN_MEMORY)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.host = cls.hosts[0]

    @decorators.idempotent_id('6d1f0c3a-9f5e-4c28-8a43-1e7b50c4d936')
    @utils.services('compute', 'network')
    def test_memory_comes_back_from_store(self):
        """Two guests read back their own memory, which only the store had"""
        servers = [self._boot(), self._boot()]
        tenants = [self._settle(server) for server in servers]
        self._check_apart(tenants)
        for tenant in tenants:
            self._push_out(tenant)
        for tenant in tenants:
            self._check_read_back(tenant)
        self._check_apart(tenants)

    @decorators.idempotent_id('7e2a1d4b-a06f-4d39-9b54-2f8c61d5ea47')
    @utils.services('compute', 'network')
    def test_next_guest_finds_nothing(self):
        """No byte of a deleted guest is in the memory of the next one"""
        tenant = self._settle(self._boot())
        self.assertNotEqual({}, self._found([tenant])[tenant.server])
        self.delete(self.host)
        self.wait_until_deleted(self.host)
        self.boot(self.host)
        self.wait_until_active(self.host)
        self.check_evidence(self.host)
        self.assertEqual({}, self._found([tenant])[tenant.server],
                         'what a deleted guest wrote is in these files')

    def _boot(self):
        self.boot_reachable(self.host)
        return self.servers[self.host.name]

    def _settle(self, server):
        """Fill a guest's memory, and keep what must be there for ever."""
        guest = self.fill(server)
        state = guest.state()
        self.assertEqual(guest.intact(), state.digest)
        [backend] = self.host.memory_backends(server)
        return Tenant(server, guest, state, backend.mem_path)

    def _found(self, tenants):
        """Look whose patterns are in which files.

        :returns: dict by server of dicts of numbers of copies by path
        """
        counts = self.host.count_in_files(
            tenant.guest.seed for tenant in tenants)
        return {tenant.server: {
            path: found[tenant.guest.seed] for path, found in counts.items()
            if tenant.guest.seed in found} for tenant in tenants}

    def _check_apart(self, tenants):
        """Assert that each file has its own guest's pattern and no other."""
        found = self._found(tenants)
        comparison = facts.Comparison('backing files on host %s'
                                      % self.host.name)
        for tenant in tenants:
            own = found[tenant.server].pop(tenant.path, 0)
            wanted = tenant.guest.pages * guests.PAGE // guests.LINE
            comparison.holds(
                'file system', '%s: lines of its own' % tenant.path,
                'at least %d' % wanted, own, own >= wanted)
            comparison.equal('file system', 'the same lines elsewhere', {},
                             found[tenant.server])
        self.assertThat(comparison, facts.Agrees())

    def _push_out(self, tenant):
        """Leave the guest's memory nowhere but in the store."""
        self.servers_client.pause_server(tenant.server)
        waiters.wait_for_server_status(self.servers_client, tenant.server,
                                       'PAUSED')
        cached = cache.evict(self.host, tenant.path,
                             self.host.pids(tenant.server))
        comparison = facts.Comparison('%s on host %s, pushed out' % (
            tenant.path, self.host.name))
        comparison.equal('kernel', 'pages', self.flavor['ram'] * guests.MIB,
                         cached.pages * guests.PAGE)
        comparison.equal('kernel', 'in the page cache (%s)' % cached.method,
                         0, cached.cached)
        comparison.equal('kernel', 'error of fsync', None, cached.fsync)
        self.assertThat(comparison, facts.Agrees())

    def _check_read_back(self, tenant):
        """Assert that the guest gets all of it back, and from the store."""
        before = cache.look(self.host, tenant.path)
        self.servers_client.unpause_server(tenant.server)
        waiters.wait_for_server_status(self.servers_client, tenant.server,
                                       'ACTIVE')
        state = tenant.guest.state()
        after = cache.look(self.host, tenant.path)
        comparison = facts.Comparison('server %s, read back' % tenant.server)
        comparison.equal('guest', 'state', tenant.state, state)
        comparison.holds(
            'kernel', 'pages that were read (%s)' % after.method,
            'at least %d' % tenant.guest.pages, after.cached - before.cached,
            after.cached - before.cached >= tenant.guest.pages)
        if state.digest != tenant.state.digest:
            comparison.equal('guest', 'damage', None, tenant.guest.damage())
        self.assertThat(comparison, facts.Agrees())
