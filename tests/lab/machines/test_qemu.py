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

import json
import pathlib

from mempage_lab.machines import qemu
from tests.lab import base

DIRECTORY = pathlib.Path('/m')


class ArgumentsTest(base.LabTestCase):

    def test_numa(self):
        hardware = qemu.Hardware((qemu.Numa(512, 1), qemu.Numa(1024, 2)))
        arguments = list(qemu.hardware_arguments(hardware))
        self.assertIn('node,nodeid=0,memdev=node0,cpus=0-0', arguments)
        self.assertIn('node,nodeid=1,memdev=node1,cpus=1-2', arguments)
        self.assertIn('3,sockets=3', arguments)
        self.assertIn('1536', arguments)

    def test_accelerator(self):
        self.assertIn('tcg,thread=multi',
                      list(qemu.hardware_arguments(qemu.Hardware())))
        self.assertIn('kvm',
                      list(qemu.hardware_arguments(qemu.Hardware(kvm=True))))

    def test_memory(self):
        hardware = qemu.Hardware((qemu.Numa(2),))
        [_, memory] = qemu.memory_arguments(hardware)
        self.assertEqual({'qom-type': 'memory-backend-ram', 'id': 'node0',
                          'size': 2097152}, json.loads(memory))
        [_, memory] = qemu.memory_arguments(hardware, DIRECTORY)
        memory = json.loads(memory)
        self.assertEqual('/m/memory-0', memory['mem-path'])
        # Other machines begin from the same file.
        self.assertIs(False, memory['share'])

    def test_cards(self):
        cards = (qemu.Card('t0', '02:00:00:00:00:01'),
                 qemu.Card('t1', '02:00:00:00:00:02'))
        text = ' '.join(qemu.device_arguments(DIRECTORY, cards))
        self.assertIn('tap,id=card1,ifname=t1,script=no', text)
        self.assertIn('"mac": "02:00:00:00:00:02"', text)
        bare = ' '.join(qemu.device_arguments(DIRECTORY))
        self.assertEqual(text.count('virtio-net-pci'),
                         bare.count('virtio-net-pci'))
        self.assertNotIn('netdev', bare)

    def test_disk_is_the_same_plugged_in_or_booted_with(self):
        disk = qemu.Nvme('A1', 64)
        block, device = qemu.nvme(1, disk, DIRECTORY)
        self.assertEqual('/m/nvme-A1.qcow2', block['file']['filename'])
        self.assertEqual(
            ['A1', '0x11'], [device['serial'], device['addr']])
        arguments = list(qemu.nvme_arguments([qemu.Nvme('A0', 1), disk],
                                             DIRECTORY))
        self.assertIn(json.dumps(block), arguments)
        self.assertIn(json.dumps(device), arguments)

    def test_what_is_not_flushed_is_lost(self):
        block, _ = qemu.nvme(0, qemu.Nvme('A', 1), DIRECTORY)
        self.assertEqual('qcow2', block['driver'])
        self.assertIs(True, block['cache']['no-flush'])
