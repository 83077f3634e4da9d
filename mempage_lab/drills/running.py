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

"""Puts faults into the lab one at a time, and judges what the suite says."""

import contextlib
import dataclasses
import re
import time

from mempage_lab.drills import catalogue
from mempage_lab.drills import faults
from mempage_lab import errors
from mempage_lab import restart
from mempage_lab import runner
from mempage_lab import stream

CAUGHT = 'caught'
CAUSE_UNSAID = 'caught without the cause'
WRONG_TEST = 'caught by the wrong test'
MISSED = 'missed'
NOT_RUN = 'not run'


@dataclasses.dataclass(frozen=True)
class Result:
    """What the suite said of one fault.

    :ivar verdict: one of the words above
    :ivar failed: names of the tests that failed
    :ivar said: the line that names the cause, or why there is none
    """

    name: str
    what: str
    host: str
    verdict: str
    failed: tuple
    said: str
    seconds: float


def choose(names):
    """Return drills by name; all if none is named.

    :raises LabError: if there is no such drill, naming those that there are
    """
    unknown = set(names) - set(catalogue.DRILLS)
    if unknown:
        raise errors.LabError('no drill %s; there are %s' % (
            ', '.join(sorted(unknown)), ', '.join(catalogue.DRILLS)))
    return {name: catalogue.DRILLS[name]
            for name in names or catalogue.DRILLS}


def run(current, drills, shown):
    """Run drills one after the other.

    :param current: the :class:`mempage_lab.lab.Lab`, which is up
    :param drills: what :func:`choose` returned
    :param shown: a :class:`mempage_lab.progress.Progress`
    :returns: a generator of :class:`Result`
    :raises LabError: if a node cannot be mended
    """
    mend(current, shown)
    for name, drill in drills.items():
        begin = time.monotonic()
        host = drill.host(current.topology)
        if host is None:
            judged = NOT_RUN, (), 'the topology has no such host'
        else:
            judged = _run_one(current, name, drill, host, shown)
        result = Result(name, drill.what, host or '', *judged,
                        round(time.monotonic() - begin, 1))
        shown.say('%s: %s' % (name, result.verdict))
        yield result


def _run_one(current, name, drill, host, shown):
    node = current.nodes[host]
    with _broken(current, node, name, drill.fault, shown):
        _, results = runner.run(
            ['--regex', drill.tests, '--concurrency', str(runner.WORKERS)],
            quiet=True)
    return _judge(drill, stream.read(results / 'results.subunit').failures)


def _judge(drill, failures):
    """Judge what failed.

    :param failures: dict of test to what it said
    :returns: the verdict, the tests, and the line that tells the cause
    """
    failed = tuple(sorted(failures))
    expected = [test for test in failed if re.search(drill.caught_by, test)]
    for test in expected:
        for line in stream.message(failures[test]):
            if re.search(drill.words, line):
                return CAUGHT, failed, line
    for verdict, tests in (CAUSE_UNSAID, expected), (WRONG_TEST, failed):
        if tests:
            first = stream.message(failures[tests[0]])
            return verdict, failed, ' '.join(first)
    return MISSED, failed, ''


@contextlib.contextmanager
def _broken(current, node, name, fault, shown):
    """Put a fault into a node, and mend the node whatever happens."""
    faults.record(node, name)
    try:
        fault.put_in(node)
        _restart(current, node, fault, shown)
        yield
    finally:
        _mend(current, node, fault, shown)


def _mend(current, node, fault, shown):
    fault.put_back(node)
    _restart(current, node, fault, shown)
    faults.forget(node)


def _restart(current, node, fault, shown):
    for program in fault.programs:
        restart.run(current, '%s/%s' % (node.name, program), shown)


def mend(current, shown):
    """Take back what a drill that was killed has left.

    :param current: the :class:`mempage_lab.lab.Lab`
    :param shown: a :class:`mempage_lab.progress.Progress`
    """
    machines = [host.name for host in current.topology.machines]
    for node in current.nodes.values():
        name = None if node.name in machines else faults.left_on(node)
        if name in catalogue.DRILLS:
            shown.say('%s: taking back the drill %s' % (node.name, name))
            _mend(current, node, catalogue.DRILLS[name].fault, shown)
