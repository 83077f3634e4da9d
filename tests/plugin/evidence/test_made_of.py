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

"""Tests of documents of what hosts are made of."""

import dataclasses
from unittest import mock

import ddt
import fixtures
from oslotest import base

from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import made_of
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import machine
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import survey
from tests.plugin.hosts import test_machine
from tests.plugin import samples

RUN = '6ec5d6a5-5a25-4d0c-9c1c-0f9f0a1d2b33'
NVME = '''
=== device nvme0n1
259:0
1 2 3 4 5 6 7

=== disk nvme0n1
pcie

=== lsblk
{"blockdevices": [{"kname": "nvme0n1", "type": "disk", "tran": "nvme",
 "model": "MODEL X_2", "serial": "S123", "size": 10000000000, "log-sec": 512,
 "ra": 128, "sched": "none"}]}
'''


@ddt.ddt
class MadeOfTest(base.BaseTestCase):

    def _look(self, below, accelerator='kvm', filesystem='ext4',
              options=('rw', 'noatime')):
        host = mock.Mock(declared=samples.FILE_BACKED, real=lambda path: path)
        host.name = 'fbm1'
        host.libvirt.versions.return_value = ('9.0.0', '7.2.22')
        host.survey_store.return_value = dataclasses.replace(
            samples.host_survey(), mounts=[
                samples.host_survey().mounts[0],
                mounts.Mount(2, 1, samples.DIRECTORY, '259:0', filesystem,
                             '/dev/nvme0n1', options)],
            store=survey.Store(2 << 30, 1 << 30, 0, 1 << 30, 0))
        self.useFixture(fixtures.MockPatchObject(
            machine, 'look', return_value=machine.parse(
                test_machine.OUTPUT % '', accelerator)))
        self.useFixture(fixtures.MockPatchObject(
            block_devices, 'describe', return_value=below))
        return made_of.look(host, RUN, environments.BEFORE)

    def test_nvme(self):
        found = self._look(NVME)
        self.assertEqual(('kvm', ['disk'], ['rw', 'noatime'], False, 1024), (
            found['accelerator'], found['store']['stack'],
            found['store']['mount_options'], found['store']['dax'],
            found['store']['usable_mib']))
        [device] = found['store']['devices']
        self.assertEqual(
            ('MODEL X_2', environments.serial_hash('MODEL X_2', 'S123'),
             'unknown'),
            (device['model'], device['serial_hash'], device['firmware']))
        self.assertNotIn('serial', device)

    @ddt.unpack
    @ddt.data(('tmpfs', 'memory'), ('nfs4', 'network'), ('zfs', 'other'))
    def test_without_device(self, filesystem, kind):
        store = self._look('', filesystem=filesystem)['store']
        self.assertEqual(([kind], []), (store['stack'], store['devices']))

    def test_dax(self):
        self.assertTrue(self._look(NVME, options=('rw', 'dax=always'))
                        ['store']['dax'])

    def test_neither_kvm_nor_emulated(self):
        error = self.assertRaises(exceptions.DocumentError, self._look, NVME,
                                  accelerator=None)
        self.assertIn('environment of host fbm1: $.accelerator', str(error))

    @ddt.unpack
    @ddt.data(('', 'unknown'), ('\n#!', 'unknown'), (' (R) Xeon', 'R) Xeon'),
              ('x' * 200, 'x' * 120), ('a"b', 'ab'))
    def test_label(self, text, label):
        self.assertEqual(label, made_of.label(text))
