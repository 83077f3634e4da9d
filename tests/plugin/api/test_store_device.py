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

"""The test of what disks count, with hosts that are made up."""

import ddt
import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.tests.api import test_store_device
from mempage_tempest_plugin.tests.bases import base
from tests.plugin.bases import cases
from tests.plugin import samples

RAM = 64 * samples.MIB


class _Instead:
    """Hosts that are what they have to be."""

    def check_host(self, host):
        pass

    def check_evidence(self, host):
        pass

    def wait_until_active(self, host):
        pass

    def boot(self, host):
        self.servers.append(servers.RequestedServer(
            samples.SERVER, 64, host=host.name))


@ddt.ddt
class StoreDeviceTest(test_base.BaseTestCase):

    def _run(self, kernel, smart):
        answers = iter([
            block_devices.BlockDevices({'nvme0n1': written}, ['nvme0n1'],
                                       {'nvme0n1': counted})
            for written, counted in ((500, 600), (kernel, smart))])
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.useFixture(fixtures.MockPatchObject(
            block_devices, 'look', lambda host: next(answers)))
        case = cases.make(
            # A class of this module would be taken for tests.
            type('_Case', (_Instead, test_store_device.TestStoreDevice), {}),
            'test_disk_counts_guest_memory',
            hosts=[cases.host('fbm1', declared=samples.FILE_BACKED)])
        case.test_disk_counts_guest_memory()

    def test_nobody_else_writes(self):
        """Guests of others on the store would stand for the test's own"""
        self.assertTrue(test_store_device.TestStoreDevice.harmful)

    def test_written(self):
        self._run(500 + RAM, 600 + RAM)

    @ddt.data((500 + RAM, 600, 'SMART says 0'),
              (499 + RAM, 600 + RAM, 'kernel says %d' % (RAM - 1)))
    @ddt.unpack
    def test_not_written(self, kernel, smart, words):
        error = str(cases.assert_fails(self, self._run, kernel,
                                       smart))
        for text in ('host fbm1', samples.SERVER, 'expected at least', words):
            self.assertIn(text, error)
