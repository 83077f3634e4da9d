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
import subprocess
import sys

import ddt
import psutil

from mempage_lab import errors
from mempage_lab import files
from mempage_lab import node
from mempage_lab import paths
from mempage_lab import systems
from tests.lab import base


@ddt.ddt
class NodeTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.node = node.Node('a', 10, '10.0.0.10', base.openstack())

    @ddt.data(('/etc/nova/nova.conf', 'hosts/a/etc/nova/nova.conf'),
              ('/var/lib/nova', 'hosts/a/var/lib/nova'),
              ('/var/log', 'logs/a'),
              ('/var/log/nova-compute.log', 'logs/a/nova-compute.log'),
              ('/var/logs', 'hosts/a/var/logs'))
    @ddt.unpack
    def test_where_the_machine_sees_a_file(self, path, expected):
        self.assertEqual(paths.STATE / expected, self.node.private(path))

    def _write_pid(self, text):
        path = self.node.private('/pid')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_pid(self):
        own = psutil.Process()
        self._write_pid('%d %s' % (own.pid, own.create_time()))
        self.assertEqual(own.pid, self.node.pid)
        self.assertEqual(['nsenter', '--target', str(own.pid)],
                         self.node.enter('true')[:3])

    @ddt.data('', 'x', '%d 1.5' % os.getpid())
    def test_not_running(self, content):
        self._write_pid(content)
        self.assertIsNone(self.node.pid)
        error = self.assertRaises(errors.LabError, self.node.enter, 'true')
        self.assertEqual('a is not running: mempage-lab up', str(error))

    def test_explanation_ends_with_the_log(self):
        log = self.node.log('sshd')
        log.parent.mkdir(parents=True)
        log.write_text('\n'.join('line %d' % n for n in range(100)))
        explanation = self.node.explain('sshd').splitlines()
        self.assertEqual('sshd on a does not come up; the end of %s:' % log,
                         explanation[0])
        self.assertEqual('line 99', explanation[-1])
        self.assertEqual(16, len(explanation))

    def test_tail_of_no_file(self):
        self.assertEqual('', files.tail(pathlib.Path('/nonexistent')))

    def _programs(self, *states):
        supervisor = base.supervisor()
        supervisor.getProcessInfo.side_effect = [
            base.process(statename=state) for state in states]
        self.patch_object(node.Node, 'supervisor', supervisor)

    def test_wait_for(self):
        self._programs('STARTING', 'RUNNING', 'RUNNING')
        answers = [OSError(), False, True]

        def ready():
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        self.node.wait_for('sshd', ready)
        self.assertEqual([], answers)

    def test_wait_for_a_program_that_ended(self):
        self._programs('STARTING', 'FATAL')
        error = self.assertRaises(errors.LabError, self.node.wait_for,
                                  'sshd', lambda: False)
        self.assertIn('sshd on a does not come up', str(error))


@ddt.ddt
class SystemTest(base.LabTestCase):
    """What a node of another system than the machine's has."""

    def setUp(self):
        super().setUp()
        self.owners = self.patch_object(os, 'chown')
        self.nodes = {name: node.Node('a', 10, '10.0.0.10', base.openstack(
            system=name)) for name in systems.DEBIANS}
        self.node = self.nodes['debian-13']
        etc = self.node.system.seen('/etc')
        etc.mkdir(parents=True)
        (etc / 'passwd').write_text('root:x:0:0:root:/root:/bin/bash\n'
                                    'mysql:x:101:102::/nonexistent:/bin/sh\n')

    def test_its_etc_is_the_trees(self):
        self.node.prepare()
        self.assertEqual(['passwd'], [
            path.name for path in self.node.private('/etc').iterdir()])
        for directory in node.PRIVATE:
            self.assertTrue(self.node.private(directory).is_dir())

    def test_its_etc_is_kept(self):
        self.node.prepare()
        self.node.write('/etc/hosts', 'text')
        self.node.prepare()
        self.assertEqual('text', self.node.private('/etc/hosts').read_text())

    def test_files_belong_to_the_trees_users(self):
        for owner, numbers in (('mysql', (101, 102)), ('root', (0, 0))):
            self.node.write('/etc/a', 'text', owner=owner)
            self.owners.assert_called_with(self.node.private('/etc/a'),
                                           *numbers)

    def test_files_of_nobody(self):
        error = self.assertRaises(errors.LabError, self.node.write, '/etc/a',
                                  'text', owner='sql')
        self.assertIn('debian-13 has no user sql', str(error))

    def _init(self, system):
        """Return the lines of what a node of a system runs first."""
        for module, name in ((node, 'stop'), (node.network, 'plug_host'),
                             (node.Node, '_spawn'),
                             (node.Node, 'wait_for_supervisor')):
            self.patch_object(module, name)
        chosen = self.nodes[system]
        chosen.start([], {}, 'set up')
        path = chosen.private('/etc/mempage-lab/init.sh')
        subprocess.run(['bash', '-n', path], check=True)
        return path.read_text().splitlines()

    def test_the_machines_root_is_the_root(self):
        lines = self._init('debian-12')
        self.assertIn('root=', lines)
        self.assertNotIn('pivot_root', '\n'.join(lines))
        self.assertIn('mount --bind %s $root/etc' % self.nodes[
            'debian-12'].private('/etc'), lines)
        self.assertTrue(lines[-1].startswith(
            'exec %s/bin/python3 ' % sys.prefix), lines[-1])

    def test_the_tree_becomes_the_root(self):
        lines = self._init('debian-13')
        tree = self.node.system.root
        steps = [lines.index(line) for line in (
            'root=%s' % (self.node.directory / 'root'),
            'mount --bind %s $root' % tree,
            # Nobody writes to the tree, and all see OpenStack.
            'mount -o remount,bind,ro $root',
            'mount --rbind %s $root%s' % (paths.CACHE, paths.CACHE),
            'mount -t proc proc $root/proc',
            *('mount --bind %s $root%s' % (self.node.private(path), path)
              for path in node.PRIVATE),
            'mount --move $dev $root/dev',
            'pivot_root . run/machine',
            'umount --lazy /run/machine',
            'set up')]
        self.assertEqual(sorted(steps), steps)
        self.assertTrue(lines[-1].startswith('exec /usr/bin/python3 '),
                        lines[-1])

    @ddt.data(*systems.DEBIANS)
    def test_its_devices_are_its_own_before_it_sees_any(self, system):
        lines = self._init(system)
        move = lines.index('mount --move $dev $root/dev')
        self.assertLess(lines.index('device loop-control 600 c 10 237'), move)
        self.assertLess(move, lines.index('set up'))
