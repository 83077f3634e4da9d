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
import dataclasses
import functools
import io
import json
import os
import subprocess
from unittest import mock

from click import testing
import ddt

from mempage_lab import bench
from mempage_lab import cli
from mempage_lab import constraints
from mempage_lab.drills import clean
from mempage_lab.drills import report
from mempage_lab.drills import running
from mempage_lab import errors
from mempage_lab import lab
from mempage_lab import logs
from mempage_lab import matrix
from mempage_lab import paths
from mempage_lab import reboot
from mempage_lab import releases
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
        openstack = base.openstack()
        self.patch_object(lab, 'load').return_value.nodes = {
            'a': mock.Mock(enter=lambda *command: command,
                           installation=openstack)}
        call = self.patch_object(subprocess, 'call')
        call.return_value = 3
        result = self._invoke('exec', 'a', 'find', '/', '-mindepth', '1')
        self.assertEqual((('find', '/', '-mindepth', '1'),),
                         call.call_args.args)
        self.assertEqual(openstack.search_path,
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
        self.assertEqual(('lab', ['a/sshd']), run.call_args.args[:2])

    @ddt.data((['device1'], False), (['device1', '--hard'], True))
    @ddt.unpack
    def test_reboot(self, arguments, hard):
        self.patch_object(lab, 'load').return_value = 'lab'
        run = self.patch_object(reboot, 'run')
        self.patch_object(lab, 'exclusive').side_effect = errors.LabError
        result = self._invoke('reboot', *arguments)
        self.assertEqual(('lab', 'device1', hard), run.call_args.args[:3])
        self.assertEqual(0, result.exit_code)

    def test_reboot_of_nothing(self):
        self.assertEqual(2, self._invoke('reboot').exit_code)

    def test_run_ends_with_what_failed(self):
        self.patch_object(cli, '_up')
        self.patch_object(runner, 'run').return_value = 1, self.directory
        self.patch_object(stream, 'read').return_value = stream.Outcome(
            ['a.b'], {'a.c': 'Traceback:\n  File "d", line 1, in e\n'
                             '    code()\nError: two\nlines\n'})
        self.patch_object(runner, 'compare').return_value = 'a.d skips'
        self.patch_object(runner, 'make_page').return_value = 'page: x', True
        result = self._invoke('run')
        self.assertEqual('a.c: Error: two lines\na.d skips\nresults: %s\n'
                         'page: x\n' % self.directory, result.output)
        self.assertEqual(1, result.exit_code)

    @ddt.data((None, True, 0), ('a.d skips', True, 1), (None, False, 1))
    @ddt.unpack
    def test_run_is_red_if_less_ran_than_had_to(self, surprise, made, status):
        self.patch_object(cli, '_up')
        self.patch_object(runner, 'run').return_value = 0, self.directory
        self.patch_object(stream, 'read').return_value = stream.Outcome()
        compare = self.patch_object(runner, 'compare')
        compare.return_value = surprise
        self.patch_object(runner, 'make_page').return_value = 'said', made
        self.assertEqual(status, self._invoke('run', '-s').exit_code)
        compare.assert_called_once_with(('-s',), self.directory)

    def test_no_regular_expression(self):
        choose = self.patch_object(lab, 'choose')
        for arguments, said in (
                (('run', '--regex', 'a (b'), "Error: --regex: missing ), "
                 "unterminated subpattern at position 0: '(b'"),
                (('run', '-r', '('), '--regex: missing'),
                (('run', '--exclude-regex=a{%s}' % ('9' * 50)),
                 'Error: --exclude-regex: '),
                (('matrix', '--regex', '('), 'Error: --regex: missing')):
            result = self._invoke(*arguments)
            self.assertEqual(1, result.exit_code)
            self.assertIn(said, result.output)
        choose.assert_not_called()

    @ddt.data(('--concurrency', 'two'), ('--regex',), ('--eaech',),
              ('-s', '--regex', 'a'))
    def test_run_refuses_what_tempest_refuses(self, arguments):
        choose = self.patch_object(lab, 'choose')
        result = self._invoke('run', *arguments)
        self.assertIn('tempest run: error: ', result.output)
        self.assertEqual(2, result.exit_code)
        choose.assert_not_called()

    @ddt.data(('run', '--each', '--regex', '('), ('run', '--each', '--lanes'),
              ('certify', '--lanes', '0'), ('certify', '--profile', 'mine'))
    def test_what_other_commands_refuse(self, arguments):
        choose = self.patch_object(lab, 'choose')
        self.patch_object(runner.subprocess, 'call', functools.partial(
            subprocess.call, stderr=subprocess.DEVNULL))
        self.assertEqual(2, self._invoke(*arguments).exit_code)
        choose.assert_not_called()

    def test_run_of_each_host(self):
        self.patch_object(cli, '_up')
        run = self.patch_object(runner, 'run_each')
        run.return_value = 1
        result = self._invoke('run', '--each', '--lanes', '2')
        run.assert_called_once_with(('--each', '--lanes', '2'))
        self.assertEqual(1, result.exit_code)

    def test_certify(self):
        self.patch_object(cli, '_up')
        certify = self.patch_object(runner, 'certify')
        certify.return_value = 3
        result = self._invoke('certify', '--hosts', 'fbm3')
        certify.assert_called_once_with(('--hosts', 'fbm3'))
        self.assertEqual(3, result.exit_code)

    @ddt.data((('run', '-h'), 'usage: tempest run'),
              (('run', '--each', '--help'), 'usage: mempage-tempest run'),
              (('certify', '--help'), 'usage: mempage-certify run'))
    @ddt.unpack
    def test_help_needs_no_lab(self, arguments, said):
        choose = self.patch_object(lab, 'choose')
        output = io.StringIO()
        self.patch_object(
            runner.subprocess, 'call', lambda command: output.write(
                subprocess.run(command, stdout=subprocess.PIPE,
                               text=True).stdout) * 0)
        self.assertEqual(0, self._invoke(*arguments).exit_code)
        self.assertIn(said, output.getvalue())
        choose.assert_not_called()

    def test_topology(self):
        choose = self.patch_object(lab, 'choose')
        for arguments, path in (([], None),
                                (['--topology', 'wide'],
                                 topology.SHIPPED / 'wide.yaml')):
            self._invoke('up', *arguments)
            self.assertEqual(path, choose.call_args.args[0].path)

    def test_wishes(self):
        choose = self.patch_object(lab, 'choose')
        for arguments, wish in (
                ([], lab.Wish()),
                (['--stock'], lab.Wish(stock=True)),
                (['--release', '2025.1'], lab.Wish(
                    release=releases.RELEASES['2025.1'])),
                (['--system', 'debian-13'], lab.Wish(system='debian-13'))):
            self.assertEqual(0, self._invoke('up', *arguments).exit_code)
            self.assertEqual(wish, choose.call_args.args[0])

    @ddt.data(('--release', '2023.1', "'2024.2', '2025.1'"),
              ('--system', 'debian-11', "'debian-12', 'debian-13'"))
    @ddt.unpack
    def test_a_wish_that_cannot_be_granted(self, option, value, choices):
        choose = self.patch_object(lab, 'choose')
        for command in 'up', 'matrix':
            result = self._invoke(command, option, value)
            self.assertIn(choices, result.output)
            self.assertEqual(2, result.exit_code)
        choose.assert_not_called()

    def test_run_takes_the_lab_as_it_is(self):
        choose = self.patch_object(lab, 'choose')
        self.patch_object(runner, 'run').return_value = 0, self.directory
        self.patch_object(stream, 'read').return_value = stream.Outcome()
        self.patch_object(runner, 'compare')
        self._invoke('run')
        self.assertEqual(lab.Wish(), choose.call_args.args[0])

    def test_one_run_at_a_time(self):
        run = self.patch_object(runner, 'run')
        with lab.exclusive_tests():
            for command in 'run', 'drill', 'matrix':
                result = self._invoke(command)
                self.assertIn('tests run in the lab already', result.output)
                self.assertEqual(1, result.exit_code)
        run.assert_not_called()

    def test_words_of_drills_need_no_lab(self):
        path = self.directory / 'drills.json'
        said = ('check_evidence: host: source: expected file, libvirt says '
                'none')
        for line, ended, shown in (
                (said, 0, '1 of 1 caught'),
                ('odd', 1, '1 caught without the cause')):
            report.save([running.Result(
                'option-off', 'what', ('fbm1',), running.CAUGHT, '',
                {'a.TestFileBacked.test_memory_is_in_file': [line]}, 1.5)],
                path)
            result = self._invoke('drill', '--words', str(path))
            self.assertIn(shown, result.output)
            self.assertEqual(ended, result.exit_code)

    def test_words_that_were_said_though_nothing_was_broken(self):
        path = self.directory / 'clean.json'
        report.save([clean.Run(7, 3, (), 1.5, (
            'MEMORY_MB total: expected 1024, placement says 512',))], path)
        result = self._invoke('drill', '--words', str(path))
        self.assertRegex(result.output, 'capacity-misreported +a clean run')
        self.assertEqual(1, result.exit_code)

    def test_results_of_other_drills_stay(self):
        path = self.directory / 'drills.json'
        old, new = (running.Result(
            name, 'what', ('fbm1',), running.CAUGHT, '', {}, 1.5)
            for name in ('option-on', 'option-off'))
        report.save([old, dataclasses.replace(new, seconds=9.5)], path)
        self.patch_object(lab, 'load')
        self.patch_object(running, 'run').return_value = [new]
        result = self._invoke('drill', 'option-off', '--json', str(path))
        self.assertEqual([old, new], report.load(path))
        self.assertIn('1 of 1 caught', result.output)

    def test_runs_without_a_fault_replace_only_earlier_ones(self):
        path = self.directory / 'all.json'
        drill = running.Result(
            'option-on', 'what', ('fbm1',), running.CAUGHT, '', {}, 1.5)
        new = clean.Run(2, 3, (), 1.5)
        report.save([drill, clean.Run(1, 3, (), 1.5)], path)
        self.patch_object(lab, 'load')
        self.patch_object(running, 'mend')
        self.patch_object(clean, 'run').return_value = [new]
        result = self._invoke('drill', '--clean', '1', '--json', str(path))
        self.assertEqual([drill, new], report.load(path))
        self.assertIn('1 of 1 clean', result.output)
        self.assertEqual(0, result.exit_code)

    def test_runs_without_a_fault_replace_no_other_file(self):
        path = self.directory / 'inventory.json'
        path.write_text('{"hosts": {}}')
        self.patch_object(lab, 'load')
        run = self.patch_object(clean, 'run')
        result = self._invoke('drill', '--clean', '1', '--json', str(path))
        self.assertIn('is not what drill --json writes', result.output)
        self.assertEqual('{"hosts": {}}', path.read_text())
        run.assert_not_called()

    @ddt.data(('option-off',), ('--clean', '1'), ('--json', 'x.json'))
    def test_words_of_drills_go_with_nothing_else(self, others):
        path = self.directory / 'drills.json'
        report.save([], path)
        result = self._invoke('drill', '--words', str(path), *others)
        self.assertIn('--words runs nothing', result.output)
        self.assertEqual(2, result.exit_code)

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

    def test_bench_keeps_the_figures_of_before(self):
        path = self.directory / 'figures.json'
        path.write_text('{}')
        run = self.patch_object(bench, 'run')
        result = self._invoke('bench', '--json', str(path))
        self.assertIn('is there already; name another file',
                      ' '.join(result.output.split()))
        self.assertEqual((2, '{}'), (result.exit_code, path.read_text()))
        run.assert_not_called()

    def test_bench_tells_what_it_cannot_write(self):
        self.patch_object(bench, 'run')
        show = self.patch_object(bench, 'show')
        self.patch_object(bench, 'save').side_effect = errors.LabError('full')
        self.assertEqual(1, self._invoke('bench', '--json', 'x').exit_code)
        show.assert_called_once()

    def test_results_go_to_plain_files(self):
        fifo = self.directory / 'fifo'
        os.mkfifo(fifo)
        exclusive = self.patch_object(lab, 'exclusive')
        exclusive.side_effect = errors.LabError('too late')
        for command in ('bench', 'drill', 'matrix'):
            for path, said in ((fifo, 'it is no plain file'),
                               (self.directory, 'is a directory')):
                result = self._invoke(command, '--json', str(path))
                self.assertEqual(2, result.exit_code)
                # Lines are broken where they are long.
                self.assertIn(said, ' '.join(result.output.split()))
        exclusive.assert_not_called()

    def test_constraints(self):
        renew = self.patch_object(constraints, 'renew')
        self._invoke('constraints', '2025.1')
        renew.assert_called_once_with(releases.RELEASES['2025.1'], None)

    def test_constraints_as_the_user_says(self):
        renew = self.patch_object(constraints, 'renew')
        self._invoke('constraints', '2026.2', '--upper', 'upper.txt')
        renew.assert_called_once_with(releases.NEWEST, 'upper.txt')

    def test_constraints_of_no_release(self):
        renew = self.patch_object(constraints, 'renew')
        self.assertEqual(2, self._invoke('constraints', 'c.txt').exit_code)
        renew.assert_not_called()


@ddt.ddt
class MatrixTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(os, 'geteuid').return_value = 0
        self.patch_object(lab, 'exclusive', contextlib.nullcontext)
        self.patch_object(lab, 'TESTS_LOCK', self.directory / 'tests.lock')
        self.down = self.patch_object(lab, 'down')
        self.patch_object(matrix, 'run', self._run)
        self.path = self.directory / 'results' / 'matrix.json'
        self.failures = {}
        self.errors = {}
        self.saved = []
        self.wishes = {}

    def _run(self, wishes, arguments, shown):
        self.wishes, self.arguments = wishes, arguments
        for cloud in wishes:
            yield matrix.Result(cloud, 3, self.failures.get(cloud, {}),
                                error=self.errors.get(cloud, ''))
            self.saved.append(len(matrix.load(self.path)))

    def _invoke(self, *arguments):
        return testing.CliRunner().invoke(cli.main, (
            'matrix', '--json', str(self.path), *arguments))

    def test_all(self):
        result = self._invoke()
        self.assertEqual(
            [matrix.Cloud(release, stock, 'debian-12')
             for release in releases.RELEASES for stock in (True, False)],
            list(self.wishes))
        self.assertEqual(runner.suite(), self.arguments)
        self.assertEqual(0, result.exit_code)
        self.down.assert_called_once()

    def test_some(self):
        self._invoke('--release', '2026.2', '--release', '2025.2', '--nova',
                     'stock', '--system', 'debian-13', '--system',
                     'debian-12', '--topology', 'wide', '--regex', 'a|b',
                     '--workers', '7')
        self.assertEqual(
            {matrix.Cloud(name, True, system): lab.Wish(
                topology.SHIPPED / 'wide.yaml', releases.RELEASES[name],
                True, system)
             for system in ('debian-13', 'debian-12')
             for name in ('2026.2', '2025.2')}, self.wishes)
        self.assertEqual(runner.suite(7, 'a|b'), self.arguments)

    def test_the_extension_is_wished_for(self):
        self._invoke('--release', '2026.2', '--nova', 'extension')
        [wish] = self.wishes.values()
        self.assertIs(False, wish.stock)

    def test_written_as_they_come(self):
        self._invoke('--release', '2026.2', '--release', '2025.2')
        self.assertEqual([1, 2, 3, 4], self.saved)

    @ddt.data({'failures': {'a.b': 'why'}}, {'errors': 'why'})
    def test_not_all_are_green(self, broken):
        cloud = matrix.Cloud('2025.2', True, 'debian-12')
        for name, what in broken.items():
            setattr(self, name, {cloud: what})
        result = self._invoke('--release', '2025.2', '--release', '2026.2')
        self.assertEqual(4, len(self.wishes))
        self.assertRegex(result.output, '2025.2 stock debian-12: .*why\n')
        self.assertEqual(1, result.exit_code)

    def test_resume(self):
        clouds = matrix.clouds(['2025.2', '2026.2'], [True, False],
                               ['debian-12'])
        green, red, nothing, new = clouds
        known = [matrix.Result(green, 7), matrix.Result(red, 1, {'a': 'b'}),
                 matrix.Result(nothing, error='no disk')]
        matrix.save(known, self.path)
        result = self._invoke('--release', '2025.2', '--release', '2026.2',
                              '--resume')
        self.assertEqual([nothing, new], list(self.wishes))
        self.assertEqual(
            known[:2] + [matrix.Result(nothing, 3), matrix.Result(new, 3)],
            matrix.load(self.path))
        self.assertIn('2025.2 extension debian-12: a: b\n', result.output)
        self.assertEqual(1, result.exit_code)

    def test_resume_without_a_file(self):
        self._invoke('--release', '2026.2', '--resume')
        self.assertEqual(2, len(self.wishes))

    def test_resume_with_nothing_left(self):
        known = [matrix.Result(cloud, 7) for cloud in matrix.clouds(
            ['2026.2'], [True, False], ['debian-12'])]
        matrix.save(known, self.path)
        result = self._invoke('--release', '2026.2', '--resume')
        self.assertEqual({}, self.wishes)
        self.assertEqual(0, result.exit_code)
        self.assertEqual(known, matrix.load(self.path))

    def test_without_resume_all_run_again(self):
        known = [matrix.Result(cloud, 1, {'a': 'b'}) for cloud
                 in matrix.clouds(['2025.2', '2026.2'], [True, False],
                                  ['debian-12'])]
        matrix.save(known, self.path)
        result = self._invoke('--release', '2026.2')
        self.assertEqual([of.cloud for of in known[2:]], list(self.wishes))
        self.assertEqual(known[:2] + [matrix.Result(of.cloud, 3)
                                      for of in known[2:]],
                         matrix.load(self.path))
        self.assertEqual(0, result.exit_code)

    def test_resume_with_another_file(self):
        self.path.parent.mkdir()
        self.path.write_text('hosts: {}')
        result = self._invoke('--resume')
        self.assertIn(str(self.path), result.output)
        self.assertEqual(1, result.exit_code)
        self.assertEqual('hosts: {}', self.path.read_text())
        self.down.assert_not_called()
