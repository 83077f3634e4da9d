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

import dataclasses
import pathlib
import re
from unittest import mock

import ddt

from mempage_lab.drills import catalogue
from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_lab.drills import of_configuration
from mempage_lab.drills import of_consumers
from mempage_lab.drills import of_guests
from mempage_lab.drills import of_hosts
from mempage_lab.drills import of_moves
from mempage_lab.drills import of_nova
from mempage_lab.drills import of_operations
from mempage_lab import errors
from mempage_lab import files
from mempage_lab import installation
from mempage_lab import paths
from mempage_lab import topology
from tests.lab import base


class FakeNode:
    """A node with files, whose commands are only noted."""

    name = 'fbm1'

    def __init__(self, directory):
        self.directory = directory
        self.installation = base.openstack()
        self.commands = []
        self.mounts = ''

    def private(self, path):
        return self.directory / path.lstrip('/')

    def write(self, path, text, **kwargs):
        self.private(path).parent.mkdir(parents=True, exist_ok=True)
        self.private(path).write_text(text)

    def run(self, *command):
        self.commands.append(' '.join(map(str, command)))
        return self.mounts


class FaultsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.node = FakeNode(self.directory / 'node')
        self.module = self.directory / 'lib/python3.11/site-packages/nova/a.py'
        self.module.parent.mkdir(parents=True)
        self.module.write_text('limit = 1\nother = 2\n')
        self.patch_object(installation.Installation, 'venv', self.directory)

    def test_source_is_changed_for_the_node_only(self):
        fault = faults.Source('nova/a.py', 'limit = 1', 'limit = 9')
        fault.put_in(self.node)
        [mount] = self.node.commands
        _, _, copy, target = mount.split()
        self.assertEqual(str(self.module), target)
        self.assertEqual('limit = 9\nother = 2\n',
                         self.node.private(copy).read_text())
        self.assertEqual('limit = 1\nother = 2\n', self.module.read_text())

    def test_source_is_mended_once(self):
        fault = faults.Source('nova/a.py', 'limit = 1', 'limit = 9')
        self.node.mounts = '/dev/sda %s ext4 rw 0 0\n' % self.module
        fault.put_back(self.node)
        self.assertIn('umount %s' % self.module, self.node.commands)
        self.node.mounts, self.node.commands = '', []
        fault.put_back(self.node)
        self.assertEqual(['cat /proc/self/mounts'], self.node.commands)

    def test_source_that_is_not_as_expected(self):
        fault = faults.Source('nova/a.py', 'limit = 7', 'limit = 9')
        error = self.assertRaises(errors.LabError, fault.put_in, self.node)
        self.assertIn("has not one, but 0 places with 'limit = 7'", str(error))
        self.assertEqual([], self.node.commands)

    def test_options_come_back_as_they_were(self):
        text = '[DEFAULT]\n# why\na = 1\na = 2\n'
        self.node.write(faults.NOVA_CONF, text)
        fault = faults.Options({('DEFAULT', 'a'): None})
        fault.put_in(self.node)
        changed = self.node.private(faults.NOVA_CONF)
        self.assertEqual('[DEFAULT]\n# why\n', changed.read_text())
        for _ in range(2):
            fault.put_back(self.node)
            self.assertEqual(text, changed.read_text())

    def test_options_that_were_never_changed(self):
        self.node.write(faults.NOVA_CONF, '[DEFAULT]\n')
        faults.Options({('DEFAULT', 'a'): '1'}).put_back(self.node)
        self.assertEqual('[DEFAULT]\n', self.node.private(
            faults.NOVA_CONF).read_text())

    def test_a_setting_replaces_the_one_before(self):
        fault = faults.Setting('user = "b"')
        self.node.write(fault.file, 'user = "a"\nusers = "c"\n')
        fault.put_in(self.node)
        self.assertEqual('users = "c"\nuser = "b"\n',
                         self.node.private(fault.file).read_text())

    def test_the_emulators_wrapper_changes_the_guests_memory(self):
        fault = faults.Emulator('memory["share"] = False')
        fault.put_in(self.node)
        wrapper = self.node.private(
            faults.DIRECTORY + '/usr-bin-qemu-system-x86_64').read_text()
        seen = []
        word = '{"qom-type":"memory-backend-file","share":true}'
        with mock.patch('os.execv', lambda *words: seen.extend(words)), \
                mock.patch('sys.argv', ['qemu', '-m', '64', word]):
            exec(compile(wrapper, 'wrapper', 'exec'), {})
        self.assertEqual(faults.UNUSED, seen[0])
        self.assertEqual(
            ['qemu', '-m', '64',
             '{"qom-type": "memory-backend-file", "share": false}'], seen[1])

    def test_what_guests_of_the_emulator_leave_is_removed(self):
        faults.Emulator('', 'rm -f /left').put_back(self.node)
        self.assertIn('bash -uc rm -f /left', self.node.commands)

    def test_what_is_left_is_known_until_it_is_mended(self):
        self.assertIsNone(faults.left_on(self.node))
        faults.record(self.node, 'option-off')
        self.assertEqual('option-off', faults.left_on(self.node))
        faults.forget(self.node)
        self.assertEqual(
            ['rm -rf --one-file-system ' + faults.DIRECTORY],
            self.node.commands)


@ddt.ddt
class CatalogueTest(base.LabTestCase):

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(catalogue.DRILLS), 70)

    def test_none_is_another_ones_copy(self):
        faults_ = [(repr(each.fault), each.hosts(self.default_topology()))
                   for each in catalogue.DRILLS.values()]
        self.assertEqual([], [fault for fault in faults_
                              if faults_.count(fault) > 1])
        kept = sum(len(module.DRILLS) for module in (
            of_configuration, of_consumers, of_guests, of_hosts, of_moves,
            of_nova, of_operations))
        self.assertEqual(kept, len(catalogue.DRILLS))

    @ddt.data(*catalogue.DRILLS)
    def test_the_default_topology_has_the_host(self, name):
        self.assertNotEqual((), catalogue.DRILLS[name].hosts(
            self.default_topology()))

    def test_machines_get_no_faults(self):
        some = drill.Drill(what='what', where=lambda policy: True, fault=None,
                           tests='A', words='words')
        device, numa = (topology.load(topology.SHIPPED / name, [])
                        for name in ('device.yaml', 'numa.yaml'))
        self.assertEqual(('plain1',), some.hosts(device))
        self.assertEqual((), some.hosts(numa))

    @ddt.data(*catalogue.DRILLS)
    def test_what_catches_it_runs(self, name):
        chosen = catalogue.DRILLS[name]
        tests = pathlib.Path(catalogue.__file__).parents[2] / (
            'mempage_tempest_plugin/tests')
        source = ''.join(path.read_text() for path in tests.rglob('*.py'))
        test_class, _, test = chosen.tests.partition('\\.')
        self.assertIn('class %s(' % test_class, source)
        self.assertTrue(
            not test or re.search('def %s' % re.split(r'_[.\d]', test)[0],
                                  source),
            test)
        for text in chosen.words, chosen.caught_by, chosen.unsaid:
            re.compile(text)

    @ddt.data(*catalogue.DRILLS)
    def test_our_source_has_one_such_place(self, name):
        fault = catalogue.DRILLS[name].fault
        if getattr(fault, 'module', '').startswith('nova_mempage/'):
            files.replaced(paths.NOVA_EXTENSION / fault.module, fault.old,
                           fault.new)

    def test_a_topology_without_such_a_host(self):
        empty = mock.Mock(hosts=())
        self.assertEqual((), catalogue.DRILLS['option-off'].hosts(empty))
        self.assertEqual(('controller',),
                         catalogue.DRILLS['filter-off'].hosts(empty))

    def test_all_hosts_that_suit(self):
        everywhere = dataclasses.replace(catalogue.DRILLS['option-off'],
                                         everywhere=True)
        self.assertEqual(('fbm1', 'fbm2'),
                         everywhere.hosts(self.default_topology()))
