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

"""What becomes of memory that guests write again and again, and of none."""

import time

from oslo_utils import units
from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.hosts import machine
from mempage_tempest_plugin.hosts import write_watch
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.bases import observed

THROUGHPUT = 'dirty.throughput'
DIRTY = {THROUGHPUT: ('MiB/s', 'higher', 'ioping')}
IDLE_RATE = 'wear.idle_write_rate'
IDLE = {IDLE_RATE: ('bytes/s', 'lower', 'kernel')}

IDLE_JOBS = [fio.Job('write', {'rw': 'write', 'bs': '1m', 'end_fsync': 1,
                               'overwrite': 0})]


class TestMeasureWrites(measured.BaseMeasuredTest):
    """Guests for so long that the kernel writes back what is dirty."""

    about = which.on_a_device
    may_skip = (observed.NO_DISK_COUNT,)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        observed.leave_out(cls, observed.NO_DISK_COUNT, measured.uncounted)

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

    @base.in_turn
    def _measure_dirtied(self, host):
        self.begin(host, DIRTY)
        self._seconds = written_back_after(machine.look(host).dirty)
        self._watched = False
        self.measure_limit([fio.Job('mapped', {
            'rw': 'write', 'bs': '1m', 'ioengine': 'mmap', 'time_based': 1,
            'runtime': self._seconds})], lambda done: {
                THROUGHPUT: done['mapped'].write_mib})
        self.measure_in_turns(self._take_dirtied)
        self._keep()

    def _take_dirtied(self, arm):
        # Nothing is left to be written of the turn before.
        device, *_ = block_devices.look(self.host).written
        if self._watched:
            return {THROUGHPUT: arm.memory.rewrite_bandwidth(self._seconds)}
        self._watched = True
        watch = write_watch.WriteWatch(self.host, device, self._seconds)
        found = arm.memory.rewrite_bandwidth(self._seconds)
        self.began[THROUGHPUT].timeline(watch.points())
        return {THROUGHPUT: found}

    @base.in_turn
    def _measure_idle(self, host):
        self.begin(host, IDLE)
        self._seconds = written_back_after(machine.look(host).dirty)
        self.measure_limit(IDLE_JOBS, lambda done: {
            IDLE_RATE: done['write'].write_mib * units.Mi})
        self.measure_in_turns(self._take_idle)
        self._keep()

    def _take_idle(self, arm):
        with self.alone(arm):
            before, began = self.written(), time.monotonic()
            time.sleep(self._seconds)
            written = self.written() - before
            return {IDLE_RATE: written / (time.monotonic() - began)}

    def _keep(self):
        resident, witness = self.resident()
        self.keep_figures(measurements.state_of(resident), resident, witness)
        self.end()


def written_back_after(dirty):
    """Tell after how many seconds the kernel has written all that was dirty.

    :param dirty: as of machine.Machine
    """
    return (dirty['expire_centisecs'] + 2 * dirty['writeback_centisecs']
            ) // 100 + 1
