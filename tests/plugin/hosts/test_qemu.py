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

from oslotest import base

from mempage_tempest_plugin.hosts import qemu

OBJECTS = {
    'objmain': ('child<iothread>', {}),
    'ram-node0': ('child<memory-backend-file>', {
        'size': 1024, 'share': True, 'prealloc': True, 'mem-path': '/a/b',
        'discard-data': True}),
    'ram-node1': ('child<memory-backend-ram>', {
        'size': 2048, 'share': False, 'prealloc': False}),
}


def _ask(command, path, property=None):
    if command == 'qom-list':
        return [{'name': 'type', 'type': 'string'}] + [
            {'name': name, 'type': kind}
            for name, (kind, _) in OBJECTS.items()]
    return OBJECTS[path.rpartition('/')[2]][1][property]


class QemuTest(base.BaseTestCase):

    def test_memory_backends(self):
        self.assertEqual(
            [qemu.MemoryBackend('ram-node0', 'memory-backend-file', 1024,
                                True, True, '/a/b', True),
             qemu.MemoryBackend('ram-node1', 'memory-backend-ram', 2048,
                                False, False, None)],
            qemu.memory_backends(_ask))

    def _read(self, arch, dump):
        asked = []

        def ask(command, **arguments):
            asked.append(arguments.get('command-line'))
            return {'arch': arch} if command == 'query-target' else dump

        return qemu.read_memory(ask, 0x100000, 10), asked[-1]

    def test_read_memory(self):
        dump = ('0000000000100000: 0x4d 0x41 0x52 0x4b 0x2d 0x4f 0x46 0x2d\r\n'
                '0000000000100008: 0x00 0xff\r\n')
        self.assertEqual((b'MARK-OF-\x00\xff', 'xp /10xb 0x100000'),
                         self._read('x86_64', dump))

    def test_read_memory_that_begins_elsewhere(self):
        self.assertEqual((b'', 'xp /10xb 0x40100000'),
                         self._read('aarch64', 'Cannot access memory\r\n'))

    def _address(self, said):
        return qemu.host_address(
            lambda command, **arguments: {'arch': 'x86_64'}
            if command == 'query-target' else said, 0x100000)

    def test_host_address(self):
        self.assertEqual(0x7f1200100000, self._address(
            'Host virtual address for 0x100000 (pc.ram) is 0x7f1200100000\r\n'
        ))

    def test_no_host_address(self):
        self.assertIsNone(self._address(
            'Memory region at 0x100000 is not RAM\r\n'))
