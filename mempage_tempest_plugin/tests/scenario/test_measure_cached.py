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

"""How fast memory is that is in the page cache."""

from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.guests import speed
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import measured

READS = 2000
# All of the file is in the page cache, and stays.
_CACHED = {'bs': '1m', 'pre_read': 1, 'invalidate': 0}
JOBS = [
    fio.Job('read', {'rw': 'read', **_CACHED}),
    fio.Job('write', {'rw': 'write', **_CACHED}),
    fio.Job('copy', {'rw': 'rw', **_CACHED}),
    fio.Job('random', {'rw': 'randread', **_CACHED, 'bs': '4k'})]


class TestMeasureCached(measured.BaseMeasuredTest):
    """The speed that guests know, as long as the host has enough memory."""

    figures = {
        'cached.read_bandwidth': ('MiB/s', 'higher'),
        'cached.write_bandwidth': ('MiB/s', 'higher'),
        'cached.copy_bandwidth': ('MiB/s', 'higher'),
        'cached.read_latency_p50': ('ns', 'lower'),
        'cached.read_latency_p99': ('ns', 'lower')}

    @decorators.idempotent_id('351de58a-44cb-41a1-85ce-b35d86d56f49')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_cached(self):
        """Bandwidth and latency of a guest's memory, beside anonymous one"""
        self.on_each_host(self._measure)

    @base.in_turn
    def _measure(self, host):
        self.begin(host)
        self.measure_limit(JOBS, self._limits)
        before, _ = self.resident()
        self.measure_in_turns(self._take)
        after, witness = self.resident()
        self.keep_figures(measurements.CACHED, min(before, after), witness)
        self.end(host)

    def tool_of(self, identity):
        return 'mbw' if 'copy' in identity else 'ioping'

    def _take(self, arm):
        latencies = arm.memory.latencies(READS, self.seed)
        return {
            'cached.read_bandwidth': arm.memory.read_bandwidth(),
            'cached.write_bandwidth': arm.memory.write_bandwidth(),
            'cached.copy_bandwidth': arm.memory.copy_bandwidth(),
            'cached.read_latency_p50': speed.percentile(latencies, 50),
            'cached.read_latency_p99': speed.percentile(latencies, 99)}

    @staticmethod
    def _limits(done):
        return {
            'cached.read_bandwidth': done['read'].read_mib,
            'cached.write_bandwidth': done['write'].write_mib,
            'cached.copy_bandwidth': done['copy'].read_mib,
            'cached.read_latency_p50': done['random'].latency_ns[50],
            'cached.read_latency_p99': done['random'].latency_ns[99]}
