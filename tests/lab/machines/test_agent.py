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

import base64
import io
import tarfile

from mempage_lab import errors
from mempage_lab.machines import agent
from mempage_lab.machines import sockets
from tests.lab import base
from tests.lab.machines import base as machines_base


class AgentTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.result = {'exited': True, 'exitcode': 0}
        self.looks = 1
        path = self.directory / 'agent'
        self.server = machines_base.Server(path, self._answer)
        self.agent = agent.Agent(path, 10)

    def _answer(self, command, arguments):
        if command == 'guest-sync-delimited':
            # What is left of somebody who went before he was answered.
            yield {'return': 1}
            yield b'{"retu\xff{"return": %d}' % arguments['id']
        elif command == 'guest-exec':
            yield {'return': {'pid': 7}}
        elif command == 'guest-exec-status':
            self.looks -= 1
            yield {'return': {'exited': False} if self.looks
                   else self.result}
        elif command == 'wrong':
            yield {'error': {'class': 'GenericError', 'desc': 'no such thing'}}

    def _output(self, text):
        return base64.b64encode(text.encode()).decode()

    def test_run(self):
        self.looks = 3
        self.result.update({'out-data': self._output('out'),
                            'err-data': self._output('err')})
        self.assertEqual('outerr', self.agent.run('ls', 1, input='text'))
        self.assertEqual(
            {'path': 'ls', 'arg': ['1'], 'capture-output': True,
             'input-data': self._output('text')}, self.server.commands[1][1])

    def test_status(self):
        self.result.update({'exitcode': 3, 'err-data': self._output('bad')})
        failure = self.assertRaises(errors.CommandFailed, self.agent.run, 'ls')
        self.assertEqual((3, 'bad'), (failure.status, failure.output))

    def test_signal(self):
        self.result = {'exited': True, 'signal': 9}
        failure = self.assertRaises(errors.CommandFailed, self.agent.run, 'ls')
        self.assertEqual('signal 9', failure.status)

    def test_too_long(self):
        self.looks = 1000
        self.assertRaises(sockets.Lost, self.agent.run, 'ls', limit=0.1)

    def test_refused(self):
        with self.agent.connect() as peer:
            failure = self.assertRaises(errors.LabError, peer.ask, 'wrong')
        self.assertIn('no such thing', str(failure))

    def test_silent(self):
        self.agent.limit = 0.1
        with self.agent.connect() as peer:
            self.assertRaises(sockets.Lost, peer.ask, 'something')

    def test_answers(self):
        self.assertTrue(self.agent.answers())
        nobody = agent.Agent(self.directory / 'nobody', 1)
        self.assertFalse(nobody.answers())

    def test_write(self):
        self.agent.write({'/etc/a': agent.File('text', 0o600, 'nova', 'kvm')},
                         ('settle', 'now'))
        _, arguments = self.server.commands[1]
        self.assertEqual(['sh', 'settle', 'now'], arguments['arg'][-3:])
        data = base64.b64decode(arguments['input-data'])
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            [entry] = tar
            self.assertEqual(
                ('etc/a', 0o600, 'nova', 'kvm'),
                (entry.name, entry.mode, entry.uname, entry.gname))
            self.assertEqual(b'text', tar.extractfile(entry).read())
