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

"""How fast memory is that is in the page cache, and how soon it is there."""

import time

from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.guests import speed
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import measured

CACHED = {
    'cached.read_bandwidth': ('MiB/s', 'higher', 'ioping'),
    'cached.write_bandwidth': ('MiB/s', 'higher', 'ioping'),
    'cached.copy_bandwidth': ('MiB/s', 'higher', 'mbw'),
    'cached.read_latency_p50': ('ns', 'lower', 'ioping'),
    'cached.read_latency_p99': ('ns', 'lower', 'ioping')}
BOOT_TIME = 'boot.time'
DELETE_TIME = 'delete.time'
BOOT = {BOOT_TIME: ('s', 'lower', 'libvirt'),
        DELETE_TIME: ('s', 'lower', 'libvirt')}

READS = 2000
# All of the file is in the page cache, and stays.
_IN_CACHE = {'bs': '1m', 'pre_read': 1, 'invalidate': 0}
CACHED_JOBS = [
    fio.Job('read', {'rw': 'read', **_IN_CACHE}),
    fio.Job('write', {'rw': 'write', **_IN_CACHE}),
    fio.Job('copy', {'rw': 'rw', **_IN_CACHE}),
    fio.Job('random', {'rw': 'randread', **_IN_CACHE, 'bs': '4k'})]
# All of a guest's RAM is written before it runs, to a file that is new.
BOOT_JOBS = [fio.Job('write', {'rw': 'write', 'bs': '1m', 'overwrite': 0})]


class TestMeasureMemory(measured.BaseMeasuredTest):
    """The speed that guests know, as long as the host has enough memory."""

    @decorators.idempotent_id('351de58a-44cb-41a1-85ce-b35d86d56f49')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_cached(self):
        """Bandwidth and latency of a guest's memory, beside anonymous one"""
        self.on_each_host(self._measure_cached)

    @decorators.idempotent_id('078ec97c-dc65-41e4-8d81-1b82e2ff79d3')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute')
    def test_boot(self):
        """Time until a guest runs, and is gone, with and without a file"""
        self.on_each_host(self._measure_boot)

    @base.in_turn
    def _measure_cached(self, host):
        self.begin(host, CACHED)
        self.measure_limit(CACHED_JOBS, _limits_of_cached)
        before, _ = self.resident()
        self.measure_in_turns(self._take_cached)
        after, witness = self.resident()
        self.keep_figures(measurements.CACHED, min(before, after), witness)
        self.end()

    def _take_cached(self, arm):
        latencies = arm.memory.latencies(READS, self.seed)
        return {
            'cached.read_bandwidth': arm.memory.read_bandwidth(),
            'cached.write_bandwidth': arm.memory.write_bandwidth(),
            'cached.copy_bandwidth': arm.memory.copy_bandwidth(),
            'cached.read_latency_p50': speed.percentile(latencies, 50),
            'cached.read_latency_p99': speed.percentile(latencies, 99)}

    @base.in_turn
    def _measure_boot(self, host):
        self.begin_with_twins(host, BOOT)
        self.measure_limit(BOOT_JOBS, self._limits_of_boot,
                           self.flavor['ram'])
        self.measure_in_turns(self._take_boot)
        self.keep_figures(measurements.CACHED, *self.resident())
        self.end()

    def _take_boot(self, arm):
        uuid, xml = self.twin(arm)
        return {BOOT_TIME: _seconds(self.host.libvirt.start, xml),
                DELETE_TIME: _seconds(self.host.libvirt.destroy, uuid)}

    def _limits_of_boot(self, done):
        """Tell how long the file takes: to be written, and to be removed."""
        started = measured.now()
        seconds, version = foreign_data.remove_timed(self.host)
        self.began[DELETE_TIME].limit(seconds, ('rm', version), started,
                                      measured.now())
        return {BOOT_TIME: done['write'].seconds}


def _seconds(function, argument):
    """Tell how long a call takes."""
    started = time.monotonic()
    function(argument)
    return time.monotonic() - started


def _limits_of_cached(done):
    """Tell what the store can do: dict of values by figure."""
    return {
        'cached.read_bandwidth': done['read'].read_mib,
        'cached.write_bandwidth': done['write'].write_mib,
        'cached.copy_bandwidth': done['copy'].read_mib,
        'cached.read_latency_p50': done['random'].latency_ns[50],
        'cached.read_latency_p99': done['random'].latency_ns[99]}
