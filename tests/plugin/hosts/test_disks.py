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

"""Tests of what tells what the devices below a store are."""

import json

import ddt
from oslotest import base

from mempage_tempest_plugin.hosts import disks
from mempage_tempest_plugin.hosts import sections
from tests.plugin.hosts import test_smart


def entry(name, **changed):
    return {'kname': name, 'type': 'disk', 'tran': None, 'model': None,
            'serial': None, 'size': 1024, 'log-sec': 512, 'ra': 128,
            'sched': 'none', **changed}


def output(*names, lsblk=(), bottom='', **parts):
    """Print what the script would, each device below the one before it."""
    text = ''.join('=== device %s\n1:2\n1 2 3 4 5 6 7\n' % name
                   for name in names)
    if bottom:
        text += '=== disk %s\n%s\n' % (bottom, parts.pop('transport', ''))
    for name, body in parts.items():
        text += '=== %s\n%s\n' % (name.replace('_', ' '), body)
    return sections.split(text + '=== lsblk\n' + json.dumps(
        {'blockdevices': list(lsblk)}))


@ddt.ddt
class DisksTest(base.BaseTestCase):

    def test_nvme_partition(self):
        found = disks.parse(output(
            'nvme0n1p1', 'nvme0n1', bottom='nvme0n1', transport='pcie',
            firmware_nvme0n1='GDC5602Q ',
            smart_nvme0n1=json.dumps(test_smart.NVME_CLI), lsblk=[
                entry('nvme0n1p1', type='part', children=[entry(
                    'nvme0n1', tran='nvme', model='SAMSUNG MZQL21T9HCJR',
                    serial='S63SNE0R1', size='1920383410176')])]))
        self.assertEqual(['partition', 'disk'], found.kinds)
        [disk] = found.disks
        self.assertEqual(
            ('SAMSUNG MZQL21T9HCJR', 'S63SNE0R1', 'GDC5602Q', 'nvme', False,
             1920383410176, 15),
            (disk.model, disk.serial, disk.firmware, disk.transport,
             disk.emulated, disk.size_bytes, disk.smart.percentage_used))

    @ddt.unpack
    @ddt.data(('thin', 'thin'), ('thin-pool', 'thin'), ('crypt', 'crypt'),
              ('linear', 'lvm'), ('raid', 'raid'))
    def test_device_mapper(self, target, kind):
        found = disks.parse(output(
            'dm-0', 'sda', bottom='sda', target_sda='',
            lsblk=[entry('dm-0', type='lvm', children=[entry('sda')])],
            **{'target_dm-0': target}))
        self.assertEqual([kind, 'disk'], found.kinds)

    @ddt.unpack
    @ddt.data(('tcp', None, 'nvme0n1', 'network'),
              ('loop', None, 'nvme0n1', 'loop'),
              ('', 'iscsi', 'sda', 'network'),
              ('', None, 'rbd0', 'network'), ('', None, 'zram0', 'memory'),
              ('', None, 'loop3', 'loop'), ('', None, 'pmem0', 'pmem'))
    def test_elsewhere(self, transport, tran, name, kind):
        found = disks.parse(output(
            name, bottom=name, transport=transport,
            lsblk=[entry(name, tran=tran)]))
        self.assertEqual([kind], found.kinds)

    @ddt.unpack
    @ddt.data(('nvme0n1', None, 'QEMU NVMe Ctrl', 'nvme', True),
              ('sda', 'sata', 'QEMU HARDDISK', 'sata', True),
              ('sda', 'sas', 'SAMSUNG MZILT1T6', 'sas', False),
              ('sda', None, 'PERC H740P Mini', 'other', False),
              ('vda', 'virtio', None, 'virtio', True),
              ('nvme0n1', 'nvme', 'Amazon Elastic Block Store', 'nvme', True),
              ('nvme0n1', 'nvme', 'INTEL SSDPEKNW010T8', 'nvme', False))
    def test_devices(self, name, tran, model, transport, emulated):
        [disk] = disks.parse(output(name, bottom=name, lsblk=[
            entry(name, tran=tran, model=model)])).disks
        self.assertEqual((transport, emulated), (disk.transport,
                                                 disk.emulated))

    def test_several_disks(self):
        found = disks.parse({**output(
            'md0', 'sda', 'sdb', bottom='sda', lsblk=[
                entry('md0', type='raid1', children=[
                    entry('sda'), entry('sdb')])]), 'disk sdb': ''})
        self.assertEqual((['raid', 'disk', 'disk'], 2),
                         (found.kinds, len(found.disks)))

    def test_nothing(self):
        self.assertEqual(disks.Stack([], []), disks.parse({}))
