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

import os
import pathlib
import stat
import subprocess

import fixtures
from oslotest import base

from mempage_lab import errors
from mempage_lab import image

LDD = """\
\tlinux-vdso.so.1 (0x00007fff6e5f2000)
\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f5f0a1c0000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f5f09fdf000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f5f0a2b0000)
"""

RECORD = """\
Package: linux-image-cloud-amd64
Version: %(version)s
Depends: linux-image-6.1.0-56-cloud-amd64 (= %(version)s)
Description: Linux for x86-64 cloud (meta-package)
"""


class ImageTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)

    def _patch(self, name, value):
        self.useFixture(fixtures.MonkeyPatch(
            'mempage_lab.image.' + name, value))

    def _offer_kernel(self, record):
        self._patch('shell.run', lambda *command, **kwargs: record)


class FingerprintTest(ImageTestCase):

    def setUp(self):
        super().setUp()
        self._offer_kernel(RECORD % {'version': '6.1.192-2'})
        self.file = self.directory / 'rootfs' / 'init'
        self.file.parent.mkdir()
        self.file.write_text('one')
        self._patch('RECIPE', self.directory)
        self.before = image.fingerprint()

    def test_same(self):
        self.assertEqual(self.before, image.fingerprint())

    def test_other_modules_are_another_image(self):
        self.assertNotEqual(self.before,
                            image.fingerprint(image.SHARE_MODULES))

    def test_recipe_changed(self):
        self.file.write_text('two')
        self.assertNotEqual(self.before, image.fingerprint())

    def test_file_moved(self):
        (self.directory / 'elsewhere').mkdir()
        self.file.rename(self.directory / 'elsewhere' / 'init')
        self.assertNotEqual(self.before, image.fingerprint())

    def test_new_kernel(self):
        self._offer_kernel(RECORD % {'version': '6.1.193-1'})
        self.assertNotEqual(self.before, image.fingerprint())

    def test_no_kernel_package(self):
        self._offer_kernel('Package: linux-image-cloud-amd64\n')
        error = self.assertRaises(errors.LabError, image.fingerprint)
        self.assertIn('linux-image-cloud-amd64', str(error))


class RootTest(ImageTestCase):

    def test_libraries(self):
        self.assertEqual(
            ['/lib/x86_64-linux-gnu/libz.so.1',
             '/lib/x86_64-linux-gnu/libc.so.6',
             '/lib64/ld-linux-x86-64.so.2'],
            [str(path) for path in image._libraries(LDD)])

    def test_modes_do_not_depend_on_the_installer(self):
        root = self.directory / 'root'
        image._add_directories(root)
        image._add_recipe(root)
        modes = {name: stat.S_IMODE((root / name).stat().st_mode)
                 for name in ('usr/bin/sudo', 'etc/inittab', 'home/guest')}
        self.assertEqual({'usr/bin/sudo': 0o755, 'etc/inittab': 0o644,
                          'home/guest': 0o700}, modes)

    def test_login_user_is_in_the_image(self):
        passwd = (image.RECIPE / 'rootfs/etc/passwd').read_text()
        self.assertEqual(image.LOGIN_USER, passwd.split(':')[0])

    def test_scripts_parse(self):
        scripts = [path for path in (image.RECIPE / 'rootfs').rglob('*')
                   if path.is_file()
                   and path.read_bytes().startswith(b'#!/bin/sh\n')]
        self.assertNotEqual([], scripts)
        for script in scripts:
            subprocess.run(['sh', '-n', script], check=True)

    def test_sudo_runs_its_arguments(self):
        output = subprocess.run(
            ['sh', image.RECIPE / 'rootfs/usr/bin/sudo', '-n', '-E',
             'echo', '-n', 'two words'],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        self.assertEqual('two words', output)

    def test_signature_is_removed(self):
        module = self.directory / 'a.ko'
        signature = b'pkcs7'
        # struct module_signature: its last word is the length.
        trailer = bytes(8) + len(signature).to_bytes(4, 'big')
        module.write_bytes(b'ELF' + signature + trailer
                           + b'~Module signature appended~\n')
        for _ in range(2):
            image._remove_signature(module)
            self.assertEqual(b'ELF', module.read_bytes())

    def test_missing_program(self):
        self._patch('SEARCH_PATH', str(self.directory))
        error = self.assertRaises(errors.LabError, image._which, 'lsblk')
        self.assertIn('lsblk is not installed', str(error))
        self.assertIn('apt-get install busybox-static', str(error))


class PublishTest(ImageTestCase):

    def setUp(self):
        super().setUp()
        self.disk = self.directory / 'disk'
        self.disk.write_text('new')
        self.cache = self.directory / 'cache'
        self.cache.mkdir()
        self.destination = self.cache / 'guest.raw'
        self.destination.write_text('old')

    def test_publish(self):
        image._publish(self.disk, self.destination)
        self.assertEqual('new', self.destination.read_text())
        self.assertEqual(['guest.raw'], os.listdir(self.cache))

    def test_failure_keeps_the_old_image(self):
        self.disk.unlink()
        self.assertRaises(FileNotFoundError, image._publish, self.disk,
                          self.destination)
        self.assertEqual('old', self.destination.read_text())
        self.assertEqual(['guest.raw'], os.listdir(self.cache))
