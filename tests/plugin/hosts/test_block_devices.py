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

"""Tests of what tells which block devices are below a store."""

import os
import subprocess
from unittest import mock

import ddt
import fixtures
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import sections
from tests.plugin import samples

PARTITION = '''
=== device nvme0n1p1
259:2
 62 0 2528 44 9 2 4096 23 0 60 67 0 0 0 0 0 0
'''
DISK = '''
=== device nvme0n1
259:0
     500 0 35000 100 1200 30 8192 900 0 400 1000 0 0 0 0 12 34

=== disk nvme0n1
'''
SMART = '''
=== smart nvme0n1
{"critical_warning": 0, "data_units_written": %s}
'''
OTHER = '''
=== device loop0
7:0
62 0 2528 44 9 2 16 23 0 60 67

=== disk loop0
'''


@ddt.ddt
class ParseTest(base.BaseTestCase):

    def _parse(self, *parts):
        return block_devices.parse('device1', ''.join(parts))

    # nvme-cli writes large numbers as texts in some versions.
    @ddt.data('20', '"20"')
    def test_partition_of_an_nvme_disk(self, units):
        found = self._parse(PARTITION, DISK, SMART % units)
        self.assertEqual(block_devices.BlockDevices(
            {'nvme0n1p1': 4096 * 512, 'nvme0n1': 8192 * 512}, ['nvme0n1'],
            {'nvme0n1': 20 * 512000}), found)
        self.assertEqual('nvme0n1p1', next(iter(found.written)))
        self.assertIsNone(found.lacking)

    @ddt.data(
        ((DISK,), 'nvme-cli is not installed'),
        ((OTHER,), 'its store is on loop0, which is no NVMe disk'),
        ((DISK, SMART % 1, OTHER),
         'its store is on loop0, which is no NVMe disk'),
        ((), 'its store is on no block device'))
    @ddt.unpack
    def test_lacking(self, parts, lacking):
        self.assertEqual(lacking, self._parse(*parts).lacking)

    @ddt.data(
        '{"critical_warning": 0}', 'smart log: Invalid Command Opcode', '[]',
        '{"data_units_written": "many"}')
    def test_disk_that_does_not_tell(self, text):
        error = self.assertRaises(
            exceptions.FactsMissing, self._parse, DISK,
            '\n=== smart nvme0n1\n%s\n' % text)
        self.assertIn('nvme0n1', str(error))
        self.assertIn(text, str(error))


class ScriptTest(base.BaseTestCase):
    """The script itself, run on this machine with disks that are made up."""

    def setUp(self):
        super().setUp()
        self.top = self.useFixture(fixtures.TempDir()).path
        for name, number in (('nvme0n1', '259:0'), ('dm-0', '252:0'),
                             ('nvme1n1', '259:7')):
            self._device('devices/' + name, name, number)
        self._device('devices/nvme0n1/nvme0n1p1', 'nvme0n1p1', '259:1')
        self._write('sys/devices/nvme0n1/nvme0n1p1/partition', '1\n')
        for name in ('nvme0n1p1', 'nvme1n1'):
            os.makedirs(self._path('sys/devices/dm-0/slaves'), exist_ok=True)
            os.symlink(os.readlink(self._path('sys/class/block/' + name)),
                       self._path('sys/devices/dm-0/slaves/' + name))
        self._write('bin/nvme', '#!/bin/sh\necho \'{"data_units_written": 5}\''
                    '\n')
        os.chmod(self._path('bin/nvme'), 0o755)

    def _path(self, path):
        return os.path.join(self.top, path)

    def _write(self, path, text):
        os.makedirs(os.path.dirname(self._path(path)), exist_ok=True)
        with open(self._path(path), 'w', encoding='utf-8') as stream:
            stream.write(text)

    def _device(self, place, name, number):
        self._write('sys/%s/dev' % place, number + '\n')
        self._write('sys/%s/stat' % place, '1 2 3 4 5 6 7 8\n')
        for link in ('class/block/' + name, 'dev/block/' + number):
            os.makedirs(os.path.dirname(self._path('sys/' + link)),
                        exist_ok=True)
            os.symlink(self._path('sys/' + place), self._path('sys/' + link))

    def _look(self, device, source='/dev/none'):
        host = mock.Mock()
        host.name = 'device1'
        host.declared = samples.FILE_BACKED
        host.real = lambda path: path
        host.survey.return_value = samples.host_survey(mounts=[
            samples.host_survey().mounts[0],
            mounts.Mount(2, 1, samples.DIRECTORY, device, 'ext4', source)])
        host.ssh.execute.side_effect = self._execute
        return block_devices.look(host)

    def _execute(self, command, root, stdin=''):
        if not stdin:
            # What is to be written is written before.
            self.assertEqual(['sync', '-f', '--', samples.DIRECTORY],
                             command[-4:])
            self.synced = True
            return None
        self.assertTrue(self.synced)
        # This machine's own are left alone.
        result = subprocess.run(
            command, text=True, capture_output=True, check=True,
            env={**os.environ, 'PATH': '%s:%s' % (self._path('bin'),
                                                  os.environ['PATH'])},
            input=stdin.replace('/sys/', self.top + '/sys/'))
        return result

    def test_disk(self):
        self.assertEqual(block_devices.BlockDevices(
            {'nvme1n1': 7 * 512}, ['nvme1n1'], {'nvme1n1': 5 * 512000}),
            self._look('259:7'))

    def test_partition(self):
        found = self._look('259:1')
        self.assertEqual((['nvme0n1p1', 'nvme0n1'], ['nvme0n1']),
                         (list(found.written), found.disks))

    def test_through_device_mapper(self):
        found = self._look('252:0')
        self.assertEqual(['dm-0', 'nvme0n1p1', 'nvme0n1', 'nvme1n1'],
                         list(found.written))
        self.assertEqual(['nvme0n1', 'nvme1n1'], found.disks)
        self.assertEqual({'nvme0n1': 5 * 512000, 'nvme1n1': 5 * 512000},
                         found.smart)

    def _describe(self, device):
        self.synced = True
        return sections.split(block_devices.describe(
            mock.Mock(**{'ssh.execute.side_effect': self._execute}),
            mounts.Mount(2, 1, '/', device, 'ext4', '/dev/none')))

    def test_what_a_disk_is(self):
        self._write('sys/devices/nvme1n1/device/transport', 'pcie\n')
        self._write('sys/devices/nvme1n1/device/firmware_rev', 'GDC56\n')
        found = self._describe('259:7')
        self.assertEqual(('pcie', 'GDC56'), (
            found['disk nvme1n1'].strip(), found['firmware nvme1n1'].strip()))
        self.assertNotIn('smartctl nvme1n1', found)
        self.assertIn('blockdevices', found['lsblk'])

    def test_disk_of_another_kind(self):
        self._device('devices/sda', 'sda', '8:0')
        self._write('bin/smartctl', '#!/bin/sh\necho "$@"\n')
        os.chmod(self._path('bin/smartctl'), 0o755)
        self.assertEqual('--json --xall /dev/sda', self._describe('8:0')[
            'smartctl sda'].strip())

    def test_target_of_the_device_mapper(self):
        self._write('sys/devices/dm-0/dm/uuid', 'LVM-1')
        self._write('bin/dmsetup', '#!/bin/sh\necho "0 2048 thin 253:2 1"\n')
        os.chmod(self._path('bin/dmsetup'), 0o755)
        self.assertEqual('thin', self._describe('252:0')[
            'target dm-0'].strip())

    def test_read_ahead(self):
        for status, output, kib in ((0, '128\n', 128), (1, '', None)):
            host = mock.Mock(**{'ssh.execute.return_value': mock.Mock(
                status=status, stdout=output)})
            self.assertEqual(kib, block_devices.read_ahead_kib(
                host, mock.Mock(device='259:7')))

    def test_file_system_with_a_number_of_its_own(self):
        self._write('dev/nvme1n1', '')
        self.assertEqual(['nvme1n1'], self._look(
            '0:44', self._path('dev/nvme1n1')).disks)

    def test_no_device(self):
        self.assertEqual('its store is on no block device',
                         self._look('0:44', 'tmpfs').lacking)
