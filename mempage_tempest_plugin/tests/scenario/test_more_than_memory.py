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

"""Guests that have more RAM together than the machine that they are on."""

from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import server_memory
from mempage_tempest_plugin.evidence import store_counts
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import stores

# How many guests there are, at least. Each but the first comes when others
# have memory.
GUESTS = 4
# Where in its RAM a guest has a mark: in the middle, and not where machines
# have put something between.
FARTHEST_MIB = 1024


class TestMoreThanMemory(stores.BaseStoreTest):
    """Hosts whose store is on a device, and larger than their memory."""

    about = which.on_a_device
    may_skip = (observed.STORE_TOO_SMALL,)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        observed.leave_out(cls, observed.STORE_TOO_SMALL, cls._too_small)

    @classmethod
    def _too_small(cls, host):
        memory_mib = host.survey().memory_mib
        wanted = sum(cls._shares(memory_mib))
        capacity = host.declared.file_backed.capacity_mib
        return None if capacity >= wanted else (
            'file_backed.capacity_mib is %d, and guests with a quarter more '
            'than its %d MiB of memory need %d' % (
                capacity, memory_mib, wanted))

    @staticmethod
    def _shares(memory_mib):
        """Tell what RAM each guest has, in MiB."""
        wanted = store_counts.more_than_memory(memory_mib)
        number = max(GUESTS, len(stores.parts(wanted)))
        return [-(-wanted // number)] * number

    @decorators.idempotent_id('21c94d23-a6ca-4256-a62d-d26837096dde')
    def test_guests_exceed_memory(self):
        """All have all of their memory in files, and what was in it"""
        self.on_each_host(self.check_host, self.check_capacity,
                          self.note_store)
        shares = {name: self._shares(count.survey.memory_mib)
                  for name, count in self._before.items()}
        for turn in range(max(map(len, shares.values()))):
            self.check_active(self.request_on_each(
                lambda declared: shares[declared.name][turn:turn + 1]))
            self.on_each_host(self._mark)
        self.on_each_host(self._check_exceeding, self._check_evidence_of_all,
                          self._check_answers)
        self.delete_servers()

    def _guests(self, host):
        return [server for server in self.servers if server.host == host.name]

    def _mark(self, host):
        """Write into the latest guest's memory, which is its file."""
        server = self._guests(host)[-1]
        [backend] = host.memory_backends(server.uuid)
        host.overwrite(backend.mem_path, self._place(server),
                       self._text(server))

    @staticmethod
    def _place(server):
        return min(server.ram_mib // 2, FARTHEST_MIB)

    @staticmethod
    def _text(server):
        return 'MARK-OF-' + server.uuid

    def _check_exceeding(self, host):
        self.assert_agrees(store_counts.compare_exceeding(
            host.declared, self._before[host.name], self._count(host),
            [server.ram_mib for server in self._guests(host)]))

    def _check_evidence_of_all(self, host):
        for server in self._guests(host):
            self.assert_agrees(server_memory.compare(
                host.declared, collect.collect(
                    host, server.uuid, server.ram_mib, self.cloud),
                system=self.needs_system))

    def _check_answers(self, host):
        """Assert that guests run, and that QEMU reads what was written.

        Most of it had to leave the host's memory meanwhile.
        """
        comparison = facts.Comparison(
            'host %s, all guests at the end' % host.name, host.name)
        wanted = {server.uuid: self._text(server)
                  for server in self._guests(host)}
        comparison.equal('QEMU', 'status by guest',
                         dict.fromkeys(wanted, 'running'),
                         {guest: self._status(host, guest)
                          for guest in wanted})
        comparison.equal('QEMU', 'what was written into the memory, by guest',
                         wanted, {server.uuid: self._read(host, server)
                                  for server in self._guests(host)})
        self.assert_agrees(comparison)

    @staticmethod
    def _status(host, guest):
        return host.libvirt.monitor(guest, 'query-status')['status']

    def _read(self, host, server):
        found = host.read_memory(server.uuid, self._place(server) << 20,
                                 len(self._text(server)))
        return found.decode(errors='replace')
