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
import functools
import re
import time

from mempage_lab.drills import catalogue
from mempage_lab.drills import faults
from mempage_lab import errors
from mempage_lab import interrupts
from mempage_lab import restart
from mempage_lab import runner
from mempage_lab import stream
from mempage_lab import tasks

CAUGHT = 'caught'
CAUSE_UNSAID = 'caught without the cause'
WRONG_TEST = 'caught by the wrong test'
MISSED = 'missed'
NOT_RUN = 'not run'
ELSEWHERE = 'for another topology'


@dataclasses.dataclass(frozen=True)
class Result:
    """What the suite said of one fault.

    :ivar hosts: names of the nodes that had the fault
    :ivar verdict: one of the words above
    :ivar said: the line that names the cause, or why there is none
    :ivar output: dict of each test that failed to the lines that it said
    """

    name: str
    what: str
    hosts: tuple
    verdict: str
    said: str
    output: dict
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
        hosts, reason = _where(drill, current.topology)
        output = _run_one(current, name, drill, hosts, shown) if hosts else {}
        verdict, said = judge(drill, output) if hosts else reason
        shown.say('%s: %s' % (name, verdict))
        yield Result(name, drill.what, hosts, verdict, said, output,
                     round(time.monotonic() - begin, 1))


def _where(drill, topology):
    """Return the nodes that get a fault, and if none, a verdict and why."""
    lacking = drill.lacks(topology)
    if lacking:
        return (), (ELSEWHERE, lacking)
    return (drill.hosts(topology),
            (NOT_RUN, 'the topology has no such host'))


def passed(results, named):
    """Tell whether all went as they should.

    :param results: list of :class:`Result`
    :param named: whether the user has named the drills: those that are for
        another topology are passed over otherwise
    """
    good = {CAUGHT} if named else {CAUGHT, ELSEWHERE}
    return all(result.verdict in good for result in results)


def _run_one(current, name, drill, hosts, shown):
    nodes = [current.nodes[host] for host in hosts]
    with _broken(current, nodes, name, drill.fault, shown):
        _, results = runner.run(
            ['--regex', drill.tests, '--concurrency', str(runner.WORKERS)],
            shown)
    failures = stream.read(results / 'results.subunit').failures
    return {test: stream.message(failures[test]) for test in sorted(failures)}


def judge(drill, output):
    """Judge what failed.

    :param drill: the :class:`mempage_lab.drills.drill.Drill`
    :param output: as of :class:`Result`
    :returns: the verdict, and the line that tells the cause
    """
    expected = [test for test in output if re.search(drill.caught_by, test)]
    for line in said(drill, output):
        return CAUGHT, line
    for verdict, tests in (CAUSE_UNSAID, expected), (WRONG_TEST, [*output]):
        if tests:
            return verdict, ' '.join(output[tests[0]])
    return MISSED, ''


def said(drill, output):
    """Find the lines that name a drill's cause.

    :param drill: the :class:`mempage_lab.drills.drill.Drill`
    :param output: as of :class:`Result`
    :returns: list of lines of those tests that have to fail
    """
    lines = [line for test in output for line in output[test]]
    if drill.unsaid and any(re.search(drill.unsaid, line) for line in lines):
        return []
    return [line for test in output if re.search(drill.caught_by, test)
            for line in output[test] if re.search(drill.words, line)]


@contextlib.contextmanager
def _broken(current, nodes, name, fault, shown):
    """Put a fault into nodes, and mend them whatever happens."""
    for node in nodes:
        faults.record(node, name)
    try:
        with interrupts.held_back(shown, 'the fault is put in'):
            _on_each(nodes, fault.put_in, 'broken', shown)
            _restart(current, nodes, fault, shown)
        yield
    finally:
        _mend(current, nodes, fault, shown)


def _mend(current, nodes, fault, shown):
    with interrupts.held_back(shown, 'the fault is taken back'):
        _on_each(nodes, fault.put_back, 'mended', shown)
        _restart(current, nodes, fault, shown)
        for node in nodes:
            faults.forget(node)


def _on_each(nodes, function, name, shown):
    tasks.run({'%s: %s' % (node.name, name): (
        functools.partial(function, node), ()) for node in nodes}, shown)


def _restart(current, nodes, fault, shown):
    for program in fault.programs:
        restart.run(current, ['%s/%s' % (node.name, program)
                              for node in nodes], shown)


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
            _mend(current, [node], catalogue.DRILLS[name].fault, shown)
