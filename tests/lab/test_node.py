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

import ddt
import psutil

from mempage_lab import errors
from mempage_lab import files
from mempage_lab import node
from mempage_lab import paths
from tests.lab import base


@ddt.ddt
class NodeTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.node = node.Node('a', 10, '10.0.0.10')

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
