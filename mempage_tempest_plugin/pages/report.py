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

"""The page of a run: what it found, and what it does not say."""

import collections
import dataclasses

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.pages import failures
from mempage_tempest_plugin.pages import matrix
from mempage_tempest_plugin.pages import page
from mempage_tempest_plugin.pages import runs as runs_of
from mempage_tempest_plugin.pages import times

#: Where known hazards are described.
HAZARDS = ('https://opendev.org/x/mempage-tempest-plugin/src/branch/main/'
           'doc/source/hazards.rst')
#: When nothing was tested, which is no verdict.
NOTHING = 'nothing tested'


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of it all.

    :ivar word: streams.PASSED, streams.FAILED or NOTHING
    :ivar counts: Counter of tests by their status
    :ivar problems: what is wrong beside tests that failed: list of texts
    :ivar promised: how many tests had to run; None if nobody has told
    :ivar silent: what the page does not say: list of texts
    """

    word: str
    counts: collections.Counter
    problems: list
    promised: int | None
    silent: list


def html(runs, versions=None):
    """Make the page.

    :param runs: list of runs.Run
    :param versions: dict of what the cloud runs on, as versions_schema.yaml
        describes it; None if nobody has told
    :returns: text of HTML that needs nothing beside it
    """
    return page.render(
        'report.html.j2', verdict=_verdict(runs, versions), runs=runs,
        span=times.span(runs), versions=versions,
        systems=_systems(versions), failures=failures.of(runs),
        missing=_missing(runs), skipped=_skipped(runs),
        left_out=_left_out(runs), facts=matrix.of_facts(runs),
        classes=matrix.of_classes(runs), slowest=times.slowest(runs),
        workers=times.workers(runs), hazards=_hazards(runs),
        hazards_page=HAZARDS, number_of_facts=_number_of_facts(runs),
        short=runs_of.short, first_lines=failures.first_lines,
        text=facts.text, duration=times.duration)


def _verdict(runs, versions):
    counts = collections.Counter(
        test.status for _, test in runs_of.each(runs))
    problems = ['%s: %s' % (run.name, problem) if run.name else problem
                for run in runs for problem in run.problems]
    if counts[streams.FAILED] or problems:
        word = streams.FAILED
    else:
        word = streams.PASSED if counts[streams.PASSED] else NOTHING
    promised = (None if any(run.expected is None for run in runs) else sum(
        test.foretold.reason is None for run in runs
        for test in run.expected))
    return Verdict(word, counts, problems, promised,
                   list(_silent(runs, versions, counts)))


def _silent(runs, versions, counts):
    """Tell what the page does not say.

    :returns: iterable of texts
    """
    if counts[streams.SKIPPED]:
        yield ('What was skipped, a test or a whole class, tells nothing: '
               '%d entries.' % counts[streams.SKIPPED])
    hosts = {host for _, test in runs_of.each(runs) for host in test.left_out}
    if hosts:
        yield ('Hosts that were left out of some tests: %s. These tests tell '
               'nothing of them.' % ', '.join(sorted(hosts)))
    if any(run.expected is None for run in runs):
        yield ('Nobody has told which tests had to run: there is no document '
               'of "mempage-tempest expect" beside the results. A test that '
               'is missing is not seen here.')
    if any(test.name == streams.UNREADABLE
           for _, test in runs_of.each(runs)):
        yield 'Parts of the results cannot be read.'
    if versions is None:
        yield ('Which releases it was: there is no versions.json beside the '
               'results.')
    yield 'What tests would have found that the run was told to leave out.'
    yield ('What was so before and after the tests, and on hosts that no test '
           'has looked at.')
    yield 'How fast the memory is, and for how long a disk will last.'


def _systems(versions):
    """Tell what hosts run on, those that are alike together.

    :returns: list of pairs of names of hosts and a dict of versions, or None
        where a host did not run
    """
    found = collections.defaultdict(list)
    for host, known in (versions or {}).get('hosts', {}).items():
        found[known and tuple(known.items())].append(host)
    return [(hosts, known and dict(known)) for known, hosts in found.items()]


def _missing(runs):
    """Tell what is not as it had to be.

    :returns: dict of lists of names of tests by what is wrong
    """
    return _grouped((test.problem, run.called(test.name)) for run in runs
                    for test in run.expected or () if test.problem)


def _skipped(runs):
    """Tell what was skipped.

    :returns: dict of lists of names of tests by the reason
    """
    return _grouped((test.reason or 'no reason', run.called(test.name))
                    for run, test in runs_of.each(runs)
                    if test.status == streams.SKIPPED)


def _left_out(runs):
    """Tell which hosts were left out.

    :returns: dict of lists of names of tests by pairs of host and reason
    """
    return _grouped((item, run.called(test.name))
                    for run, test in runs_of.each(runs)
                    for item in test.left_out.items())


def _hazards(runs):
    """Collect what tests have reported of known hazards.

    :returns: list of pairs of the name of the test and the text
    """
    return [(run.called(test.name), text) for run, test in runs_of.each(runs)
            for name, text in test.texts.items()
            if name.partition('-')[0] == 'hazard']


def _grouped(pairs):
    groups = collections.defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return dict(groups)


def _number_of_facts(runs):
    return sum(len(document.get('facts', ()))
               for _, test in runs_of.each(runs)
               for document in test.documents)
