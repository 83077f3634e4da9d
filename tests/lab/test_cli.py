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


import contextlib
import json
import os
import subprocess
from unittest import mock

from click import testing
import ddt

from mempage_lab import bench
from mempage_lab import cli
from mempage_lab import constraints
from mempage_lab import errors
from mempage_lab import lab
from mempage_lab import logs
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import restart
from mempage_lab import runner
from mempage_lab import status
from mempage_lab import stream
from mempage_lab import topology
from tests.lab import base


@ddt.ddt
class CliTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(os, 'geteuid').return_value = 0
        self.patch_object(lab, 'exclusive', contextlib.nullcontext)
        self.patch_object(lab, 'TESTS_LOCK', self.directory / 'tests.lock')

    def _invoke(self, *arguments):
        return testing.CliRunner().invoke(cli.main, arguments)

    def test_an_error_is_a_line(self):
        self.patch_object(lab, 'load').side_effect = errors.LabError('why')
        result = self._invoke('restart', 'a')
        self.assertEqual('Error: why\n', result.output)
        self.assertEqual(1, result.exit_code)

    def test_not_root(self):
        self.patch_object(os, 'geteuid').return_value = 1000
        result = self._invoke('status')
        self.assertIn('as root or with sudo', result.output)
        self.assertEqual(1, result.exit_code)

    @ddt.data(('up', 0), ('partial', 1), ('down', 1))
    @ddt.unpack
    def test_status(self, state, exit_status):
        self.patch_object(status, 'collect').return_value = {'state': state}
        result = self._invoke('status', '--json')
        self.assertEqual({'state': state}, json.loads(result.output))
        self.assertEqual(exit_status, result.exit_code)

    def test_exec_leaves_options_to_the_command(self):
        self.patch_object(lab, 'load').return_value.nodes = {
            'a': mock.Mock(enter=lambda *command: command)}
        call = self.patch_object(subprocess, 'call')
        call.return_value = 3
        result = self._invoke('exec', 'a', 'find', '/', '-mindepth', '1')
        self.assertEqual((('find', '/', '-mindepth', '1'),),
                         call.call_args.args)
        self.assertEqual(packages.search_path(),
                         call.call_args.kwargs['env']['PATH'])
        self.assertEqual(3, result.exit_code)

    def test_logs(self):
        show = self.patch_object(logs, 'show')
        self._invoke('logs', '-f', '-n', '3', 'a/sshd')
        self.assertEqual(('a/sshd', 3, True), show.call_args.args[:3])

    def test_restart(self):
        self.patch_object(lab, 'load').return_value = 'lab'
        run = self.patch_object(restart, 'run')
        self._invoke('restart', 'a/sshd')
        self.assertEqual(('lab', 'a/sshd'), run.call_args.args[:2])

    def test_run_ends_with_what_failed(self):
        self.patch_object(cli, '_up')
        self.patch_object(runner, 'run').return_value = 1, self.directory
        self.patch_object(stream, 'read').return_value = stream.Outcome(
            ['a.b'], {'a.c': 'Traceback:\n  File "d", line 1, in e\n'
                             '    code()\nError: two\nlines\n'})
        result = self._invoke('run')
        self.assertEqual('a.c: Error: two lines\nresults: %s\n'
                         % self.directory, result.output)
        self.assertEqual(1, result.exit_code)

    def test_run_of_each_host(self):
        self.patch_object(cli, '_up')
        run = self.patch_object(runner, 'run_each')
        run.return_value = 1
        result = self._invoke('run', '--each', '--lanes', '2')
        run.assert_called_once_with(('--each', '--lanes', '2'))
        self.assertEqual(1, result.exit_code)

    def test_topology(self):
        choose = self.patch_object(lab, 'choose')
        for arguments, path in (([], None),
                                (['--topology', 'wide'],
                                 topology.SHIPPED / 'wide.yaml')):
            self._invoke('up', *arguments)
            self.assertEqual(path, choose.call_args.args[0])

    def test_one_run_at_a_time(self):
        run = self.patch_object(runner, 'run')
        with lab.exclusive_tests():
            for command in 'run', 'drill':
                result = self._invoke(command)
                self.assertIn('tests run in the lab already', result.output)
                self.assertEqual(1, result.exit_code)
        run.assert_not_called()

    def test_openrc(self):
        paths.OPENRC.parent.mkdir()
        paths.OPENRC.write_text('export A=b\n')
        self.assertEqual('export A=b\n', self._invoke('openrc').output)

    def test_openrc_without_a_lab(self):
        self.assertIn('there is no lab', self._invoke('openrc').output)

    def test_bench_is_a_report(self):
        result = {'figures': [{'name': 'up', 'value': 99, 'target': 75,
                               'unit': 's', 'met': False}],
                  'memory_mib': {}, 'shared_memory_mib': 0, 'pools_mib': 0,
                  'steps': []}
        run = self.patch_object(bench, 'run')
        run.return_value = result
        path = self.directory / 'figures.json'
        invoked = self._invoke('bench', '--servers', '2', '--json', str(path))
        run.assert_called_once_with(2)
        self.assertRegex(invoked.output, r'up +99\.0 s +75\.0 s +no')
        self.assertEqual(0, invoked.exit_code)
        self.assertEqual(result, json.loads(path.read_text()))

    def test_constraints(self):
        renew = self.patch_object(constraints, 'renew')
        self._invoke('constraints', str(self.directory / 'c.txt'))
        renew.assert_called_once_with(self.directory / 'c.txt')
