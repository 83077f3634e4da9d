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

"""Tests of figures of guests that have much memory, or little."""

from unittest import mock

import ddt
import fixtures

from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.bases import stores
from mempage_tempest_plugin.tests.scenario import test_measure_device
from tests.plugin.bases import cases
from tests.plugin.bases import test_measured
from tests.plugin import samples


@ddt.ddt
class FootprintTest(test_measured.MeasuredTestCase):

    def setUp(self):
        super().setUp()
        self.host = cases.host('fbm1')
        self.host.declared.limit = lambda seconds: seconds
        self.host.declared.file_backed.capacity_mib = 4096
        self.host.declared.file_backed.mount = '/srv/memory'
        self.host.survey.return_value.memory_mib = 1536
        self.host.survey.return_value.files = {
            samples.PATH: samples.file(samples.PATH, 'f', size=samples.RAM)}
        done = fio.Done(30, 0, 0.1, {})
        self.ran = self.useFixture(fixtures.MockPatchObject(
            fio, 'run', return_value=('3.33', {'random': done}))).mock
        self.useFixture(fixtures.MockPatchObject(block_devices, 'look'))
        self.made = []
        self.permitted = True

    def _run(self, name):
        case = self.case = cases.make(
            test_measure_device.TestMeasureDevice, hosts=[self.host])
        self.useFixture(fixtures.MockPatchObject(
            test_measure_device, 'CONF', cases.options(
                mempage={'fill_stores': self.permitted})))
        case.nova = mock.Mock()
        case.create_flavor = lambda specs, ram_mib: {'ram': ram_mib}
        case.boot_reachable = self._boot
        case.skip_if_shared = mock.Mock()
        case.make_control = lambda server: self.made.append(
            ('control', server.uuid))
        case.fill = self._fill
        case.path_of = lambda server: samples.PATH
        case.turn_to = self._turn_to
        case.end = mock.Mock()
        getattr(case, 'test_' + name)()

    def _turn_to(self, host):
        self.case.host, self.case.seed = host, 7
        self.case.versions = {'ioping': '1.3'}
        self.case._began_at = measured.now()

    def _boot(self, host, flavor):
        self.made.append(('boot', flavor['ram']))
        return mock.Mock(uuid=str(len(self.made)), ram_mib=flavor['ram'])

    def _fill(self, server, mib):
        self.made.append(('fill', mib))
        return mock.Mock(**{'random_bandwidth.return_value': mib})

    @ddt.unpack
    @ddt.data(('half', 576, 0.5), ('equal', 1344, 1), ('double', 2880, 2))
    def test_kept(self, name, ram, footprint):
        self._run(name)
        found = self.kept()['footprint.%s.throughput' % name]
        self.assertEqual((footprint, [ram * 70 // 100, 134] * 2, 30), (
            found['footprint_over_dram'],
            [sample['value'] for sample in found['samples']],
            found['limit']['value']))
        # The control has what the host has: it comes first.
        self.assertEqual([('boot', 192), ('control', '1'), ('boot', ram),
                          ('fill', 134), ('fill', ram * 70 // 100)],
                         self.made)
        self.assertEqual(64, self.ran.call_args[0][2])
        for memory in self.case._footprint._memories['store']:
            memory.random_bandwidth.assert_called_with(30, 7)

    def test_too_small(self):
        error = self.assertRaises(self.skipException, self._run, 'fourfold')
        self.assertIn(
            'the store is too small for more than the host\'s memory: host '
            'fbm1: file_backed.capacity_mib is 4096, and guests with 4 times '
            'its memory need 6144', str(error))
        self.assertEqual([], self.made)

    def test_not_permitted(self):
        self.permitted = False
        error = self.assertRaises(self.skipException, self._run, 'half')
        self.assertIn('[mempage] fill_stores does not allow', str(error))
        self.assertEqual([], self.made)

    def test_several_guests(self):
        """No guest has more than CPUs know, and none has more controls"""
        with mock.patch.object(stores, 'MOST_MIB', 1000):
            self._run('double')
        self.assertEqual([('boot', 64)] * 3, [
            each for each in self.made if each[0] == 'boot'][:3])
        self.assertEqual([('boot', 960)] * 3, [
            each for each in self.made if each[0] == 'boot'][3:])
        found = self.kept()['footprint.double.throughput']
        self.assertEqual([3 * 672, 3 * 44] * 2, [
            sample['value'] for sample in found['samples']])
        self.assertEqual(2, found['footprint_over_dram'])
