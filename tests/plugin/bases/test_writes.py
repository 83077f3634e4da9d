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

"""Tests of figures of memory that is written again and again, and of none."""

from unittest import mock

import fixtures

from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.hosts import machine
from mempage_tempest_plugin.tests.bases import writes
from mempage_tempest_plugin.tests.scenario import test_measure_device
from tests.plugin.bases import test_measured
from tests.plugin import samples

POINTS = [{'seconds': 0, 'dirty_mib': 2, 'written_mib': 0}]
DIRTY = {'expire_centisecs': 3000, 'writeback_centisecs': 500}


class WritesTestCase(test_measured.MeasuredTestCase):

    def setUp(self):
        super().setUp()
        self.seconds = 0
        self.slept = []
        self.useFixture(fixtures.MockPatchObject(
            writes, 'time', mock.Mock(
                sleep=self._sleep, monotonic=lambda: self.seconds)))
        self.useFixture(fixtures.MockPatchObject(
            machine, 'look', return_value=mock.Mock(dirty=DIRTY)))
        done = fio.Done(0, 600, 41, {})
        self.ran = self.useFixture(fixtures.MockPatchObject(
            fio, 'run', return_value=('3.33', dict.fromkeys(
                ('mapped', 'write'), done)))).mock
        self.written = iter(range(99))
        self.useFixture(fixtures.MockPatchObject(
            block_devices, 'look', lambda host: block_devices.BlockDevices(
                {'nvme0n1': next(self.written)}, ['nvme0n1'], {})))
        self.case = self.make(test_measure_device.TestMeasureDevice)
        self.case.nova = mock.Mock()

    def _sleep(self, seconds):
        self.seconds += seconds
        self.slept.append(seconds)

    def test_seconds(self):
        """What is dirty at the begin is written before the end"""
        self.assertEqual(41, writes.written_back_after(DIRTY))
        self.assertEqual(1, writes.written_back_after(
            {'expire_centisecs': 0, 'writeback_centisecs': 0}))


class DirtiedTest(WritesTestCase):

    def setUp(self):
        super().setUp()
        self.watch = self.useFixture(fixtures.MockPatchObject(
            writes.write_watch, 'WriteWatch')).mock
        self.watch.return_value.points.return_value = POINTS

    def test_kept(self):
        self.case.test_dirtied()
        found = self.kept()['dirty.throughput']
        self.assertEqual([270, 300] * 2, [
            sample['value'] for sample in found['samples']])
        self.assertEqual((600, 'cached', POINTS), (
            found['limit']['value'], found['cache']['state'],
            found['timeline']))
        # Both guests as long as fio.
        [job] = self.ran.call_args[0][4]
        self.assertEqual(([41] * 2,) * 2 + (41, 1), (
            *(arm.memory.asked for arm in self.case.arms),
            job.options['runtime'], job.options['time_based']))
        self.watch.assert_called_once_with(
            self.host, 'nvme0n1', 41)
        # All was written before each of them.
        self.assertEqual(4, next(self.written))

    def test_out_of_the_cache(self):
        self.cached = 20000
        self.case.test_dirtied()
        self.assertEqual('mixed', self.kept()['dirty.throughput']['cache'][
            'state'])


class IdleTest(WritesTestCase):

    def test_kept(self):
        self.written = iter([0, 4100, 4100, 4100, 5000, 13200, 13200, 13200])
        self.case.test_idle()
        found = self.kept()['wear.idle_write_rate']
        self.assertEqual([100, 0, 200, 0], [
            sample['value'] for sample in found['samples']])
        self.assertEqual((600 * samples.MIB, 'bytes/s', [41] * 4), (
            found['limit']['value'], found['unit'], self.slept))

    def test_the_other_is_paused(self):
        self.case.begin(self.host, writes.IDLE)
        store, control = self.case.arms
        control.server = mock.Mock(uuid='control')
        with self.case.alone(store):
            self.case.nova.act.assert_called_once_with(
                'control', 'pause_server', 'PAUSED')
        self.case.nova.act.assert_called_with(
            'control', 'unpause_server', 'ACTIVE')
        self.assertEqual(2, self.case.nova.act.call_count)
        with self.case.alone():
            self.assertEqual(4, self.case.nova.act.call_count)
