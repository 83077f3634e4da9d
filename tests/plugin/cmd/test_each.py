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

"""Tests of mempage-tempest run --each, with a real stestr and few tests."""

import contextlib
import io
import os
import re
import signal
from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin.cmd import hosts_of_runs
from mempage_tempest_plugin.cmd import mempage_tempest
from mempage_tempest_plugin.cmd import tempest_conf
from mempage_tempest_plugin.evidence import promised
from mempage_tempest_plugin.evidence import streams
from tests.plugin.cmd import processes

# What the tests of all kinds have in common.
TESTS = '''
import configparser
import os
import pathlib
import time

import testtools

HERE = pathlib.Path(os.environ['HERE'])
PATH = os.path.join(os.environ['TEMPEST_CONFIG_DIR'],
                    os.environ['TEMPEST_CONFIG'])
CONF = configparser.ConfigParser(interpolation=None)
CONF.read(PATH)
HOST = CONF['mempage'].get('hosts')


class TestEach(testtools.TestCase):

    declared = ()
    may_skip = ('the kernel is old',)
    harmful = False

    @classmethod
    def skip_checks(cls):
        if HOST in ('c', 'd') and (HERE / 'nothing').exists():
            raise cls.skipException('nothing to test there')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.skip_checks()

    def setUp(self):
        super().setUp()
        self.cloud = 'there'
        with open(HERE / 'log', 'a') as log:
            log.write('%s %s\\n' % (HOST, self._testMethodName))

    def test_cloud(self):
        self.assertEqual('there', self.cloud)

    def test_host(self):
        self.assertEqual('there', self.cloud)
        (HERE / ('conf-' + HOST)).write_text('%o %s' % (
            os.stat(PATH).st_mode & 0o777, open(PATH).read()))
%s
'''
# Names of tests have their attributes, as Tempest gives them.
NAMED = '''
def _named(name, attribute):
    full = '%s[id-0,%s,smoke]' % (name, attribute)
    setattr(TestEach, full, getattr(TestEach, name))
    delattr(TestEach, name)

_named('test_cloud', 'per-cloud')
_named('test_host', 'per-host')
'''
MAIN = 'sys.exit(mempage_tempest.main(sys.argv[4:]))'
INVENTORY = 'hosts:\n' + ''.join(
    '  %s: {address: 192.0.2.1, ssh: {user: x, key: /k}, '
    'libvirt_uri: "qemu:///system"}\n' % name for name in 'abcd')


@ddt.ddt
class RunTest(processes.ProcessTestCase):

    tests = TESTS + NAMED
    main = MAIN
    declared = INVENTORY

    def setUp(self):
        super().setUp()
        self.results = self.directory / 'results'
        self.write_tests()

    def _start(self, *arguments):
        return self.start('--each', '--results', self.results, *arguments)

    def _run(self, *arguments):
        return self.end(self._start(*arguments))

    def _row(self, name):
        """Get a line of the table, without its first column."""
        [line] = re.findall(r'^\| %s +\|(.*)\|$' % name, self.out, re.M)
        return [cell.strip() for cell in line.split('|')][:-1]

    def test_each(self):
        self.assertEqual(0, self._run('--lanes', '2'), self.out)
        first, *others = self.log()
        self.assertEqual('a,b,c,d', first.split()[0])
        self.assertIn('test_cloud', first)
        self.assertEqual(list('abcd'),
                         sorted(line.split()[0] for line in others))
        self.assertEqual(['passed', '1', '0', '0'], self._row('cloud'))
        for name in 'abcd':
            self.assertEqual(['passed', '1', '0', '0'], self._row(name))
            self.assertIn('%s: begins, 1 tests' % name, self.err)
            self.assertIn('%s: passed (1 passed, 0 fa' % name, self.err)
        self.assertEqual(['5 of 5 passed', '5', '0', '0'], self._row('all'))
        self.assertIn('5 of 5\n', self.err)
        self.assertIn(' s are left', self.err)
        for name in 'cloud', *'abcd':
            [test] = streams.read(str(self.results / (name + '.subunit')))
            self.assertEqual(streams.PASSED, test.status)
            foretold, _ = promised.read(
                self.results / (name + '.expected.json'))
            self.assertEqual([test.name], list(foretold))
        self.assertIn('page: %s/report.html\n' % self.results, self.out)
        page = (self.results / 'report.html').read_text()
        self.assertIn('5 passed, 0 failed', page)
        self.assertIn('All ran that had to', page)

    def test_configuration(self):
        self.configure('hosts = a, b\npeers = c\n[oslo_concurrency]\n'
                       'lock_path = %s' % self.directory)
        self.assertEqual(0, self._run('--hosts', 'a'))
        self.assertEqual('a,', self.log()[0].split()[0] + ',')
        conf = (self.directory / 'conf-a').read_text()
        self.assertEqual('600', conf.split()[0])
        for line in ('hosts = a', 'peers = c,b', 'password = hushhush',
                     'lock_path = %s' % self.directory,
                     'log_file = %s/a.log' % self.results):
            self.assertIn('\n%s\n' % line, conf)
        # Nothing is left of it.
        self.assertEqual([], list(self.private.iterdir()))

    def test_only_tests_that_are_named(self):
        self.assertEqual(0, self._run('--regex', 'test_host', '--hosts', 'a'))
        self.assertEqual(['1 of 1 passed', '1', '0', '0'], self._row('all'))

    @ddt.data(
        ('if HOST == "b": self.fail("broken")', 'failed', [['0', '1', '0']],
         'b: failed: few.test_few.TestEach.test_host'),
        ('if HOST == "b": os._exit(7)', 'failed', [['0', '1', '0']],
         'b: failed: few.test_few.TestEach.test_host'),
        ('if HOST == "b": self.skipTest("x")', 'failed', [['0', '0', '1']],
         'test_host[id-0,per-host,smoke]: had to run, and skipped: x'),
        # That of stestr itself, which may have written of the test before.
        ('if HOST == "b": os.kill(os.getpgrp(), 9)', 'error',
         [['0', '0', '0'], ['0', '1', '0']], 'b: error: status -9'))
    @ddt.unpack
    def test_others_go_on(self, what, verdict, counts, said):
        self.write_tests(what)
        self.assertEqual(1, self._run('--hosts', 'a,b,c'))
        self.assertIn(self._row('b'), [[verdict, *each] for each in counts])
        for name in 'ac':
            self.assertEqual('passed', self._row(name)[0])
        self.assertEqual('3 of 4 passed', self._row('all')[0])
        self.assertIn(said, self.err)

    def test_nothing_to_test_on_a_host(self):
        (self.directory / 'nothing').touch()
        self.assertEqual(0, self._run('--hosts', 'a,b,c'), self.err)
        self.assertEqual(['skipped', '0', '0', '1'], self._row('c'))
        self.assertEqual('3 of 4 passed', self._row('all')[0])
        self.assertIn('c: skipped: nothing to test there (0 p', self.err)
        self.assertIn('\nc: nothing to test there\n', self.out)

    def test_nothing_to_test_on_any_host(self):
        (self.directory / 'nothing').touch()
        self.assertEqual(1, self._run('--hosts', 'c,d', '--regex', 'host'))
        self.assertEqual('0 of 2 passed', self._row('all')[0])

    def test_skipped_as_only_the_cloud_tells(self):
        self.write_tests(
            'if HOST == "b": self.skipTest("the kernel is old: 4.18")')
        self.assertEqual(0, self._run('--hosts', 'a,b'), self.err)
        self.assertIn('\nb: the kernel is old: 4.18\n', self.out)

    def test_nobody_can_tell_what_had_to_run(self):
        self.write_tests('(HERE / "top/few/test_other.py").write_text("-")')
        self.assertEqual(1, self._run('--hosts', 'a', '--regex', 'host'))
        self.assertEqual('error', self._row('a')[0])
        self.assertIn('a: expect: status 1: ', self.out)
        self.assertIn('Nobody has told which tests had to run',
                      (self.results / 'report.html').read_text())

    @ddt.data(signal.SIGINT, signal.SIGTERM)
    def test_interrupted(self, how):
        self._check_interrupted(how)

    @ddt.data(signal.SIGINT, signal.SIGTERM)
    def test_interrupted_in_the_background_of_a_script(self, how):
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        self._check_interrupted(how)

    def _check_interrupted(self, how):
        self.write_tests('''
            self.addCleanup((HERE / ('put-back-' + HOST)).touch)
            if HOST != 'a':
                time.sleep(600)
        ''')
        process = self._start('--lanes', '2')
        self.wait_for('conf-b', 'conf-c')
        os.kill(process.pid, how)
        self.assertEqual(1, self.end(process))
        for name, verdict in (('cloud', 'passed'), ('a', 'passed'),
                              ('b', 'error'), ('c', 'error'),
                              ('d', 'not run')):
            self.assertEqual(verdict, self._row(name)[0])
        self.assertIn('b: interrupted', self.out)
        for name in 'bc':
            self.assertTrue((self.directory / ('put-back-' + name)).exists())

    def test_killed(self):
        self.write_tests('''
            self.addCleanup((HERE / 'put-back').touch)
            time.sleep(600)
        ''')
        process = self._start('--hosts', 'a')
        self.wait_for('conf-a')
        process.kill()
        process.communicate()
        self.wait_for('put-back')

    def test_tests_that_cannot_be_found(self):
        (self.package / 'test_few.py').write_text('import nothing_such')
        self.assertEqual(1, self._run())
        self.assertIn('cannot be listed', self.err)
        self.assertIn('nothing_such', self.err)

    @ddt.data(('--hosts a,x', '', 'no host x; there are a, b, c, d'),
              ('', 'hosts = x', 'declares no x'),
              ('--regex nothing', '', 'no test is called so'),
              ('', 'host_inventory =', 'host_inventory is not set'))
    @ddt.unpack
    def test_errors(self, arguments, options, said):
        self.configure(options)
        self.assertEqual(1, self._run(*arguments.split()))
        self.assertIn(said, self.err)

    def test_results_of_another_run(self):
        self.results.mkdir()
        (self.results / 'a.subunit').touch()
        self.assertEqual(1, self._run())
        self.assertIn('earlier run', self.err)


@ddt.ddt
class ArgumentsTest(base.BaseTestCase):

    def _error(self, *arguments):
        with mock.patch('sys.stderr', new_callable=io.StringIO) as stderr, \
                mock.patch.object(tempest_conf, 'CONF'), \
                contextlib.suppress(SystemExit):
            self.assertEqual(1, mempage_tempest.main(['run', *arguments]))
        return stderr.getvalue()

    def test_one_run(self):
        self.assertIn('tempest run', self._error(
            '--config-file', os.devnull))

    @ddt.data((('--lanes', '0'), '0 is less than 1'),
              (('--regex', '('), 'missing )'),
              (('--config-file', '/nothing/such'), 'No such file'),
              (('--hosts', ' , '), "' , ' has no name in it"))
    @ddt.unpack
    def test_refused(self, arguments, said):
        self.assertIn(said, self._error('--each', *arguments))


class PeersTest(base.BaseTestCase):

    def test_each_host_has_another_first_one(self):
        for number in range(1, 8):
            hosts = list('abcdefg'[:number])
            peers = [hosts_of_runs.peers(host, hosts) for host in hosts]
            for host, others in zip(hosts, peers):
                self.assertEqual(sorted(set(hosts) - {host}), sorted(others))
            firsts = [others[0] for others in peers if others]
            self.assertEqual(len(firsts), len(set(firsts)))

    def test_far_away(self):
        self.assertEqual(list('def'),
                         hosts_of_runs.peers('a', list('abcdef'))[:3])
