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

from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import stores

#: What all guests have, divided by what the host has.
FOOTPRINTS = {'half': 0.5, 'equal': 1.0, 'double': 2.0, 'fourfold': 4.0}
THROUGHPUT = 'footprint.%s.throughput'

# Of the host's memory, one part of so many is the control's.
CONTROL = 8
# Percent of a guest's RAM that is read; its system needs the rest.
READ = 70
SECONDS = 30
LIMIT_MIB = 64
JOBS = [fio.Job('random', {'rw': 'randread', 'bs': '4k', 'direct': 1,
                           'io_size': '16m'})]


class TestMeasureFootprint(measured.BaseMeasuredTest):
    """Guests that read all over their memory.

    A control in anonymous memory cannot have more than there is: it has an
    eighth of it, whatever the others have.
    """

    about = which.on_a_device
    promises = ('fill_stores',)
    may_skip = (observed.STORE_TOO_SMALL,)

    @decorators.idempotent_id('37e20a60-588f-4dba-951f-3eca62bcfc0f')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_half(self):
        """Guests have half of the memory that their host has"""
        self._measure('half')

    @decorators.idempotent_id('8e45597b-17b5-4fa8-bc15-c159ce45f13d')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_equal(self):
        """Guests have as much memory as their host has"""
        self._measure('equal')

    @decorators.idempotent_id('2a1d8793-94d9-4504-8a6b-0932986691e2')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_double(self):
        """Guests have twice the memory of their host"""
        self._measure('double')

    @decorators.idempotent_id('3284fea5-17a8-4eab-be9c-39cb05fc3473')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_fourfold(self):
        """Guests have four times the memory of their host"""
        self._measure('fourfold')

    def _measure(self, name):
        self._name = name
        self.on_each_host(self._measure_footprint)

    @base.in_turn
    def _measure_footprint(self, host):
        self.turn_to(host)
        self._seconds = host.declared.limit(SECONDS)
        memory_mib = host.survey().memory_mib
        control_mib = memory_mib // CONTROL
        store_mib = round(FOOTPRINTS[self._name] * memory_mib) - control_mib
        self._skip_if_too_small(host, store_mib + control_mib)
        self.nova.wait_longer(host.declared.limit(
            store_mib // stores.SLOWEST))
        self._boot(stores.parts(store_mib), control_mib)
        figure = THROUGHPUT % self._name
        self.began = self.new_figures({figure: ('MiB/s', 'higher', 'ioping')})
        self.measure_limit(JOBS, lambda done: {
            figure: done['random'].read_mib}, LIMIT_MIB)
        self.measure_in_turns(self._take)
        resident, witness = self.resident()
        self.keep_figures(measurements.state_of(resident), resident, witness)
        self.end()

    def _skip_if_too_small(self, host, wanted_mib):
        # Nova counts the control as well.
        capacity_mib = host.declared.file_backed.capacity_mib
        if capacity_mib < wanted_mib:
            observed.skip(self, observed.STORE_TOO_SMALL, (
                'host %s: file_backed.capacity_mib is %d, and guests with %g '
                'times its memory need %d' % (
                    host.name, capacity_mib, FOOTPRINTS[self._name],
                    wanted_mib)))

    def _boot(self, shares, control_mib):
        """Boot as many controls as guests of the store, and fill them all."""
        # The control's memory is what the host has: it must come first.
        controls = self._boot_each([control_mib // len(shares)] * len(shares))
        for server in controls:
            self.skip_if_shared(server)
            self.make_control(server)
        store = self._boot_each(shares)
        self._memories = {
            name: [self.fill(server, server.ram_mib * READ // 100)
                   for server in guests] for name, guests in (
                       (measurements.CONTROL, controls),
                       (measurements.STORE, store))}
        self._ram_mib = sum(shares) + control_mib
        self.arms = [
            measured.Arm(measurements.STORE, store[0],
                         path=self.path_of(store[0])),
            measured.Arm(measurements.CONTROL, controls[0])]

    def _boot_each(self, shares):
        requested = []
        for ram_mib in shares:
            requested.append(self.boot_reachable(
                self.host, flavor=self.create_flavor({}, ram_mib)))
            self.nova.wait_until_active(requested[-1].uuid)
        return requested

    def footprint(self):
        return self._ram_mib / self.host.survey().memory_mib

    def _take(self, arm):
        """Have all guests of an arm read at the same time."""
        # Nothing that was filled, or read before, is still to be written.
        block_devices.look(self.host)
        return {THROUGHPUT % self._name: sum(servers.at_once(
            lambda memory: memory.random_bandwidth(self._seconds, self.seed),
            self._memories[arm.name]))}
