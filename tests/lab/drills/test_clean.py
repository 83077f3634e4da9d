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

from unittest import mock

from mempage_lab.drills import clean
from mempage_lab import runner
from mempage_lab import stream
from tests.lab import base


class CleanTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        # What "mempage-tempest expect" says.
        self.expect = self.patch_object(runner.subprocess, 'run')
        self.expect.return_value = mock.Mock(returncode=0, stdout='')

    def test_runs(self):
        outcomes = iter([stream.Outcome(['a', 'b'], {}),
                         stream.Outcome(['a'], {'b': 'because'})])
        run = self.patch_object(runner, 'run')
        run.return_value = 0, self.directory
        self.patch_object(stream, 'read', lambda path: next(outcomes))
        first, second = clean.run(2, 3, mock.Mock())
        self.assertEqual([(2, (), True), (1, ('b',), False)], [
            (done.passed, done.failed, done.clean)
            for done in (first, second)])
        self.assertEqual([first.seed, second.seed], [
            seed for _, _, seed in (call[0] for call in run.call_args_list)])
        self.assertNotEqual(first.seed, second.seed)
        self.assertEqual(['--regex', runner.SUITE],
                         self.expect.call_args[0][0][-2:])

    def test_a_run_that_ended_badly_without_a_failed_test_is_not_clean(self):
        run = self.patch_object(runner, 'run')
        run.return_value = 3, self.directory
        self.patch_object(stream, 'read').return_value = stream.Outcome(
            ['a'], {})
        [done] = clean.run(1, 3, mock.Mock())
        self.assertEqual(('tempest run: exit status 3',), done.failed)
        self.assertFalse(done.clean)

    def test_a_run_of_less_than_had_to_is_not_clean(self):
        run = self.patch_object(runner, 'run')
        run.return_value = 0, self.directory
        self.patch_object(stream, 'read').return_value = stream.Outcome(
            ['a'], {})
        self.expect.return_value = mock.Mock(returncode=1, stdout='b skips')
        [done] = clean.run(1, 3, mock.Mock())
        self.assertEqual((str(self.directory / 'expected.txt'),), done.failed)

    def test_a_run_without_tests_is_not_clean(self):
        self.assertFalse(clean.Run(1, 0, (), 0.5).clean)
