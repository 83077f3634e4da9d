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

from mempage_lab import errors
from mempage_lab.machines import image
from mempage_lab.machines import machine
from mempage_lab.machines import qemu
from mempage_lab.machines import snapshot
from mempage_lab.machines import sockets
from mempage_lab import systems
from tests.lab import base


class SnapshotTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.version = self.patch_object(qemu, 'version')
        self.version.return_value = '1'
        self.make_disk = self.patch_object(qemu, 'make_disk')
        self.uuid = self.patch_object(image, 'disk_uuid')
        self.uuid.return_value = '1'
        self.image = image.Image(systems.System('debian-13'))
        self.patch_object(self.image, 'make')
        self.bare = self.patch_object(machine, 'Bare').return_value
        self.patch_object(snapshot.Snapshot, '_save')

    def _snapshot(self, *numa, kvm=False):
        return snapshot.Snapshot(self.image, qemu.Hardware(
            numa or (qemu.Numa(512),), kvm))

    def test_name(self):
        one = self._snapshot().directory
        self.assertEqual(one, self._snapshot().directory)
        self.assertNotEqual(one, self._snapshot(qemu.Numa(256)).directory)
        self.assertNotEqual(one, self._snapshot(kvm=True).directory)
        self.uuid.return_value = '2'
        self.assertNotEqual(one, self._snapshot().directory)
        self.uuid.return_value = '1'
        self.version.return_value = '2'
        self.assertNotEqual(one, self._snapshot().directory)

    def test_make(self):
        made = self._snapshot()
        made.make()
        made.make()
        self.bare.process.start.assert_called_once_with(
            mock.ANY, ends_with_us=True)
        self.assertTrue(made.directory.is_dir())

    def test_one_that_answers_nobody(self):
        self.bare.failure = lambda text: errors.LabError('machine ' + text)
        made = self._snapshot()
        self.bare.run.side_effect = sockets.Lost('agent.sock: timed out')
        error = self.assertRaises(sockets.Lost, made.make)
        self.assertEqual('machine is lost: agent.sock: timed out', str(error))
        self.assertEqual(2, self.bare.process.kill.call_count)
        self.bare.run.side_effect = [sockets.Lost('x'), *(
            [''] * (len(snapshot.WARM_UP) + 1))]
        made.make()
        self.assertTrue(made.directory.is_dir())

    def test_what_is_cut_short_is_no_snapshot(self):
        made = self._snapshot()
        snapshot.Snapshot._save.side_effect = KeyboardInterrupt
        self.assertRaises(KeyboardInterrupt, made.make)
        self.assertFalse(made.directory.exists())
        self.bare.process.kill.assert_called_once_with()
        snapshot.Snapshot._save.side_effect = None
        leftover = made.directory.with_suffix('.new') / 'leftover'
        leftover.touch()
        made.make()
        self.assertEqual([], list(made.directory.iterdir()))
