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
import io
import json
import os
import signal
from unittest import mock

import ddt

from mempage_lab.drills import catalogue
from mempage_lab.drills import clean
from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_lab.drills import report
from mempage_lab.drills import running
from mempage_lab.drills import words
from mempage_lab import errors
from mempage_lab import progress
from mempage_lab import restart
from mempage_lab import runner
from mempage_lab import stream
from mempage_lab import topology
from tests.lab import base

DRILL = drill.Drill(
    what='what', where='fbm1', fault=mock.Mock(programs=('a', 'b')),
    tests='A|B', caught_by=r'A\.test', words='total: expected')


class RunningTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(progress, 'console').is_terminal = False
        self.node, self.other = (mock.Mock(), mock.Mock())
        self.node.name, self.other.name = 'fbm1', 'fbm2'
        self.lab = mock.Mock(nodes={'fbm1': self.node, 'fbm2': self.other})
        self.lab.topology.machines = []
        self.shown = progress.Progress()
        self.restarted = self.patch_object(restart, 'run')
        self.left = self.patch_object(faults, 'left_on')
        self.left.return_value = None
        self.record = self.patch_object(faults, 'record')
        self.forget = self.patch_object(faults, 'forget')
        self.run_tests = self.patch_object(runner, 'run')
        self.run_tests.return_value = 1, self.directory
        self.outcome = stream.Outcome(failures={
            'A.test': 'x\n total: expected 1\n'})
        self.patch_object(stream, 'read', lambda path: self.outcome)
        DRILL.fault.reset_mock(side_effect=True)

    def _run(self):
        [result] = running.run(self.lab, {'name': DRILL}, self.shown)
        return result

    def test_a_fault_is_put_in_and_taken_back(self):
        result = self._run()
        self.assertEqual((running.CAUGHT, 'total: expected 1'),
                         (result.verdict, result.said))
        DRILL.fault.put_in.assert_called_once_with(self.node)
        DRILL.fault.put_back.assert_called_once_with(self.node)
        self.assertEqual([['fbm1/a'], ['fbm1/b']] * 2, [
            call.args[1] for call in self.restarted.call_args_list])
        self.record.assert_called_once_with(self.node, 'name')
        self.forget.assert_called_once_with(self.node)

    def test_a_fault_in_several_hosts_at_once(self):
        changed = dataclasses.replace(
            DRILL, where=lambda policy: policy.file_backed, everywhere=True)
        self.lab.topology.hosts = [
            mock.Mock(machine=None, policy=mock.Mock(file_backed=file_backed))
            for file_backed in (True, False, True)]
        for host, name in zip(self.lab.topology.hosts,
                              ('fbm1', 'plain1', 'fbm2')):
            host.name = name
        [result] = running.run(self.lab, {'name': changed}, self.shown)
        self.assertEqual(('fbm1', 'fbm2'), result.hosts)
        self.assertCountEqual(
            [mock.call(self.node), mock.call(self.other)],
            changed.fault.put_back.call_args_list)
        self.assertIn(['fbm1/a', 'fbm2/a'], [
            call.args[1] for call in self.restarted.call_args_list])
        self.assertEqual(2, self.forget.call_count)

    def test_a_host_that_cannot_be_mended_keeps_no_other_from_it(self):
        nodes = [self.node, self.other]
        DRILL.fault.put_back.side_effect = errors.LabError('no')
        self.assertRaises(errors.LabError, running._mend, self.lab, nodes,
                          DRILL.fault, self.shown)
        self.assertEqual(2, DRILL.fault.put_back.call_count)
        self.forget.assert_not_called()

    def test_a_signal_waits_until_the_fault_is_taken_back(self):
        self.run_tests.side_effect = KeyboardInterrupt
        DRILL.fault.put_back.side_effect = (
            lambda node: os.kill(os.getpid(), signal.SIGTERM))
        self.assertRaises(KeyboardInterrupt, self._run)
        self.forget.assert_called_once_with(self.node)

    def test_a_fault_is_taken_back_whatever_happens(self):
        self.run_tests.side_effect = KeyboardInterrupt
        self.assertRaises(KeyboardInterrupt, self._run)
        DRILL.fault.put_back.assert_called_once_with(self.node)
        self.forget.assert_called_once_with(self.node)

    def test_a_fault_that_cannot_be_put_in(self):
        DRILL.fault.put_in.side_effect = errors.LabError('no')
        self.assertRaises(errors.LabError, self._run)
        DRILL.fault.put_back.assert_called_once_with(self.node)

    def test_missed(self):
        self.outcome.failures = {}
        self.assertEqual(running.MISSED, self._run().verdict)

    def test_caught_by_the_wrong_test(self):
        self.outcome.failures = {'B.test': 'total: expected 1'}
        result = self._run()
        self.assertEqual(
            (running.WRONG_TEST, {'B.test': ['total: expected 1']}),
            (result.verdict, result.output))

    def test_caught_without_the_cause(self):
        self.outcome.failures = {'A.test': 'it is broken\n\n'}
        result = self._run()
        self.assertEqual((running.CAUSE_UNSAID, 'it is broken'),
                         (result.verdict, result.said))

    def test_what_tells_of_another_fault(self):
        changed = dataclasses.replace(DRILL, unsaid='anonymous')
        for text, verdict in (('total: expected 1', running.CAUGHT),
                              ('total: expected 1\nis anonymous',
                               running.CAUSE_UNSAID)):
            self.assertEqual(verdict, running.judge(
                changed, {'A.test': text.splitlines()})[0])

    def test_code_is_no_message(self):
        self.outcome.failures = {'A.test': (
            'Traceback (most recent call last):\n'
            '  File "total.py", line 1, in test\n'
            '    self.fail("total: expected")\n    ^^^^^^^\n'
            'AssertionError: 1 of 7 failed\nfbm1: it is broken\n')}
        result = self._run()
        self.assertEqual(
            (running.CAUSE_UNSAID,
             'AssertionError: 1 of 7 failed fbm1: it is broken'),
            (result.verdict, result.said))

    def test_no_such_host(self):
        changed = catalogue.DRILLS['option-off']
        self.lab.topology.hosts = ()
        [result] = running.run(self.lab, {'name': changed}, self.shown)
        self.assertEqual(running.NOT_RUN, result.verdict)

    def test_for_another_topology(self):
        changed = dataclasses.replace(DRILL, topology='consumers')
        self.lab.topology = topology.load(topology.DEFAULT, [])
        [result] = running.run(self.lab, {'name': changed}, self.shown)
        self.assertEqual(
            (running.ELSEWHERE, (), 'it takes the topology consumers: this '
             'one has no vhost-user ports and no shares'),
            (result.verdict, result.hosts, result.said))
        self.run_tests.assert_not_called()
        # Nobody has asked for it by name.
        self.assertTrue(running.passed([result], ()))
        self.assertFalse(running.passed([result], ('name',)))

    def test_a_topology_that_a_drill_is_for(self):
        changed = dataclasses.replace(DRILL, topology='consumers')
        self.lab.topology = topology.load(topology.find('consumers'), [])
        [result] = running.run(self.lab, {'name': changed}, self.shown)
        self.assertEqual(running.CAUGHT, result.verdict)

    def test_what_was_left_is_taken_back_first(self):
        self.left.side_effect = (
            lambda node: 'option-off' if node is self.node else None)
        fault = mock.Mock(programs=('nova-compute',))
        self.patch_object(catalogue, 'DRILLS', {
            'option-off': mock.Mock(fault=fault)})
        running.mend(self.lab, self.shown)
        fault.put_back.assert_called_once_with(self.node)
        self.forget.assert_called_once_with(self.node)

    def test_nothing_is_left_on_machines(self):
        self.lab.topology.machines = [topology.LabHost('fbm1', 0)]
        running.mend(self.lab, self.shown)
        self.left.assert_called_once_with(self.other)

    def test_choose(self):
        self.assertEqual(catalogue.DRILLS, running.choose(()))
        self.assertEqual(['option-off'], list(running.choose(['option-off'])))
        error = self.assertRaises(errors.LabError, running.choose, ['on'])
        self.assertIn('no drill on; there are option-off,', str(error))


@ddt.ddt
class ReportTest(base.LabTestCase):

    results = [running.Result('a', 'A is off', ('fbm1', 'fbm2'),
                              running.CAUGHT, 'A: expected on',
                              {'t': ['A: expected on']}, 1.5),
               running.Result('b', 'B is off', ('fbm2',), running.MISSED,
                              '', {}, 2.5)]

    def test_table(self):
        output = self.patch_object(report.tables.sys, 'stdout', io.StringIO())
        report.show(self.results)
        self.assertRegex(output.getvalue(),
                         'a +fbm1 fbm2 +caught +A: expected on')
        self.assertIn('1 of 2 caught; 1 missed', output.getvalue())

    def test_table_of_clean_runs(self):
        output = self.patch_object(report.tables.sys, 'stdout', io.StringIO())
        report.show_runs([clean.Run(7, 3, (), 1.5),
                          clean.Run(8, 2, ('t',), 2.5),
                          clean.Run(9, 0, (), 0.5)])
        self.assertRegex(output.getvalue(), '8 +2 +1 +2.5 +t')
        self.assertIn('1 of 3 clean', output.getvalue())

    def test_json(self):
        path = self.directory / 'results.json'
        report.save(self.results, path)
        first, _ = json.loads(path.read_text())
        self.assertEqual(
            {'name': 'a', 'what': 'A is off', 'hosts': ['fbm1', 'fbm2'],
             'verdict': 'caught', 'said': 'A: expected on',
             'output': {'t': ['A: expected on']}, 'seconds': 1.5}, first)
        self.assertEqual(self.results, report.load(path))
        self.assertEqual(self.results[1:], report.load(path, but=['a']))

    def test_json_of_clean_runs(self):
        path = self.directory / 'results.json'
        runs = [clean.Run(7, 3, ('t',), 1.5, ('A: expected on',))]
        report.save(runs, path)
        self.assertEqual(runs, report.load(path))

    def test_no_json_yet(self):
        self.assertEqual([], report.load(self.directory / 'none.json'))
        self.assertEqual([], report.load(None))

    @ddt.data('{', '[1]', '{"a": 1}', '[{"name": "a"}]')
    def test_other_json(self, text):
        path = self.directory / 'results.json'
        path.write_text(text)
        error = self.assertRaises(errors.LabError, report.load, path)
        self.assertIn('is not what drill --json writes', str(error))

    def test_table_of_clashes(self):
        output = self.patch_object(report.tables.sys, 'stdout', io.StringIO())
        report.show_clashes([words.Clash('a', 'b', 'A: expected on')])
        self.assertRegex(output.getvalue(), 'a +b +A: expected on')
