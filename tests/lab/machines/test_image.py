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

import lzma
import struct

from mempage_lab import errors
from mempage_lab.machines import image
from mempage_lab import systems
from tests.lab import base


class ImageTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.tree = self.directory / 'tree'

    def _write(self, path, content=b''):
        path = self.tree / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _write_kernel(self, payload):
        header = bytearray(1024)
        header[0x1f1] = 1
        struct.pack_into('<II', header, 0x248, 16, len(payload))
        self._write('boot/vmlinuz-1', bytes(header) + bytes(16) + payload
                    + b'behind')

    def test_kernel(self):
        content = b'\x7fELF' + b'kernel' * 1000
        # Its size follows what is packed.
        self._write_kernel(lzma.compress(content, check=lzma.CHECK_CRC32)
                           + struct.pack('<I', len(content)))
        target = self.directory / 'vmlinux'
        image._make_kernel(self.tree, target)
        self.assertEqual(content, target.read_bytes())

    def test_kernel_that_is_not_packed_as_others(self):
        self._write_kernel(b'BZh9something')
        failure = self.assertRaises(errors.LabError, image._make_kernel,
                                    self.tree, self.directory / 'vmlinux')
        self.assertIn(b'BZh9so'.hex(), str(failure))

    def test_adapt(self):
        self._write('etc/ssh/ssh_host_ed25519_key')
        self._write('etc/systemd/system/multi-user.target.wants/ssh.service')
        image._adapt(self.tree)
        self.assertEqual([], list(self.tree.glob('etc/ssh/ssh_host*')))
        units = self.tree / 'etc/systemd/system'
        self.assertEqual('/dev/null',
                         str((units / 'fstrim.timer').readlink()))
        self.assertEqual(
            {'mempage-settle.service', 'mempage-setup.service'},
            {unit.name for unit in units.glob('multi-user.target.wants/*')})
        settle = self.tree / 'usr/local/sbin/mempage-settle'
        self.assertEqual(0o755, settle.stat().st_mode & 0o777)

    def test_name_changes_with_the_recipe(self):
        one = image.Image(systems.System('debian-13')).directory
        init = self.patch_object(image, 'INIT', self.directory / 'init')
        del init
        self.patch_object(image, 'HERE', self.directory)
        self.patch_object(image, 'ROOTFS', self.directory / 'none')
        self.patch_object(image, '__file__', str(self.directory / 'module'))
        image.INIT.write_text('other')
        (self.directory / 'module').write_text('other')
        two = image.Image(systems.System('debian-13')).directory
        self.assertNotEqual(one, two)
