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

from oslo_utils import units
from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import silent_loss
from mempage_tempest_plugin.guests import memory
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import reachable


@dataclasses.dataclass
class Tenant:
    """A guest with a pattern of its own in its memory."""

    server: servers.RequestedServer
    guest: memory.Guest
    state: memory.State
    path: str


class TestMemoryTruth(reachable.BaseFilledTest):
    """What only the store had comes back, and to nobody else."""

    about = which.on_a_device
    take = which.first
    may_skip = (observed.CANNOT_EVICT, observed.POLLED)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        observed.leave_out(cls, observed.CANNOT_EVICT, cache.unable)
        [cls.host] = cls.hosts

    @decorators.idempotent_id('6d1f0c3a-9f5e-4c28-8a43-1e7b50c4d936')
    @utils.services('compute', 'network')
    def test_memory_comes_back_from_store(self):
        """Two guests read back their own memory, which only the store had"""
        booted = [self.boot_reachable(self.host) for _ in range(2)]
        tenants = [self._settle(server) for server in booted]
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
        tenant = self._settle(self.boot_reachable(self.host))
        self.assertNotEqual({}, self._found([tenant])[tenant.path])
        self.delete(self.host)
        self.wait_until_deleted(self.host)
        self.boot(self.host)
        self.wait_until_active(self.host)
        self.check_evidence(self.host)
        comparison = facts.Comparison(
            'backing files on host %s' % self.host.name, self.host.name)
        comparison.equal(
            'file system', 'what the deleted guest had written is found in',
            {}, self._found([tenant])[tenant.path])
        self.assert_agrees(comparison)

    def _settle(self, server):
        """Fill a guest's memory, and keep what must be there for ever."""
        guest = self.fill(server)
        state = guest.state()
        self.assertEqual(guest.intact(), state.digest)
        [backend] = self.host.memory_backends(server.uuid)
        return Tenant(server, guest, state, backend.mem_path)

    def _found(self, tenants):
        """Look whose patterns are in which files.

        :returns: dict by the tenant's file of dicts of numbers of copies by
            path
        """
        counts = self.host.count_in_files(
            [tenant.guest.seed for tenant in tenants],
            [server.uuid for server in self.servers])
        return {tenant.path: {
            path: found[tenant.guest.seed] for path, found in counts.items()
            if tenant.guest.seed in found} for tenant in tenants}

    def _check_apart(self, tenants):
        """Assert that each file has its own guest's pattern and no other."""
        found = self._found(tenants)
        comparison = facts.Comparison(
            'backing files on host %s' % self.host.name, self.host.name)
        for tenant in tenants:
            own = found[tenant.path].pop(tenant.path, 0)
            wanted = tenant.guest.pages * memory.PAGE // memory.LINE
            comparison.holds(
                'file system', '%s: lines of its own' % tenant.path,
                'at least %d' % wanted, own, own >= wanted)
            comparison.equal('file system', 'the same lines elsewhere', {},
                             found[tenant.path])
        self.assert_agrees(comparison)

    def _push_out(self, tenant):
        """Leave the guest's memory nowhere but in the store."""
        self.nova.act(tenant.server.uuid, 'pause_server', 'PAUSED')
        pids = self.host.pids(tenant.server.uuid)
        cached = cache.evict(self.host, tenant.path, pids)
        if cached.cached:
            self._skip_if_polled(tenant.path, pids)
        comparison = silent_loss.compare_evicted(
            self.host.name, tenant.server.uuid, cached)
        comparison.equal('kernel', 'bytes', self.flavor['ram'] * units.Mi,
                         cached.pages * cached.page)
        self.assert_agrees(comparison)

    def _skip_if_polled(self, path, pids):
        """Skip the test if others than QEMU may have used the file."""
        # Whoever serves a port of the guest looks at its rings all the time.
        mappers = self.host.survey(paths=[path]).mappers[path]
        own = {device for pid, device in mappers if pid in pids}
        others = sorted(pid for pid, device in mappers
                        if device in own and pid not in pids)
        if others:
            observed.skip(
                self, observed.POLLED, 'host %s: %s (PID %s), who may use it '
                'while the guest is paused: some stays in the page cache' % (
                    self.host.name, path, ', '.join(map(str, others))))

    def _check_read_back(self, tenant):
        """Assert that the guest gets all of it back, and from the store."""
        before = cache.look(self.host, tenant.path)
        self.nova.act(tenant.server.uuid, 'unpause_server', 'ACTIVE')
        state = tenant.guest.state()
        after = cache.look(self.host, tenant.path)
        comparison = facts.Comparison(
            'server %s, read back (%s)' % (tenant.server.uuid, after.method),
            self.host.name, tenant.server.uuid)
        comparison.equal('guest', 'state', tenant.state, state)
        wanted = tenant.guest.pages * memory.PAGE
        read = (after.cached - before.cached) * after.page
        comparison.holds(
            'kernel', 'bytes that were read', 'at least %d' % wanted, read,
            read >= wanted)
        if state.digest != tenant.state.digest:
            comparison.equal('guest', 'damage', None, tenant.guest.damage())
        self.assert_agrees(comparison)
