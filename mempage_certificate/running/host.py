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

"""All that is run on one host, one level after the other."""

import collections
import dataclasses
import fcntl
import itertools
import json
import pathlib

from mempage_certificate import checks
from mempage_certificate import consistency
from mempage_certificate import eligibility
from mempage_certificate import errors
from mempage_certificate import figures
from mempage_certificate import life
from mempage_certificate import masking
from mempage_certificate.running import directory
from mempage_certificate.running import plan as plans
from mempage_certificate.running import progress
from mempage_certificate import runs
from mempage_certificate import stream
from mempage_tempest_plugin.cmd import lanes
from mempage_tempest_plugin.cmd import runner
from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import facts


@dataclasses.dataclass(frozen=True)
class Means:
    """What the hosts of a run share.

    :ivar plan: the plan.Plan
    :ivar run: UUID of the run
    :ivar product: what PRODUCT.yaml says
    :ivar configuration: pathlib.Path of tempest.conf
    :ivar private: pathlib.Path of a directory that goes with the process
    :ivar lanes: the lanes.Lanes of all processes
    :ivar runner: the runner.Runner
    :ivar seconds: dict of how long tests have taken before, by their names
    """

    plan: plans.Plan
    run: str
    product: dict
    configuration: pathlib.Path
    private: pathlib.Path
    lanes: lanes.Lanes
    runner: runner.Runner
    seconds: dict


class Host:
    """A host, and what has come of it so far.

    :ivar name: of the host
    :ivar skips: dict of reasons by the names of tests that skip there
    """

    def __init__(self, name, peers, lane, means):
        """Know a host.

        :param name: of the host
        :param peers: names of hosts that its servers may go to
        :param lane: the directory.Lane of what comes of it
        :param means: the :class:`Means`
        """
        self.name = name
        self.skips = {}
        self._lane = lane
        self._means = means
        self._plan = means.plan
        self._options = {'run': means.run, 'hosts': name}
        if peers:
            self._options['peers'] = ','.join(peers)
        own = means.private / lane.path.name
        own.mkdir()
        self._own = own
        self._progress = progress.Progress(name, means.seconds)
        # What has been read so far, as it will be in the bundle.
        self._masked = masking.Growing()
        self._number, self._labels, self._entries = 0, {}, []

    def _run(self, what, tests, lane=None, **options):
        """Run tests, if there are any and nothing has stopped.

        :returns: whether all of them have a result
        """
        tests = list(tests)
        if not tests or self._means.lanes.stopped:
            return not tests
        path = (lane or self._lane).new(what)
        listed = self._own / 'tests'
        listed.write_text('\n'.join(tests) + '\n')
        repository = self._own / 'stestr'
        repository.mkdir(exist_ok=True)
        env = {**runner.environment(self._means.configuration,
                                    **self._options, **options),
               'OS_DEFAULT__LOG_FILE': str(path.with_suffix('.log'))}
        with open(path, 'xb') as stdout, open(
                path.with_suffix('.stderr'), 'xb') as stderr:
            # The process has it, too, and whoever goes on waits for it.
            fcntl.flock(stdout, fcntl.LOCK_EX)
            with self._progress.following(path):
                # A small store has no room for several tests at a time.
                status = self._means.runner.run(
                    repository, listed, 1, stdout=stdout, stderr=stderr,
                    env=env)
        missing = self._left(tests, lane)
        if missing and not self._means.lanes.stopped:
            lanes.say('%s: %s: %d tests have no result, as their process '
                      'ended with status %s: %s' % (
                          self.name, what, len(missing), status,
                          runner.last(path.with_suffix(
                              '.stderr').read_text(errors='replace'))))
        return not missing

    def _left(self, tests, lane=None):
        return plans.left(tests, plans.results(
            (lane or self._lane).records()))

    def look(self, phase):
        """Ask what the host is made of, if nobody has yet.

        :param phase: environments.BEFORE or AFTER
        """
        tests = self._left([self._plan.look(phase)])
        if tests:
            self._progress.begin('what it is made of, %s' % phase, tests)
            self._run(phase, tests)

    def ended(self):
        """Tell whether the host was looked at after all else."""
        return not self._left([self._plan.look(environments.AFTER)])

    def changed(self):
        """Look whether the host is still what it was when the run began.

        :returns: list of what has changed
        :raises CertificateError: if it cannot be looked at
        """
        first = _environment(self._lane)
        if first is None:
            return []
        again = directory.Lane(self._own / 'again')
        again.path.mkdir()
        tests = [self._plan.look(environments.BEFORE)]
        self._progress.begin('whether it is what it was', tests)
        self._run('again', tests, lane=again)
        now = _environment(again)
        if self._means.lanes.stopped:
            return []
        if now is None:
            raise errors.CertificateError(
                'host %s: nobody can tell whether it is what it was' %
                self.name)
        return consistency.changed(first, now)

    def eligibility(self):
        """Tell what it can reach: an Eligibility; None if nobody knows."""
        first = _environment(self._lane)
        return first and eligibility.of_host(
            self._plan.profile, {environments.BEFORE: first},
            self._means.product)

    def foretell(self):
        """Tell what will run there, and what it costs.

        :returns: list of lines
        """
        self.skips = plans.foretell(
            self._means.configuration,
            {**self._options, 'measure': self._pairs()['min']},
            self._plan.tests(), self._own / 'all')
        return plans.text(self._plan, self.skips,
                          self._means.seconds) + self._not_reckoned()

    def _not_reckoned(self):
        """Tell what will not follow from what is measured: list of lines."""
        found = ['%s %s' % wanted for wanted in self._plan.checks()
                 if self._plan.follows(wanted[1])]
        try:
            if found:
                life.at_best(self._plan.profile, self._means.product,
                             _environment(self._lane))
        except errors.CertificateError as error:
            return ['cannot be told: %s: %s' % (', '.join(found), error)]
        return []

    def _pairs(self):
        return self._plan.profile.document['pairs']

    def go(self):
        """Run all levels, until one cannot be reached any more."""
        for level in self._plan.profile.levels:
            tests, measuring = self._plan.of_level(level)
            if not (self._level(level, tests)
                    and self._met(level, 'tests')
                    and self._level('%s-figures' % level, measuring,
                                    measure=self._pairs()['min'])
                    and self._measure_more(level)
                    and self._met(level, 'measurements')):
                return

    def _level(self, what, tests, **options):
        left = self._left(self._plan.tests())
        tests = [name for name in tests if name in left]
        if tests:
            self._progress.begin(what, tests, [
                name for name in left if name not in self.skips])
        return self._run(what, tests, **options)

    def _judged(self):
        """Judge what there is so far.

        :returns: the runs.Run, dict of figures.Figure by ID, and list of
            checks.Check
        """
        label = self._go_on()[self.name]
        run = runs.Run(sorted(self._entries, key=lambda entry: entry.hung))
        found = figures.of_host(run, self._plan.profile,
                                self._means.product, label)
        return run, found, checks.judge(run, self._plan.profile, label, found)

    def _go_on(self):
        """Read what is new of the host.

        :returns: dict of what hosts are called in it, by their names
        """
        parts = self._lane.parts()
        masked, hosts = self._masked.add(
            list(itertools.chain(*parts[self._number:])))
        self._number = len(parts)
        if hosts != self._labels:
            self._labels, self._entries = hosts, []
        self._entries += map(runs.entry, masked[len(self._entries):])
        return hosts

    def _met(self, level, by):
        """Tell whether all of a level that must pass has passed.

        :param by: what the checks are judged by, tests or measurements
        """
        unmet = ['%s %s' % (check.id, check.status)
                 for check in self._judged()[2]
                 if (check.level, check.requirement) == (level, 'must')
                 and by in self._plan.profile.checks[check.id]
                 and check.status != checks.PASS]
        if unmet:
            lanes.say('%s: level %s is not reached, and no level after it '
                      'can be: %s' % (self.name, level, ', '.join(unmet)))
        return not unmet

    def _measure_more(self, level):
        """Measure more pairs, as long as they may tell, up to the cap.

        :returns: whether all that began has ended
        """
        before = None
        while not self._means.lanes.stopped:
            run, found, judged = self._judged()
            number = sum(map(len, run.batches.values()))
            wanted = self._wanted(level, run, found, judged)
            if not wanted or number == before:
                return True
            before = number
            for pairs, tests in sorted(wanted.items()):
                self._progress.begin('%d more pairs' % pairs, tests)
                if not self._run('more', tests, measure=pairs):
                    return False
        return False

    def _wanted(self, level, run, found, judged):
        """List tests that have to measure more.

        :returns: dict of lists of their names by numbers of pairs
        """
        musts = {identity for check in judged for identity in check.evidence
                 if (check.level, check.requirement) == (level, 'must')}
        more = collections.defaultdict(int)
        for (_, identity), batches in run.batches.items():
            name = batches[0][0].record.name
            for figure in (identity, *self._plan.profile.following(identity)):
                if figure in musts and figure in found:
                    more[name] = max(more[name], figures.more_pairs(
                        self._plan.profile, found[figure]))
        wanted = collections.defaultdict(list)
        for name, pairs in more.items():
            if pairs:
                wanted[pairs].append(name)
        return wanted


def _environment(lane):
    """Find what a host is made of, as its lane first tells it."""
    for record in lane.records():
        for detail in record.details:
            found = stream.DOCUMENT.match(detail.name)
            if found and found[1] == facts.ENVIRONMENT:
                return json.loads(detail.data)
    return None
