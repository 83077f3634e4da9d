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

"""Runs that a certificate is made of, with a real stestr and few tests."""

import json
import os
import signal
import time

import ddt

from mempage_certificate import archive
from tests.certificate import played
from tests.certificate import samples
from tests.plugin.cmd import processes

TESTS = '''
import json
import os
import pathlib
import time

import testtools
from testtools import content
from testtools import content_type

from tests.certificate import played

HERE = pathlib.Path(os.environ['HERE'])


class TestFew(testtools.TestCase):

    declared = ()
    may_skip = ()
    harmful = False

    @classmethod
    def skip_checks(cls):
        pass

    def setUp(self):
        super().setUp()
        self.cloud = 'there'

    def id(self):
        return played.TESTS[int(self._testMethodName[5:])]

    def _play(self):
        # Nobody foretells more than this.
        self.assertEqual('there', self.cloud)
        host, name = os.environ['OS_MEMPAGE__HOSTS'], self.id()
        with open(HERE / 'log', 'a') as log:
            log.write(f'{host} {name}\\n')
%s
        for document in played.documents(
                name, host, os.environ['OS_MEMPAGE__RUN'],
                int(os.environ.get('OS_MEMPAGE__MEASURE', 0))):
            data = json.dumps(document).encode()
            self.addDetail(document['kind'], content.Content(
                content_type.JSON, lambda data=data: [data]))


for _number in range(len(played.TESTS)):
    setattr(TestFew, 'test_%d' % _number, TestFew._play)
'''
MAIN = '''
from mempage_certificate import cli
from mempage_certificate import profiles
from tests.certificate import played
published = {'tiny-1': played.profile()}
profiles.published = lambda: published
sys.exit(cli.main(sys.argv[4:]))
'''
INVENTORY = 'hosts:\n' + ''.join(
    '  %s: {address: 192.0.2.1, ssh: {user: x, key: /k}, '
    'libvirt_uri: "qemu:///system", file_backed: {capacity_mib: 1024, '
    'directory: /s, mount: /s, filesystem: ext4}}\n' % name for name in 'ab')
# Holds the command before it calls a function.
HELD = '''
import os
import pathlib
import time
from %(module)s import %(owner)s
def held(*_args, **_kwargs):
    pathlib.Path(os.environ['HERE'], 'begun').touch()
    time.sleep(600)
%(owner)s.%(name)s = held
'''
SLEEP = '''
def hold():
    while not (HERE / 'over').exists():
        time.sleep(0.05)
if host == 'a' and %r in name and not (HERE / 'go').exists():
    self.addCleanup((HERE / 'put-back').touch)
    self.addCleanup(hold)
    (HERE / 'begun').touch()
    time.sleep(600)
'''


@ddt.ddt
class ProcessTest(processes.ProcessTestCase):

    tests = TESTS
    main = MAIN
    declared = INVENTORY

    def setUp(self):
        super().setUp()
        (self.directory / 'PRODUCT.yaml').write_bytes(samples.product())
        self.results = self.directory / 'run'

    def _new(self, *arguments):
        return self.start(
            '--profile', 'tiny', '--product', self.directory / 'PRODUCT.yaml',
            '--results', self.results, *arguments)

    def _result(self):
        return json.loads(archive.unpack(str(
            self.results / 'bundle.tar.gz'))[archive.RESULT])

    def test_fleet(self):
        self.write_tests('')
        self.assertEqual(0, self.end(self._new('--lanes', '2')), self.err)
        result = self._result()
        self.assertEqual(['certified'] * 3, [
            part['verdict']['status'] for part in (result, *result['hosts'])])
        self.assertEqual(
            sorted('%s %s' % (host, name) for name in played.TESTS
                   for host in 'ab'), sorted(self.log()))
        for words in ('a: 4 tests run, 0 skip; how long they take is unknown',
                      'b: can reach performance'):
            self.assertIn(words, self.out)
        self.assertIn('b: functional: 2 of 2, 0 failed so far, about ',
                      self.err)
        # Nothing is left of what is private, and nothing tells a password.
        self.assertEqual([], list(self.private.iterdir()))
        for path in self.results.rglob('*'):
            self.assertFalse(path.is_file()
                             and b'hushhush' in path.read_bytes(), path)
        self.assertNotIn('hushhush', self.out + self.err)

    @ddt.data(signal.SIGINT, signal.SIGTERM)
    def test_interrupted(self, how):
        self.write_tests(SLEEP % 'test_capacity')
        (self.directory / 'over').touch()
        process = self._new('--lanes', '2')
        self.wait_for('begun')
        os.kill(process.pid, how)
        self.assertEqual(3, self.end(process), self.err)
        self.assertTrue((self.directory / 'put-back').exists())
        result = self._result()
        self.assertEqual(
            ['incomplete'] * 3,
            [part['verdict']['status'] for part in (result, *result['hosts'])])
        self.assertEqual(1, result['run']['unfinished'])

    def test_interrupted_twice(self):
        self.write_tests(SLEEP % 'test_capacity')
        process = self._new('--host', 'a')
        self.wait_for('begun')
        os.kill(process.pid, signal.SIGINT)
        time.sleep(3)
        os.kill(process.pid, signal.SIGINT)
        self.assertEqual(130, self.end(process), self.err)
        self.assertIn('--resume goes on', self.err)
        self.assertFalse((self.results / 'bundle.tar.gz').exists())

    def test_killed_and_resumed(self):
        self.write_tests(SLEEP % 'test_capacity')
        process = self._new('--host', 'a')
        self.wait_for('begun')
        process.kill()
        process.communicate()
        (self.directory / 'go').touch()
        resumed = self.start('--resume', self.results)
        # What was cut off takes its time to put back what it has changed.
        said = []
        for line in iter(resumed.stderr.readline, ''):
            said.append(line)
            if 'waiting for the end of what the run has left' in line:
                break
        else:
            self.fail('it does not wait: %s' % said)
        self.assertFalse((self.directory / 'put-back').exists())
        (self.directory / 'over').touch()
        self.assertEqual(0, self.end(resumed), self.err)
        self.assertTrue((self.directory / 'put-back').exists())
        result = self._result()
        self.assertEqual('certified', result['verdict']['status'])
        self.assertEqual(1, result['run']['unfinished'])
        names = [line.partition(' ')[2] for line in self.log()]
        self.assertEqual(1, names.count(played.DELETE))
        self.assertEqual(2, names.count(played.CAPACITY))

    def _held(self, module, owner, name, how=signal.SIGKILL):
        """Hold a run before it calls a function, and end it there.

        :returns: exit status
        """
        self.write_tests()
        self.main = HELD % {
            'module': module, 'owner': owner, 'name': name} + MAIN
        process = self._new('--host', 'a')
        self.wait_for('begun')
        process.send_signal(how)
        status = self.end(process)
        self.main = MAIN
        return status

    def test_killed_before_it_is_a_run(self):
        self._held('mempage_certificate.running.directory', 'new_directory',
                   'make')
        self.assertEqual(2, self.end(self.start('--resume', self.results)))
        self.assertIn('no run has begun there', self.err)

    @ddt.data(('mempage_tempest_plugin.cmd.runner', 'Runner', 'find', 0),
              ('mempage_certificate.running.host', 'Host', '_met', 2),
              ('mempage_certificate.cli', 'bundles', 'make', 6),
              ('mempage_certificate', 'cli', '_write', 6))
    @ddt.unpack
    def test_killed_between_tests_and_resumed(self, module, owner, name, ran):
        self._held(module, owner, name)
        self.assertFalse((self.results / 'bundle.tar.gz').exists())
        before = self.log() if ran else []
        self.assertEqual(ran, len(before))
        self.assertEqual(0, self.end(self.start('--resume', self.results)),
                         self.err)
        self.assertEqual('certified', self._result()['verdict']['status'])
        self.assertIn('CERTIFIED: level performance reached', self.out)
        again = ['a %s' % played.BEFORE] if 0 < ran < 6 else []
        self.assertEqual(
            sorted(['a %s' % test for test in played.TESTS] + again),
            sorted(self.log()))

    def test_killed_before_the_first_test_and_resumed(self):
        self.write_tests(SLEEP % 'test_before')
        (self.directory / 'over').touch()
        process = self._new('--host', 'a')
        self.wait_for('begun')
        process.kill()
        process.communicate()
        (self.directory / 'go').touch()
        self.assertEqual(0, self.end(self.start('--resume', self.results)),
                         self.err)
        self.assertEqual(1, self._result()['run']['unfinished'])

    @ddt.data(signal.SIGINT, signal.SIGTERM)
    def test_interrupted_while_the_bundle_is_made(self, how):
        self.assertEqual(130, self._held('mempage_certificate.cli', 'bundles',
                                         'make', how))
        self.assertIn('interrupted, there is no bundle; --resume goes on',
                      self.err)

    def test_fault_of_the_program(self):
        self.write_tests()
        self.main = ('from mempage_certificate import bundles\n'
                     'del bundles.make\n') + MAIN
        self.assertEqual(2, self.end(self._new('--host', 'a')), self.out)
        for words in ("has no attribute 'make'", 'this is a fault of the '
                      'program', '--resume goes on'):
            self.assertIn(words, self.err)
