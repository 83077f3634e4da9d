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

"""How fast memory is that only the store has, and what writes to it cost."""

from oslo_utils import units
from tempest.common import utils
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.guests import speed
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import footprints
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import writes

CONF = config.CONF

BANDWIDTH = 'cold.read_bandwidth'
# Latencies, and the percentile of each.
LATENCIES = {'cold.read_latency_p50': 50, 'cold.read_latency_p99': 99,
             'cold.read_latency_p999': 99.9}
COLD = {BANDWIDTH: ('MiB/s', 'higher', 'ioping'),
        **dict.fromkeys(LATENCIES, ('us', 'lower', 'ioping'))}
WRITTEN = 'wear.written_per_dirtied'
BOOT_WRITTEN = 'wear.boot_written'
WEAR = {WRITTEN: ('bytes/byte', 'lower', 'kernel'),
        BOOT_WRITTEN: ('bytes/byte', 'lower', 'kernel')}

# At random, most reads have to miss: the kernel reads as much around each of
# them, and no more than a part of all may be there in the end.
PART = 4
FEWEST, MOST = 8, 2000
# Usual where a file system has no device of its own.
READ_AHEAD_KIB = 128
# What the device does for one page after the other, and what the kernel makes
# of the same faults as those of a guest.
COLD_JOBS = [
    fio.Job('random', {'rw': 'randread', 'bs': '4k', 'direct': 1,
                       'io_size': '16m'}),
    fio.Job('mapped', {'rw': 'read', 'bs': '1m', 'ioengine': 'mmap',
                       'invalidate': 1})]
# The file is new: it is written once.
WEAR_JOBS = [fio.Job('write', {'rw': 'write', 'bs': '1m', 'end_fsync': 1,
                               'overwrite': 0})]


class TestMeasureDevice(measured.BaseMeasuredTest):
    """What guests have of a device, and the device of guests."""

    about = which.on_a_device
    may_skip = (observed.CANNOT_EVICT, observed.NO_DISK_COUNT,
                observed.STORE_TOO_SMALL)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        observed.leave_out(cls, observed.CANNOT_EVICT, cache.unable)
        observed.leave_out(cls, observed.NO_DISK_COUNT, measured.uncounted)

    @decorators.idempotent_id('3df1c7e3-8445-47e6-8319-6e066ca64629')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_cold(self):
        """Latency and bandwidth of memory that was pushed out before"""
        self.on_each_host(self._measure_cold)

    @decorators.idempotent_id('07d1ce65-fb9b-4768-8bd6-bb4e58438006')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_written(self):
        """Bytes that the device writes for each that a guest has or dirties"""
        self.on_each_host(self._measure_written)

    @decorators.idempotent_id('2b6db73c-4b3e-4927-a07b-acd209cd5c05')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_dirtied(self):
        """How fast memory can be written while the device takes it"""
        self.on_each_host(self._measure_dirtied)

    @decorators.idempotent_id('067c5454-70cb-4c8b-86a0-e185317ac705')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_idle(self):
        """What the device is given for a guest that does nothing"""
        self.on_each_host(self._measure_idle)

    @decorators.idempotent_id('37e20a60-588f-4dba-951f-3eca62bcfc0f')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_half(self):
        """Guests have half of the memory that their host has"""
        self._measure_footprints('half')

    @decorators.idempotent_id('8e45597b-17b5-4fa8-bc15-c159ce45f13d')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_equal(self):
        """Guests have as much memory as their host has"""
        self._measure_footprints('equal')

    @decorators.idempotent_id('2a1d8793-94d9-4504-8a6b-0932986691e2')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_double(self):
        """Guests have twice the memory of their host"""
        self._measure_footprints('double')

    @decorators.idempotent_id('3284fea5-17a8-4eab-be9c-39cb05fc3473')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_fourfold(self):
        """Guests have four times the memory of their host"""
        self._measure_footprints('fourfold')

    @base.in_turn
    def _measure_cold(self, host):
        self._pushed_out = []
        self._reads = reads(speed.size_mib(self.flavor['ram']),
                            block_devices.read_ahead_kib(
                                host, self.store_mount(host)))
        self._latencies = told_by(self._reads)
        self.begin(host, {identity: told for identity, told in COLD.items()
                          if identity in (BANDWIDTH, *self._latencies)})
        self.measure_limit(COLD_JOBS, self._limits_of_cold)
        self.measure_in_turns(self._take_cold)
        # Not less than what was left the worst time.
        found = max(self._pushed_out, key=lambda found: found.cached)
        self.keep_figures(measurements.COLD,
                          100 * found.cached / found.pages, found.method)
        self.end()

    def _take_cold(self, arm):
        self._push_out(arm)
        latencies = [taken / 1000 for taken in arm.memory.latencies(
            self._reads, self.seed)]
        self._push_out(arm)
        return {BANDWIDTH: arm.memory.read_bandwidth(), **{
            identity: speed.percentile(latencies, percent)
            for identity, percent in self._latencies.items()}}

    def _limits_of_cold(self, done):
        taken = done['random'].latency_ns
        return {BANDWIDTH: done['mapped'].read_mib, **{
            identity: taken[percent] / 1000
            for identity, percent in self._latencies.items()}}

    def _push_out(self, arm):
        """Leave a guest's memory nowhere but in the store.

        Where it is in none, the guest is paused as well.
        """
        uuid = arm.server.uuid
        self.nova.act(uuid, 'pause_server', 'PAUSED')
        if arm.path:
            found = cache.evict(self.host, arm.path, self.host.pids(uuid))
            self.assertIsNone(found.fsync, 'host %s: fsync of %s' % (
                self.host.name, arm.path))
            self._pushed_out.append(found)
        self.nova.act(uuid, 'unpause_server', 'ACTIVE')

    @base.in_turn
    def _measure_written(self, host):
        """Measure by the kernel's count: TestStoreDevice has the disk's."""
        self.begin(host, WEAR)
        with self.alone():
            before = self.written()
            self.measure_limit(WEAR_JOBS, lambda done: dict.fromkeys(
                WEAR, self._per_byte(before, self.arms[0].memory.mib)))
        self.measure_in_turns(self._take_written)
        self.keep_figures(measurements.CACHED, *self.resident())
        self.end()

    def _take_written(self, arm):
        with self.alone(arm):
            before = self.written()
            arm.memory.write_bandwidth()
            dirtied = self._per_byte(before, arm.memory.mib)
            before = self.written()
            uuid, xml = self.twin(arm)
            self.host.libvirt.start(xml)
            booted = self._per_byte(before, arm.server.ram_mib)
            self.host.libvirt.destroy(uuid)
        return {WRITTEN: dirtied, BOOT_WRITTEN: booted}

    @base.in_turn
    def _measure_dirtied(self, host):
        writes.Writes(self).measure_dirtied(host)

    @base.in_turn
    def _measure_idle(self, host):
        writes.Writes(self).measure_idle(host)

    def _measure_footprints(self, name):
        if not CONF.mempage.fill_stores:
            self.skipTest(joined.lacking('fill_stores'))
        self._footprint = footprints.Footprint(self, name)
        self.on_each_host(self._measure_footprint)

    @base.in_turn
    def _measure_footprint(self, host):
        self._footprint.measure(host)

    def _per_byte(self, before, mib):
        """Tell what was written for each byte of so many MiB."""
        return (self.written() - before) / (mib * units.Mi)


def reads(mib, read_ahead_kib):
    """Tell how many pages can be read at random, most of which are missing.

    :param mib: what they are part of
    :param read_ahead_kib: what the kernel reads around each; None if it is
        not known
    """
    most = mib * 1024 // (read_ahead_kib or READ_AHEAD_KIB) // PART
    return min(MOST, max(FEWEST, most))


def told_by(number):
    """Tell of which latencies so many reads say something.

    One read of a hundred is the slowest hundredth of them.

    :param number: of reads
    :returns: dict of percentiles by figure
    """
    return {identity: percent for identity, percent in LATENCIES.items()
            if number * (100 - percent) >= 99.9}
