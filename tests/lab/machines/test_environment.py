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

from unittest import mock

from mempage_lab.machines import environment
from mempage_lab.machines import image
from tests.lab import base


class EnvironmentTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.venv = self.directory / 'cache' / 'openstack-1'
        self.packages = self.venv / 'lib/python3.13/site-packages'
        self._write(self.packages / 'nova/driver.py')
        self.make_disk = self.patch_object(image, 'make_disk')
        self.environment = environment.Environment(mock.Mock(venv=self.venv))

    def _write(self, path, text=''):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _install_extension(self):
        self._write(self.packages / 'nova/mempage.py', 'new')
        self._write(self.venv / 'bin/mempage-nova')
        self._write(self.venv / 'nova-mempage')
        self._write(self.packages / 'nova_mempage-1.dist-info/RECORD',
                    'nova/mempage.py,,\nnova/gone.pyc,,\n'
                    '../../../bin/mempage-nova,,\n'
                    'nova_mempage-1.dist-info/RECORD,,\n')

    def test_disk_is_without_the_extension(self):
        self._install_extension()

        def look(tree, target, size):
            self.found = {path.name for path in tree.rglob('*')
                          if path.is_file()}
            target.touch()

        self.make_disk.side_effect = look
        self.environment.make()
        self.environment.make()
        self.assertEqual({'driver.py'}, self.found)
        self.make_disk.assert_called_once()
        self.assertTrue((self.packages / 'nova/mempage.py').exists())
        self.assertEqual(
            [self.environment.disk],
            [path for path in self.venv.parent.iterdir()
             if path != self.venv])

    def test_extension(self):
        self.assertEqual({}, self.environment.extension())
        self._install_extension()
        files = self.environment.extension()
        self.assertEqual('new', files[
            self.packages / 'nova/mempage.py'].content.decode())
        self.assertIn(self.venv / 'bin/mempage-nova', files)
        self.assertEqual(3, len(files))
