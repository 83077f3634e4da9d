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


import threading

from mempage_lab import errors
from mempage_lab import progress
from mempage_lab import tasks
from tests.lab import base


class TasksTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(progress, 'console').is_terminal = False
        self.done = []
        self.progress = progress.Progress()

    def _note(self, name):
        return lambda: self.done.append(name)

    def _fail(self, error):
        def function():
            raise error
        return function

    def _run(self, **wanted):
        tasks.run(wanted, self.progress)

    def test_order(self):
        self._run(c=(self._note('c'), ['b']), b=(self._note('b'), ['a']),
                  a=(self._note('a'), ()))
        self.assertEqual(['a', 'b', 'c'], self.done)
        self.assertEqual({'a', 'b', 'c'}, set(self.progress.costs))

    def test_independent_tasks_run_at_once(self):
        barrier = threading.Barrier(3, timeout=10)
        self._run(**{name: (barrier.wait, ()) for name in 'abc'})

    def test_a_task_does_not_wait_for_others_than_those_it_names(self):
        later = threading.Event()
        self._run(slow=(lambda: self.assertTrue(later.wait(10)), ()),
                  first=(self._note('first'), ()),
                  second=(later.set, ['first']))

    def test_a_failure_stops_only_what_depends_on_it(self):
        error = self.assertRaises(
            errors.LabError, self._run,
            broken=(self._fail(errors.LabError('no disk')), ()),
            after=(self._note('after'), ['broken']),
            later=(self._note('later'), ['after']),
            other=(self._note('other'), ()),
            next=(self._note('next'), ['other']))
        self.assertEqual('broken: no disk', str(error))
        self.assertEqual(['other', 'next'], self.done)

    def test_all_failures_are_reported(self):
        error = self.assertRaises(
            errors.LabError, self._run,
            a=(self._fail(errors.LabError('one')), ()),
            b=(self._fail(OSError('two')), ()))
        self.assertEqual(['a: one', 'b: two'],
                         sorted(str(error).splitlines()))

    def test_a_bug_is_not_taken_for_a_failure(self):
        self.assertRaises(ZeroDivisionError, self._run,
                          a=(lambda: 1 / 0, ()))
