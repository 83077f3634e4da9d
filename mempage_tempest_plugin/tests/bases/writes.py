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

from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.hosts import machine
from mempage_tempest_plugin.hosts import write_watch

THROUGHPUT = 'dirty.throughput'
DIRTY = {THROUGHPUT: ('MiB/s', 'higher', 'ioping')}
IDLE_RATE = 'wear.idle_write_rate'
IDLE = {IDLE_RATE: ('bytes/s', 'lower', 'kernel')}

IDLE_JOBS = [fio.Job('write', {'rw': 'write', 'bs': '1m', 'end_fsync': 1,
                               'overwrite': 0})]


class Writes:
    """Guests for so long that the kernel writes back what is dirty.

    :param test: a measured.BaseMeasuredTest
    """

    def __init__(self, test):
        self._test = test
        self._seconds = None
        self._watched = False

    def measure_dirtied(self, host):
        """Measure how fast memory can be written again and again.

        :param host: the compute_host.ComputeHost
        """
        self._test.begin(host, DIRTY)
        self._seconds = written_back_after(machine.look(host).dirty)
        self._test.measure_limit([fio.Job('mapped', {
            'rw': 'write', 'bs': '1m', 'ioengine': 'mmap', 'time_based': 1,
            'runtime': self._seconds})], lambda done: {
                THROUGHPUT: done['mapped'].write_mib})
        self._test.measure_in_turns(self._take_dirtied)
        self._test.keep_with_state()

    def _take_dirtied(self, arm):
        # Nothing is left to be written of the turn before.
        device, *_ = block_devices.look(self._test.host).written
        if self._watched:
            return {THROUGHPUT: arm.memory.rewrite_bandwidth(self._seconds)}
        self._watched = True
        watch = write_watch.WriteWatch(self._test.host, device, self._seconds)
        found = arm.memory.rewrite_bandwidth(self._seconds)
        self._test.began[THROUGHPUT].timeline(watch.points())
        return {THROUGHPUT: found}

    def measure_idle(self, host):
        """Measure what is written for a guest that does nothing.

        :param host: the compute_host.ComputeHost
        """
        self._test.begin(host, IDLE)
        self._seconds = written_back_after(machine.look(host).dirty)
        self._test.measure_limit(IDLE_JOBS, lambda done: {
            IDLE_RATE: done['write'].write_mib * units.Mi})
        self._test.measure_in_turns(self._take_idle)
        self._test.keep_with_state()

    def _take_idle(self, arm):
        with self._test.alone(arm):
            before, began = self._test.written(), time.monotonic()
            time.sleep(self._seconds)
            written = self._test.written() - before
            return {IDLE_RATE: written / (time.monotonic() - began)}


def written_back_after(dirty):
    """Tell after how many seconds the kernel has written all that was dirty.

    :param dirty: as of machine.Machine
    """
    return (dirty['expire_centisecs'] + 2 * dirty['writeback_centisecs']
            ) // 100 + 1
