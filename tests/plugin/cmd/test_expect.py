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

"""Tests of mempage-tempest expect, about the tests that there are."""

import json
import os
import pathlib
import re
import subprocess
import sys

import fixtures
from oslotest import base
import subunit

from mempage_tempest_plugin.evidence import promised

ROOT = pathlib.Path(__file__).parents[3]
CONFIGURATION = """
[DEFAULT]
log_file = {directory}/tempest.log
[oslo_concurrency]
lock_path = {directory}
[service_available]
neutron = true
[compute]
max_microversion = latest
[compute-feature-enabled]
cold_migration = true
live_migration = true
resize = true
snapshot = true
[placement]
max_microversion = latest
[validation]
run_validation = true
[mempage]
host_inventory = {directory}/inventory.yaml
allowed_memory_pagesize = true
aggregate_memory_backing_filter = true
reconfigure_hosts = true
isolated_aggregates = true
fill_stores = true
fault_injection = true
"""
# Whoever reaches for more than files is found out.
COMMAND = """
import socket, subprocess, sys, threading, time
from mempage_tempest_plugin.cmd import mempage_tempest

def forbidden(*arguments, **kwargs):
    print('reached for the cloud', arguments, file=sys.__stderr__)

socket.socket.connect = socket.create_connection = forbidden
subprocess.Popen = time.sleep = forbidden
sys.exit(mempage_tempest.main(sys.argv[1:]))
"""
PREFIX = 'mempage_tempest_plugin.tests.'
FILLING = '[mempage] fill_stores does not allow to fill the backing stores'
CAPACITY = 'api.test_file_backed_capacity.TestFileBackedCapacity'


class ExpectTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.configuration = CONFIGURATION.format(directory=self.directory)
        self.inventory = (ROOT / 'etc' / 'inventory.yaml.sample').read_text()

    def _run(self, *arguments):
        (self.directory / 'tempest.conf').write_text(self.configuration)
        (self.directory / 'inventory.yaml').write_text(self.inventory)
        done = subprocess.run(
            [sys.executable, '-c', COMMAND, 'expect', '--config-file',
             'tempest.conf', *arguments], cwd=self.directory, text=True,
            capture_output=True,
            env={**os.environ, 'PYTHONPATH': str(ROOT)})
        self.out, self.err = done.stdout, done.stderr
        self.assertNotIn('reached for the cloud', self.err)
        self.assertNotIn('Traceback', self.err)
        return done.returncode

    def _expect(self, *arguments):
        self.status = self._run('--json', *arguments)
        self.tests = {test['test'].partition('[')[0].removeprefix(PREFIX): test
                      for test in json.loads(self.out)['tests']}
        return self.tests

    def _record(self, *changes, left_out=()):
        """Write results of a run as it has to be, but for some changes.

        :param left_out: names of tests that left out a host
        :param changes: dicts of tuples of status and reason, by name; None
            for what is not there
        """
        results = {test['test']: ('skip', test['skips']) if test['skips']
                   else ('success', '') for test in self.tests.values()}
        for change in changes:
            results.update({self.tests[name]['test']: result
                            for name, result in change.items()})
        with open(self.directory / 'results', 'wb') as target:
            stream = subunit.StreamResultToBytes(target)
            for name in left_out:
                stream.status(
                    self.tests[name]['test'], file_name='left_out', eof=True,
                    file_bytes=b'{"kind": "left_out", "version": 1, "host": '
                    b'"a", "reason": "occupied: 2 guests"}',
                    mime_type='application/json')
            for name, result in results.items():
                if result is not None:
                    stream.status(
                        name, result[0], file_name='reason', eof=True,
                        file_bytes=result[1].encode(), mime_type='text/plain')

    def test_option_that_is_off(self):
        self._expect()
        self.assertEqual(0, self.status)
        promised = {name for name, test in self.tests.items()
                    if test['skips'] is None}
        self.assertIn(CAPACITY + '.test_fill', promised)
        self.configuration = self.configuration.replace(
            'fill_stores', 'fill_stroes')
        self._expect()
        self.assertEqual(0, self.status)
        skips = {name: test['skips'] for name, test in self.tests.items()
                 if name in promised and test['skips'] is not None}
        self.assertEqual({FILLING}, set(skips.values()))
        self.assertIn(CAPACITY + '.test_fill', skips)
        self.assertEqual(1, self._run('--require', 'TestFileBackedCapacity'))
        self.assertIn('tests that are not as they have to be: 2', self.err)

    def test_text(self):
        self.configuration = self.configuration.replace(
            'fill_stores = true', '').replace(
                '[compute-feature-enabled]',
                '[compute-feature-enabled]\nsuspend = false')
        self.assertEqual(0, self._run(
            '--regex', 'TestFileBacked(Capacity|Operations)'))
        self.assertIn('must run:\n    api.test_file_backed_operations.'
                      'TestFileBackedOperations.test_after_1_', self.out)
        self.assertIn('skip:\n  %s\n    %s: 2\n' % (FILLING, CAPACITY),
                      self.out)
        self.assertRegex(
            self.out, r'\[compute-feature-enabled\] suspend is not set\n    '
            r'api\.[\w.]+TestFileBackedOperations\.test_after_\d_suspend')
        self.assertIn('6 of 9 tests must run, 3 skip\n', self.out)

    def test_no_host(self):
        self.inventory = 'hosts: {}\n'
        self.assertEqual(1, self._run())
        self.assertIn('hosts', self.err)

    def test_no_host_that_suits(self):
        self.inventory = re.sub(r'(?ms)^  [^ #].*', """
  plain1:
    address: 192.0.2.1
    ssh: {user: x, key: /k}
    libvirt_uri: qemu:///system
""", self.inventory, count=1)
        self.assertEqual(1, self._run('--regex', 'TestFileBacked'))
        self.assertIn('declares no file-backed host', self.out)
        self.assertIn('no test has to run: nothing would be tested', self.err)

    def test_no_inventory(self):
        self.configuration = self.configuration.replace(
            'host_inventory', 'host_inventroy')
        self.assertEqual(1, self._run())
        self.assertIn('  [mempage] host_inventory is not set', self.out)
        self.assertRegex(self.out, r'\n0 of \d+ tests must run')

    def test_results(self):
        self._expect()
        self._record()
        self.assertEqual(0, self._run('--results', 'results',
                                      '--json-file', 'expected'), self.out)
        foretold, _ = promised.read(self.directory / 'expected')
        self.assertEqual({test['test'] for test in self.tests.values()},
                         set(foretold))
        self.assertIn('skipped, with good reason:\n', self.out)
        gone, other, permitted, ran = (
            'api.test_file_backed.TestFileBacked.test_capacity',
            'api.test_plain.TestPlain.test_capacity',
            'api.test_apparmor.TestAppArmor.'
            'test_confined_guest_has_its_file',
            'scenario.test_power.TestPowerCut.test_power_cut')
        self._record({
            gone: None, other: ('skip', 'it is late'), ran: ('fail', ''),
            permitted: ('skip', 'AppArmor confines no guests: on a')})
        self.assertEqual(1, self._run('--results', 'results'))
        for line in (
                '  had to run, and is not in the results\n    ' + gone,
                '  had to run, and skipped: it is late\n    ' + other,
                '  AppArmor confines no guests: on a\n'):
            self.assertIn(line, self.out)
        self.assertRegex(self.out, r'declares no .*\), and ran\n    .*Power')
        self.assertIn('tests that are not as they have to be: 3', self.err)

    def test_hosts_that_were_left_out(self):
        self._expect('--regex', 'TestFileBackedCapacity')
        name = CAPACITY + '.test_fill'
        self._record(left_out=[name])
        self.assertEqual(0, self._run('--results', 'results', '--regex',
                                      'TestFileBackedCapacity'), self.err)
        self.assertIn('ran without some hosts:\n  host a: occupied: 2 guests'
                      '\n    %s\n' % name, self.out)

    def test_selected_results(self):
        self._expect('--regex', 'TestFileBacked.test_')
        self._record()
        (self.directory / 'list').write_text(''.join(
            test['test'] + '\n' for test in self.tests.values()) + 'other\n')
        self.assertEqual(1, self._run('--results', 'results'))
        self.assertEqual(0, self._run('--results', 'results', '--load-list',
                                      'list'), self.out)

    def test_all_skipped(self):
        self._expect('--regex', 'TestPowerCut|TestAppArmor')
        self._record({name: ('skip', 'AppArmor confines no guests: x')
                      for name in self.tests if 'Armor' in name})
        self.assertEqual(1, self._run(
            '--results', 'results', '--regex', 'TestPowerCut|TestAppArmor'))
        self.assertIn('no test ran: nothing was tested', self.err)

    def test_no_test(self):
        self.assertEqual(1, self._run('--regex', 'no_such_test'))
        self.assertIn('no test is called so', self.err)

    def test_results_of_other_tests(self):
        self._expect('--regex', 'TestPlain')
        self._record()
        self.assertEqual(0, self._run('--results', 'results', '--regex',
                                      'tempest.api'))
        self.assertIn('no test of this plugin was selected', self.out)

    def test_nothing_is_called_as_what_is_required(self):
        self.assertEqual(1, self._run('--require', 'TestPlian'))
        self.assertIn('no test is called TestPlian', self.err)

    def test_document_that_cannot_be_written(self):
        long = 'x' * 300
        for path, status, said in (
                ('/nothing/such', 2, '/nothing: no such directory'),
                ('', 2, '--json-file: it is empty'),
                (long, 1, long + ': File name too long')):
            self.assertEqual(status, self._run(
                '--regex', 'TestPlain', '--json-file', path))
            self.assertIn(said, self.err)

    def test_document_where_something_is_that_it_reads(self):
        (self.directory / 'list').write_text('TestPlain\n')
        (self.directory / 'link').symlink_to('tempest.conf')
        for path in 'list', 'link':
            self.assertEqual(1, self._run('--include-list', 'list',
                                          '--json-file', path))
            self.assertIn('%s: is what this command reads' % path, self.err)
        self.assertEqual('TestPlain\n',
                         (self.directory / 'list').read_text())

    def test_no_list(self):
        self.assertEqual(1, self._run('--load-list', '/nothing/such'))
        self.assertIn('/nothing/such: No such file', self.err)

    def test_what_is_no_regular_expression(self):
        (self.directory / 'list').write_text('TestPlain # ( of these\n\n(\n')
        for arguments, status, said in (
                (('--regex', '('), 2, 'argument --regex: missing ),'),
                (('--regex', 'a (b'), 2, "position 0: '(b'"),
                (('--exclude-regex', '('), 2, 'argument --exclude-regex: '),
                (('--require', 'a{%s}' % ('9' * 50)), 2,
                 'argument --require: '),
                (('--include-list', 'list'), 1, "list: line 3: missing ),"),
                (('--exclude-list', 'list'), 1, 'list: line 3: ')):
            self.assertEqual(status, self._run(*arguments))
            self.assertIn(said, self.err)

    def test_several_regular_expressions(self):
        self._expect('--regex', 'TestPowerCut TestPlain', '--exclude-regex',
                     'Cut')
        excluding = set(self.tests)
        self._expect('--regex', 'TestPlain', '--exclude-regex', '')
        self.assertEqual(excluding, set(self.tests))

    def test_list_that_is_no_text(self):
        (self.directory / 'list').write_bytes(b'\xff')
        for option in ('--load-list', '--include-list', '--exclude-list'):
            self.assertEqual(1, self._run(option, 'list'))
            self.assertIn('a list of tests is no text', self.err)

    def test_configuration_that_cannot_be_used(self):
        (self.directory / 'binary').write_bytes(b'\xff')
        for path, said in (
                ('nothing', 'configuration nothing: No such file'),
                ('.', 'configuration .: Is a directory'),
                ('binary', 'configuration binary: is no text')):
            self.assertEqual(1, self._run('--config-file', path))
            self.assertIn(said, self.err)
        self.configuration += 'host_timeout = soon\n'
        self.assertEqual(1, self._run())
        self.assertIn('host_timeout', self.err)
        self.configuration = 'host_timeout = 1\n'
        self.assertEqual(1, self._run())
        self.assertIn('Section must be started', self.err)
