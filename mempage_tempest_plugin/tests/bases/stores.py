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

"""What tests share that count what guests take from backing stores."""

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import store_counts
from mempage_tempest_plugin.tests.bases import amounts

# What Nova says if QEMU does not get the memory; that there is no space, QEMU
# does not tell.
NO_SPACE = 'prealloc'


class BaseStoreTest(amounts.BaseAmountTest):
    """Tests that must be alone with the stores of their hosts."""

    about = which.file_backed
    promises = ('fill_stores',)

    # Little: QEMU needs no more to start.
    RAM_MIB = 16
    # Seconds that QEMU and libvirt may need after nova has forgotten the
    # server.
    RELEASE_TIMEOUT = 30

    def setUp(self):
        super().setUp()
        self._before = {}
        self._processes = {}

    def note_store(self, host):
        """Remember what is taken, for :meth:`check_taken`."""
        self._before[host.name] = self._count(host)

    def _count(self, host):
        return store_counts.Count(host.survey_store(),
                                  self.cloud.used_memory(host.name))

    def request_on_each(self, *sizes):
        """Request servers on every host.

        :param sizes: functions of a host's declaration that return MiB
        :returns: list of servers.RequestedServer
        """
        return self.request_at_once([
            (size(host.declared), None, host)
            for host in self.hosts for size in sizes])

    def request_forced(self, ram_mib, host, **extra_specs):
        """Request a server on a host, whatever the scheduler thinks of it.

        :param ram_mib: its RAM
        :param host: the compute_host.ComputeHost
        :param extra_specs: of its flavor
        :returns: a servers.RequestedServer
        """
        return self.boot(host, forced=True,
                         flavor=self.flavor_of(ram_mib, **extra_specs))

    def check_taken(self, host):
        """Assert that just the running guests' memory is taken."""
        self.assert_soon_agrees(host, self._compare_store,
                                self.RELEASE_TIMEOUT)

    def _compare_store(self, host):
        return store_counts.compare(
            host.declared, self._before[host.name], self._count(host),
            [server.ram_mib for server in self.servers
             if server.host == host.name])

    def note_processes(self, host):
        """Remember the QEMU processes, for :meth:`check_unchanged`."""
        self._processes[host.name] = self._running(host)

    def check_unchanged(self, host):
        """Assert that the same QEMU processes run the same guests."""
        self.assertEqual(self._processes[host.name], self._running(host),
                         'host %s: QEMU processes and their state, by guest'
                         % host.name)

    def _running(self, host):
        guests = [server.uuid for server in self.servers
                  if server.host == host.name]
        found = host.survey(guests=guests).processes
        return {guest: ([process.pid for process in found.get(guest, [])],
                        host.libvirt.monitor(guest, 'query-status')['status'])
                for guest in guests}

    def check_never_built(self, refused):
        """Assert that no host was asked to build servers.

        :param refused: list of servers.RequestedServer
        """
        for server in refused:
            self.assertEqual([], actions.builds(self.nova.client,
                                                server.uuid), server)

    def evidence_table(self, host):
        if host.name not in self._before:
            return super().evidence_table(host)
        return self.table_of_servers(self._compare_store(host))
