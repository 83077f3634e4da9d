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

"""Tests of leases, between processes."""

import contextlib
import gc
import multiprocessing
import os
import random
import signal
import subprocess
import time
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.changes import leases
from mempage_tempest_plugin import exceptions

A = leases.host('a')
B = leases.host('b')
# Seconds that any process may take for what it does at once.
SOON = 20
# How many processes and wishes of each there are under stress.
PROCESSES = 8
WISHES = 100
RESOURCES = [leases.host(name) for name in 'abcd'] + [
    leases.kernel('1'), leases.kernel('2')]
SHARED, EXCLUSIVE = 1, 2
STORE = leases.store('a')
PARTS = 4

# What runs already need not be imported again.
processes = multiprocessing.get_context('fork')


def shared(*names):
    return leases.Wish(shared=frozenset(names))


def exclusive(*names):
    return leases.Wish(exclusive=frozenset(names))


def parts(wanted):
    return leases.Wish(parts={STORE: leases.Parts(wanted, PARTS)})


class Other:
    """Another process, which takes leases and keeps them."""

    def __init__(self, lock_path, holder, wish):
        self._pipe, pipe = processes.Pipe()
        self._process = processes.Process(
            target=self._run, args=(pipe, lock_path, holder, wish))
        self._process.start()
        pipe.close()

    @staticmethod
    def _run(pipe, lock_path, holder, wish):
        with leases.Leases(lock_path, holder, poll=0.01) as taken:
            taken.take(wish)
            pipe.send('taken')
            pipe.recv()

    def has_taken(self, timeout=SOON):
        return self._pipe.poll(timeout) and self._pipe.recv() == 'taken'

    def release(self):
        self._pipe.send('release')
        self._process.join(SOON)

    def kill(self):
        self._process.kill()
        self._process.join()


class LeasesTestCase(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.lock_path = self.useFixture(fixtures.TempDir()).path
        self.said = []
        self.leases = leases.Leases(self.lock_path, 'Me (process 1)',
                                    say=self.said.append, poll=0.01)
        self.addCleanup(self.leases.release)

    def _start(self, wish, holder='Other (process 2)'):
        other = Other(self.lock_path, holder, wish)
        self.addCleanup(other.kill)
        return other

    def _holding(self, wish, holder='Other (process 2)'):
        other = self._start(wish, holder)
        self.assertTrue(other.has_taken())
        return other

    def _assert_refused(self, wish, timeout=0):
        return self.assertRaises(exceptions.LeaseTimeout, self.leases.take,
                                 wish, timeout)

    def _assert_kept_from_others(self, wish):
        other = self._start(wish)
        self.assertFalse(other.has_taken(0.3))
        other.kill()

    def _notes(self):
        return [name for name in os.listdir(self.lock_path)
                if 'note' in name]


class WishTest(base.BaseTestCase):

    def test_order(self):
        wish = leases.Wish(frozenset([leases.kernel('9'), B, A]),
                           frozenset([leases.kernel('7')]))
        self.assertEqual(
            [('all', False), ('host-a', False), ('host-b', False),
             ('kernel-7', True), ('kernel-9', False)], wish.in_order())

    def test_exclusive_is_more_than_shared(self):
        wish = leases.Wish(frozenset([A]), frozenset([A]))
        self.assertEqual([('all', False), (A, True)], wish.in_order())

    def test_everything(self):
        self.assertEqual([('all', True)], leases.EVERYTHING.in_order())


class LeasesTest(LeasesTestCase):

    def test_shared_at_once(self):
        self._holding(shared(A))
        self._holding(shared(A))
        self.leases.take(shared(A), SOON)

    def test_exclusive_keeps_out_all(self):
        self._holding(exclusive(A))
        self._assert_refused(shared(A))
        self._assert_refused(exclusive(A))

    def test_shared_keeps_out_exclusive(self):
        self._holding(shared(A))
        self._assert_refused(exclusive(A))

    def test_others_do_not_matter(self):
        self._holding(leases.Wish(frozenset([leases.kernel('9')]),
                                  frozenset([A])))
        self.leases.take(leases.Wish(frozenset([leases.kernel('9')]),
                                     frozenset([B])), SOON)

    def test_everything_waits_for_all(self):
        other = self._holding(shared(leases.host('unknown')))
        self._assert_refused(leases.EVERYTHING)
        other.release()
        self.leases.take(leases.EVERYTHING, SOON)

    def test_all_wait_for_everything(self):
        other = self._holding(leases.EVERYTHING)
        self._assert_refused(shared(leases.host('unknown')))
        other.release()
        self.leases.take(shared(leases.host('unknown')), SOON)

    def test_they_are_waited_for(self):
        self.leases.take(exclusive(A))
        other = self._start(shared(A))
        self.assertFalse(other.has_taken(0.3))
        self.leases.release()
        self.assertTrue(other.has_taken())

    def test_sharers_do_not_overtake(self):
        first = self._holding(shared(A))
        second = self._start(exclusive(A), 'Second (process 3)')
        self.assertFalse(second.has_taken(0.3))
        error = self._assert_refused(shared(A))
        self.assertEqual('held by Other (process 2) [shared], wanted by '
                         'Second (process 3) [exclusive]', error.holders)
        first.release()
        self.assertTrue(second.has_taken())

    def test_none_is_held_after_a_timeout(self):
        self._holding(exclusive(B))
        error = self._assert_refused(exclusive(A, B), 0.2)
        self.assertEqual(('host-b', 'exclusive'),
                         (error.resource, error.kind))
        self.assertGreater(error.seconds, 0.2)
        self.assertEqual('held by Other (process 2) [exclusive]',
                         error.holders)
        self.assertIn('no exclusive lease of host-b within 0 s: it is held by',
                      str(error))
        self._holding(exclusive(A))
        self.assertEqual([], self._open())

    def test_no_file_stays_open(self):
        self.leases.take(shared(A, B))
        self.assertNotEqual([], self._open())
        self.leases.release()
        self.assertEqual([], self._open())

    def _open(self):
        """List the files below the lock path that this process has open."""
        paths = []
        for name in os.listdir('/proc/self/fd'):
            with contextlib.suppress(FileNotFoundError):
                paths.append(os.readlink('/proc/self/fd/' + name))
        return [path for path in paths if path.startswith(self.lock_path)]

    def test_release_twice(self):
        self.leases.release()
        self.leases.take(exclusive(A))
        self.leases.release()
        self.leases.release()
        self._holding(exclusive(A))

    def test_take_again(self):
        for _ in range(2):
            self.leases.take(exclusive(A))
            self._assert_kept_from_others(shared(A))
            self.leases.release()

    def test_released_by_context(self):
        with self.leases:
            self.leases.take(exclusive(A))
        self._holding(exclusive(A))

    def test_one_at_a_time_in_a_process(self):
        self.leases.take(shared(A))
        # POSIX locks of one process do not exclude each other.
        for second in (self.leases, leases.Leases(self.lock_path, 'x')):
            self.assertRaises(RuntimeError, second.take, exclusive(A))
        self._assert_kept_from_others(exclusive(A))

    def test_names_that_are_no_file_names(self):
        self._holding(exclusive(leases.host('../a')))
        self._assert_refused(shared(leases.host('../a')))
        self.leases.take(exclusive(leases.host('..%2Fa')), SOON)

    def test_kept_while_other_commands_run(self):
        # Of which each closes copies of all descriptors.
        self.leases.take(exclusive(A))
        subprocess.run(['true'], check=True, close_fds=False)
        child = processes.Process(target=gc.collect)
        child.start()
        child.join()
        self._assert_kept_from_others(shared(A))

    def test_kept_while_a_failure_is_forgotten(self):
        other = self._holding(exclusive(A))
        error = self._assert_refused(exclusive(A))
        other.release()
        self.leases.take(exclusive(A), SOON)
        # What it refers to would close the file of the lock.
        del error
        gc.collect()
        self._assert_kept_from_others(shared(A))


class PartsTest(LeasesTestCase):

    def test_as_many_as_there_are(self):
        self._holding(parts(1))
        self._holding(parts(2))
        self._assert_refused(parts(2))
        self.leases.take(parts(1), SOON)
        self._assert_kept_from_others(parts(1))

    def test_what_is_released_is_free(self):
        first = self._holding(parts(2), 'First')
        self._holding(parts(2), 'Second')
        error = self._assert_refused(parts(1))
        self.assertEqual(('store-a', '1-of-4'), (error.resource, error.kind))
        for name in 'First', 'Second':
            self.assertIn(name + ' [2-of-4]', error.holders)
        first.release()
        self.leases.take(parts(2), SOON)

    def test_of_who_is_killed(self):
        other = self._holding(parts(4))
        self._assert_refused(parts(1))
        other.kill()
        self.leases.take(parts(4), SOON)

    def test_those_who_want_few_do_not_overtake(self):
        first = self._holding(parts(1))
        second = self._start(parts(4), 'Second')
        self.assertFalse(second.has_taken(0.3))
        error = self._assert_refused(parts(1))
        self.assertIn('wanted by Second [4-of-4]', error.holders)
        first.release()
        self.assertTrue(second.has_taken())

    def test_none_is_held_after_a_timeout(self):
        other = self._holding(parts(3))
        self._assert_refused(parts(2), 0.2)
        self._holding(parts(1))
        other.release()
        self._holding(parts(3))

    def test_everything_waits_for_them(self):
        other = self._holding(parts(1))
        self._assert_refused(leases.EVERYTHING)
        other.release()
        self.leases.take(leases.EVERYTHING, SOON)


class KilledTest(LeasesTestCase):

    def test_holder(self):
        other = self._holding(exclusive(A, B))
        self._assert_refused(exclusive(A))
        other.kill()
        self.leases.take(exclusive(A, B), SOON)

    def test_waiting(self):
        self._holding(shared(B))
        other = self._start(exclusive(A, B))
        self.assertFalse(other.has_taken(0.3))
        self._assert_refused(shared(A))
        self._assert_refused(shared(B))
        other.kill()
        self.leases.take(leases.Wish(frozenset([B]), frozenset([A])), SOON)

    def test_is_named_no_longer(self):
        self._holding(shared(A), 'Killed').kill()
        self._holding(shared(A), 'Alive')
        self.assertEqual(2, len(self._notes()))
        error = self._assert_refused(exclusive(A))
        self.assertEqual('held by Alive [shared]', error.holders)
        self.assertEqual(1, len(self._notes()))


class SaidTest(LeasesTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(leases, '_PATIENCE', 0.2))

    def test_for_whom_and_for_how_long(self):
        self._holding(shared(A))
        with mock.patch.object(leases.timeutils.StopWatch, 'elapsed',
                               return_value=20), \
                mock.patch.object(leases.timeutils.StopWatch, 'expired',
                                  side_effect=[False, True]):
            self._assert_refused(exclusive(A))
        self.assertEqual(
            ['Me (process 1) waits for host-a (exclusive), held by Other '
             '(process 2) [shared], for 20 s'], self.said)

    def test_again_and_again(self):
        self._holding(exclusive(A))
        self._assert_refused(shared(A), 1.1)
        self.assertIn(len(self.said), (4, 5))

    def test_nothing_soon(self):
        other = self._holding(exclusive(A))
        with mock.patch.object(leases, '_PATIENCE', 10):
            self._assert_refused(shared(A), 0.3)
        other.release()
        self.leases.take(exclusive(A), SOON)
        self.assertEqual([], self.said)

    def test_only_those_who_have_it(self):
        self._holding(exclusive(A), 'X')
        self._holding(exclusive(B), 'Y')
        self._assert_refused(exclusive(B), 1)
        self.assertNotEqual([], self.said)
        for said in self.said:
            self.assertIn('held by Y [exclusive], for', said)

    def test_no_note_stays(self):
        self.leases.take(shared(A))
        self.assertEqual(1, len(self._notes()))
        self.leases.release()
        self.assertEqual([], self._notes())


class StressTest(base.BaseTestCase):
    """Many processes that wish for this and that."""

    def setUp(self):
        super().setUp()
        self.lock_path = self.useFixture(fixtures.TempDir()).path
        # What each process has of each resource, as it says itself, and
        # who was killed: what that one says is not true any more.
        self.has = processes.RawArray('b', PROCESSES * len(RESOURCES))
        self.doomed = processes.RawArray('b', PROCESSES)
        self.parts = processes.RawArray('b', PROCESSES)

    def _run(self, number):
        """Take leases again and again, as one of the processes."""
        choice = random.Random(number)
        taken = leases.Leases(self.lock_path, str(number), poll=0.001)
        for _ in range(WISHES):
            wish = self._wish(choice)
            taken.take(wish)
            for resource in range(len(RESOURCES)):
                self._note(number, resource, wish)
            self._note_parts(number, wish)
            time.sleep(choice.uniform(0, 0.003))
            for resource in range(len(RESOURCES)):
                self.has[number * len(RESOURCES) + resource] = 0
            self.parts[number] = 0
            taken.release()

    @staticmethod
    def _wish(choice):
        if choice.random() < 0.02:
            return leases.EVERYTHING
        names = choice.sample(RESOURCES, choice.randint(1, 3))
        some = choice.randint(0, len(names))
        return leases.Wish(
            frozenset(names[:some]), frozenset(names[some:]),
            parts(wanted).parts if (wanted := choice.randint(0, PARTS))
            else {})

    def _note_parts(self, number, wish):
        """Note how many parts a process has, and fail if all have too many."""
        if wish.parts:
            self.parts[number] = wish.parts[STORE].wanted
        if not any(self.doomed) and sum(self.parts) > PARTS:
            raise AssertionError('they have %d parts' % sum(self.parts))

    def _note(self, number, resource, wish):
        """Note what a process has, and fail if another one has it, too."""
        name = RESOURCES[resource]
        mine = (EXCLUSIVE if wish is leases.EVERYTHING
                or name in wish.exclusive else
                SHARED if name in wish.shared else 0)
        self.has[number * len(RESOURCES) + resource] = mine
        for other in set(range(PROCESSES)) - {number}:
            theirs = self.has[other * len(RESOURCES) + resource]
            if (mine and theirs and EXCLUSIVE in (mine, theirs)
                    and not self.doomed[other]):
                raise AssertionError('%d and %d have %s' % (
                    number, other, name))

    def _start(self):
        started = [processes.Process(target=self._run, args=(number,))
                   for number in range(PROCESSES)]
        for process in started:
            process.start()
            self.addCleanup(process.join)
            self.addCleanup(process.kill)
        return started

    def _assert_end_well(self, started):
        deadline = time.monotonic() + 60
        for process in started:
            process.join(max(0, deadline - time.monotonic()))
        self.assertEqual([0] * len(started),
                         [process.exitcode for process in started])

    def test_all_come_to_their_end(self):
        self._assert_end_well(self._start())

    def test_the_others_come_to_their_end(self):
        started = self._start()
        for number in range(3):
            time.sleep(0.1)
            self.doomed[number] = True
            started[number].kill()
        self._assert_end_well(started[3:])
        self.assertEqual([-signal.SIGKILL] * 3,
                         [process.exitcode for process in started[:3]])
