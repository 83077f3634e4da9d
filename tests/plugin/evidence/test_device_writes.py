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

"""Tests of what guests' memory makes disks write."""

import ddt
from oslotest import base

from mempage_tempest_plugin.evidence import device_writes
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import smart
from tests.plugin import samples

MIB = samples.MIB
UNIT = smart.DATA_UNIT


def _devices(partition, smart, disks=('nvme0n1',)):
    return block_devices.BlockDevices(
        {'nvme0n1p1': partition, 'nvme0n1': 0}, list(disks),
        {'nvme0n1': smart})


@ddt.ddt
class CompareTest(base.BaseTestCase):

    BEFORE = _devices(100 * MIB, 7 * UNIT)

    @ddt.data(
        (_devices(164 * MIB, 7 * UNIT + 64 * MIB), []),
        (_devices(200 * MIB, 300 * UNIT), []),
        # The last unit was begun before.
        (_devices(164 * MIB, 6 * UNIT + 64 * MIB), []),
        (_devices(164 * MIB, 6 * UNIT + 64 * MIB - 1), ['SMART']),
        (_devices(164 * MIB, 7 * UNIT), ['SMART']),
        (_devices(164 * MIB - 512, 300 * UNIT), ['kernel']),
        (_devices(100 * MIB, 7 * UNIT), ['kernel', 'SMART']),
        (_devices(164 * MIB, 300 * UNIT, ['nvme1n1']), ['kernel']))
    @ddt.unpack
    def test_compare(self, now, wrong):
        comparison = device_writes.compare(
            samples.FILE_BACKED, samples.SERVER, self.BEFORE, now, 64)
        self.assertEqual(wrong, [fact.witness for fact
                                 in comparison.disagreements])
        self.assertIn('fbm1', comparison.subject)
        self.assertIn(samples.SERVER, comparison.subject)
