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
import subprocess
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.hosts import service_log
from mempage_tempest_plugin.hosts import ssh


def _execute(command, root):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return ssh.Result('', 0, done.stdout, done.stderr)


class ErrorsTest(base.BaseTestCase):

    def test_errors_of_a_server(self):
        line = '2026-11-30 01:11:50 1155 %s nova.virt [instance: %s] %s\n'
        log = ''.join(line % each for each in (
            ('ERROR', 'a', 'Failed to start libvirt guest: no memory'),
            ('ERROR', 'a', 'Traceback (most recent call last):'),
            ('ERROR', 'a', '  File "driver.py", line 1, in spawn'),
            ('ERROR', 'a', '    ^^^^^'),
            ('ERROR', 'b', 'libvirt.libvirtError: another one\'s'),
            ('INFO', 'a', 'Took 1 second to build instance.'),
            ('ERROR', 'a', 'libvirt.libvirtError: no memory'),
            ('ERROR', 'a', 'libvirt.libvirtError: no memory'),
            ('ERROR', 'a', ''))) + 'ERROR something else\n'
        self.assertEqual(['Failed to start libvirt guest: no memory',
                          'libvirt.libvirtError: no memory'],
                         service_log.errors_of(log, 'a'))
        self.assertEqual([], service_log.errors_of('nobody knows', 'a'))


class FileTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.useFixture(fixtures.TempDir()).path,
                                 'log')
        self._append('before\n')
        self.log = service_log.ServiceLog(
            mock.Mock(execute=_execute), inventory.Log(file=self.path))

    def _append(self, text, mode='a'):
        with open(self.path, mode, encoding='utf-8') as stream:
            stream.write(text)

    def test_since(self):
        end = self.log.end()
        self.assertEqual('', self.log.since(end))
        self._append('after\n')
        self.assertEqual('after\n', self.log.since(end))

    def test_about(self):
        end = self.log.end()
        self._append('[instance: uuid-a] one\n[instance: uuid-b] two\n')
        self.assertEqual(['[instance: uuid-a] one'],
                         self.log.about('uuid-a', end))

    def test_rotated(self):
        end = self.log.end()
        self._append('new\n', 'w')
        self.assertEqual('new\n', self.log.since(end))


class JournalTest(base.BaseTestCase):

    def test_since(self):
        ssh = mock.Mock()
        log = service_log.ServiceLog(ssh, inventory.Log(unit='nova-compute'))
        ssh.execute.return_value.stdout = '-- cursor: s=1;i=2\n'
        end = log.end()
        ssh.execute.return_value.stdout = 'after\n'
        self.assertEqual('after\n', log.since(end))
        command = ssh.execute.call_args.args[0]
        self.assertEqual(['nova-compute', '--after-cursor', 's=1;i=2'],
                         command[-3:])
