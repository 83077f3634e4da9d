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

"""Where the time of a run went."""

import dataclasses
import datetime

from mempage_tempest_plugin.pages import runs as runs_of

#: So many of the slowest tests are shown.
SLOWEST = 20


@dataclasses.dataclass
class Worker:
    """A process that ran tests, one after the other.

    :ivar name: of the worker, with that of its run
    :ivar tests: how many
    :ivar busy: seconds that they took, without what classes did before and
        after them
    :ivar begin: when its first test began
    :ivar end: when its last test ended
    :ivar share: how much of the time of its run it was busy, of 100
    """

    name: str
    tests: int
    busy: float
    begin: datetime.datetime
    end: datetime.datetime
    share: int


def span(runs):
    """Tell when everything was.

    :param runs: list of runs.Run
    :returns: when the first test began, and when the last one ended; None
        twice if the streams do not tell
    """
    timed = [test for _, test in runs_of.each(runs)
             if test.began and test.ended]
    if not timed:
        return None, None
    return (min(test.began for test in timed),
            max(test.ended for test in timed))


def slowest(runs):
    """Find the slowest tests.

    :param runs: list of runs.Run
    :returns: list of triples of the test's name in the page, the streams.Test
        and the name of the worker
    """
    found = sorted(((run, test) for run, test in runs_of.each(runs)
                    if test.seconds), key=lambda pair: -pair[1].seconds)
    return [(run.called(test.name), test, _name(run, test))
            for run, test in found[:SLOWEST]]


def workers(runs):
    """Tell how busy each worker was.

    :param runs: list of runs.Run
    :returns: list of :class:`Worker`
    """
    found = []
    for run in runs:
        tests = {}
        for test in run.tests:
            if test.began and test.ended:
                tests.setdefault(_name(run, test), []).append(test)
        begin, end = span([run])
        found += [_worker(name, tests[name], begin, end)
                  for name in sorted(tests)]
    return found


def _worker(name, tests, begin, end):
    busy = sum(test.seconds for test in tests)
    length = (end - begin).total_seconds()
    return Worker(name, len(tests), busy, min(test.began for test in tests),
                  max(test.ended for test in tests),
                  round(100 * busy / length) if length else 100)


def _name(run, test):
    worker = test.worker or 'no name'
    return '%s, %s' % (run.name, worker) if run.name else worker


def duration(seconds):
    """Write a time for people.

    :param seconds: how long it is
    """
    if seconds < 60:
        return '%.1f s' % seconds
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return '%d h %02d min' % (hours, minutes)
    return '%d min %02d s' % (minutes, seconds)
