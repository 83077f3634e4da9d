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

import collections

from oslo_utils import units
from tempest import config

from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import store_counts
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import several
from mempage_tempest_plugin.tests.bases import amounts
from mempage_tempest_plugin.tests.bases import observed

CONF = config.CONF

# What Nova says if there is no space: of QEMU it learns only that this did not
# get the memory, of libvirt that there is not even room for a directory.
NO_SPACE = ('prealloc', 'No space left on device')
# The RAM of one guest, at most: CPUs of guests do not know more than 1 TiB of
# addresses unless Nova is told (phys-bits), and some are not for RAM.
MOST_MIB = 256 * units.Ki
# MiB that even a slow store takes each second: QEMU writes all of a guest's
# memory before it starts.
SLOWEST = 200


def parts(ram_mib):
    """Divide RAM among as few guests as can have it.

    :param ram_mib: that of all of them
    :returns: list of MiB, none more than :data:`MOST_MIB`
    """
    number = -(-ram_mib // MOST_MIB)
    least, more = divmod(ram_mib, number)
    return [least + 1] * more + [least] * (number - more)


def leave_out_larger_than_memory(cls):
    """Leave out hosts whose store is in memory that is not there.

    Whoever fills it would take the memory of everything else.

    :param cls: a base.BaseMemoryTest, whose hosts are known, and whose
        may_skip has observed.STORE_IN_MEMORY
    :raises SkipException: as of observed.leave_out
    """
    surveys = dict(several.ask(cls.hosts, lambda host: host.survey(),
                               CONF.mempage.parallel_hosts))
    # Containers of one machine have their memory in common.
    wanted = collections.Counter()
    for host, survey in surveys.items():
        wanted[survey.boot] += _in_memory_mib(host, survey)

    def reason(host):
        survey = surveys[host]
        if (not _in_memory_mib(host, survey) or survey.available_mib is None
                or survey.available_mib > wanted[survey.boot]):
            return None
        return ('a store that is in memory, as its own is, could take %d MiB '
                'if it was filled, and the machine has %d MiB available: '
                'everything else there would be without memory' % (
                    wanted[survey.boot], survey.available_mib))

    observed.leave_out(cls, observed.STORE_IN_MEMORY, reason)


def _in_memory_mib(host, survey):
    """Tell how much memory a store could still take; 0 if it is on a device.

    :param survey: a survey of the host
    """
    mount = mounts.holding(survey.mounts, survey.real(
        host.declared.file_backed.mount))
    if not survey.store or mount.filesystem not in which.IN_MEMORY:
        return 0
    return survey.store.available // units.Mi


class BaseStoreTest(amounts.BaseAmountTest):
    """Tests that must be alone with the stores of their hosts."""

    about = which.file_backed
    promises = ('fill_stores',)

    # Little: QEMU needs no more to start.
    RAM_MIB = 16
    may_skip = (observed.STORE_IN_MEMORY,)
    # Seconds that QEMU and libvirt may need after nova has forgotten the
    # server.
    RELEASE_TIMEOUT = 30

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.nova.wait_longer(max(
            host.limit(host.file_backed.capacity_mib // SLOWEST)
            for host in cls.declared))

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        leave_out_larger_than_memory(cls)

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

        :param sizes: functions of a host's declaration that return a list of
            the RAM of each server there, in MiB
        :returns: list of servers.RequestedServer
        """
        return self.request_at_once([
            (ram_mib, None, host) for host in self.hosts
            for size in sizes for ram_mib in size(host.declared)])

    def request_forced(self, ram_mib, host, **extra_specs):
        """Request a server on a host, whatever the scheduler thinks of it.

        :param ram_mib: its RAM
        :param host: the compute_host.ComputeHost
        :param extra_specs: of its flavor
        :returns: a servers.RequestedServer
        """
        return self.boot(host, forced=True,
                         flavor=self.flavor_of(ram_mib, **extra_specs))

    def fill_store(self, host, leave_mib=0):
        """Fill the host's store with foreign data, until the test ends.

        :param host: the compute_host.ComputeHost
        :param leave_mib: how much of it is left
        :raises SkipException: if guests of others have come there
        """
        observed.skip_if_occupied(self, host)
        self.useFixture(foreign_data.ForeignData(host, leave_mib))

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
        comparison = facts.Comparison(
            'host %s, its guests go on' % host.name, host.name)
        comparison.equal('QEMU', 'processes and their state, by guest',
                         self._processes[host.name], self._running(host))
        self.assert_agrees(comparison)

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
