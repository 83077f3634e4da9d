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

"""How fast guests' memory is that has more, and less, than the host's."""

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import stores

#: What all guests have, divided by what the host has.
FOOTPRINTS = {'half': 0.5, 'equal': 1.0, 'double': 2.0, 'fourfold': 4.0}
THROUGHPUT = 'footprint.%s.throughput'
FIGURES = {THROUGHPUT % name: ('MiB/s', 'higher', 'ioping')
           for name in FOOTPRINTS}

# Of the host's memory, one part of so many is the control's.
CONTROL = 8
# Percent of a guest's RAM that is read; its system needs the rest.
READ = 70
SECONDS = 30
LIMIT_MIB = 64
JOBS = [fio.Job('random', {'rw': 'randread', 'bs': '4k', 'direct': 1,
                           'io_size': '16m'})]


class Footprint:
    """Guests that read all over their memory.

    A control in anonymous memory cannot have more than there is: it has an
    eighth of it, whatever the others have.

    :param test: a measured.BaseMeasuredTest
    :param name: a key of :data:`FOOTPRINTS`
    """

    def __init__(self, test, name):
        self._test = test
        self._name = name
        self._memories = {}
        self._seconds = None

    def measure(self, host):
        """Measure how fast they read.

        :param host: the compute_host.ComputeHost
        :raises SkipException: if its store has no room for them
        """
        self._test.turn_to(host)
        self._seconds = host.declared.limit(SECONDS)
        memory_mib = host.survey().memory_mib
        control_mib = memory_mib // CONTROL
        store_mib = round(FOOTPRINTS[self._name] * memory_mib) - control_mib
        self._skip_if_too_small(host, store_mib + control_mib)
        self._test.nova.wait_longer(host.declared.limit(
            store_mib // stores.SLOWEST))
        self._boot(stores.parts(store_mib), control_mib)
        figure = THROUGHPUT % self._name
        self._test.began = self._test.new_figures(
            {figure: FIGURES[figure]})
        self._test.measure_limit(JOBS, lambda done: {
            figure: done['random'].read_mib}, LIMIT_MIB)
        self._test.measure_in_turns(self._take)
        self._test.keep_with_state()

    def _skip_if_too_small(self, host, wanted_mib):
        # Nova counts the control as well.
        capacity_mib = host.declared.file_backed.capacity_mib
        if capacity_mib < wanted_mib:
            observed.skip(self._test, observed.STORE_TOO_SMALL, (
                'host %s: file_backed.capacity_mib is %d, and guests with %g '
                'times its memory need %d' % (
                    host.name, capacity_mib, FOOTPRINTS[self._name],
                    wanted_mib)))

    def _boot(self, shares, control_mib):
        """Boot as many controls as guests of the store, and fill them all."""
        # The control's memory is what the host has: it must come first.
        controls = self._boot_each([control_mib // len(shares)] * len(shares))
        for server in controls:
            self._test.skip_if_shared(server)
            self._test.make_control(server)
        store = self._boot_each(shares)
        self._memories = {
            name: [self._test.fill(server, server.ram_mib * READ // 100)
                   for server in guests] for name, guests in (
                       (measurements.CONTROL, controls),
                       (measurements.STORE, store))}
        self._test.arms = [
            measured.Arm(measurements.STORE, store[0], others=store[1:],
                         path=self._test.path_of(store[0])),
            measured.Arm(measurements.CONTROL, controls[0],
                         others=controls[1:])]

    def _boot_each(self, shares):
        test = self._test
        requested = []
        for ram_mib in shares:
            server = test.boot_reachable(
                test.host, flavor=test.create_flavor({}, ram_mib))
            test.nova.wait_until_active(server.uuid)
            requested.append(server)
        return tuple(requested)

    def _take(self, arm):
        """Have all guests of an arm read at the same time."""
        # Nothing that was filled, or read before, is still to be written.
        block_devices.look(self._test.host)
        return {THROUGHPUT % self._name: sum(servers.at_once(
            lambda memory: memory.random_bandwidth(self._seconds,
                                                   self._test.seed),
            self._memories[arm.name]))}
