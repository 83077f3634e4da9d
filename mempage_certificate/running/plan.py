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

"""What a run will do on a host, and what that costs, before it is spent."""

import collections
import json
import pathlib

from stestr.repository import util

from mempage_certificate import errors
from mempage_certificate import profiles
from mempage_certificate.running import progress
from mempage_certificate import runs
from mempage_tempest_plugin.cmd import runner
from mempage_tempest_plugin.evidence import streams

#: The tests that tell what hosts are made of, by phase.
LOOK = {phase: profiles.PACKAGE + 'api.test_store_environment.'
        'TestStoreEnvironment.test_' + phase for phase in ('before', 'after')}

_MEASURES = 'measurement'


class Plan:
    """The tests of a profile, and their order.

    :ivar profile: the profiles.Profile
    """

    def __init__(self, profile, names, info=True):
        """Know the tests.

        :param profile: a profiles.Profile
        :param names: the full names of all tests of the plugin
        :param info: whether to run what no verdict depends on, too
        """
        self.profile = profile
        self._wanted = [
            (level, requirement, identity)
            for level, requirement, identity in profile.wanted()
            if info or requirement != 'info']
        self._by_method = collections.defaultdict(list)
        self._measuring = set()
        for name in names:
            bare, _, attributes = name.partition('[')
            for method in runs.methods(bare):
                self._by_method[method].append(name)
            if _MEASURES in attributes.rstrip(']').split(','):
                self._measuring.add(name)

    def look(self, phase):
        """Return the test that tells what a host is made of.

        :param phase: environments.BEFORE or AFTER
        :raises CertificateError: if the plugin has none
        """
        try:
            [name] = self._by_method[LOOK[phase]]
        except ValueError as error:
            raise errors.CertificateError(
                'the plugin has no test %s' % LOOK[phase]) from error
        return name

    def of_check(self, identity):
        """List the tests of a check, those that measure among them.

        :param identity: its ID
        """
        check = self.profile.checks[identity]
        methods = [method for part in (
            check, *check.get('measurements', {}).values(),
            *map(self.profile.rule, self.follows(identity)))
            for method in part.get('tests', ())]
        return list(dict.fromkeys(
            name for method in methods
            for name in self._by_method[profiles.PACKAGE + method]))

    def follows(self, identity):
        """List the figures that those of a check are reckoned from.

        :param identity: the ID of the check
        """
        rules = self.profile.checks[identity].get('measurements', {}).values()
        return [rule['follows_from'] for rule in rules
                if 'follows_from' in rule]

    def of_level(self, level):
        """List the tests of a level which no level before it has.

        :param level: its name
        :returns: tuple of two lists: of tests, and of those that measure
        """
        before = self.profile.levels[:self.profile.levels.index(level)]
        seen = self._of_levels(before)
        found = [name for name in self._of_levels([level])
                 if name not in seen]
        return ([name for name in found if name not in self._measuring],
                [name for name in found if name in self._measuring])

    def _of_levels(self, levels):
        return dict.fromkeys(
            name for level, _, identity in self._wanted
            if level in levels for name in self.of_check(identity))

    def checks(self):
        """List what is asked for.

        :returns: list of tuples of requirement and ID of a check
        """
        return [wanted[1:] for wanted in self._wanted]

    def tests(self):
        """List all tests of all levels."""
        return list(self._of_levels(self.profile.levels))


def foretell(configuration, options, tests, path):
    """Tell which tests skip, by configuration and inventory alone.

    :param configuration: pathlib.Path of tempest.conf
    :param options: dict of options of ``[mempage]`` that the run has
    :param tests: names of tests
    :param path: pathlib.Path of a file for the list of these
    :returns: dict of reasons by the names of those that skip
    :raises CertificateError: if nobody can tell
    """
    path.write_text('\n'.join(tests) + '\n')
    done = runner.expect(
        runner.environment(configuration, **options), '--json',
        '--config-file', configuration, '--load-list', path)
    try:
        told = json.loads(done.stdout)['tests']
    except ValueError as error:
        raise errors.CertificateError('expect: status %d: %s' % (
            done.returncode, runner.last(done.stderr))) from error
    return {test['test']: test['skips'] for test in told if test['skips']}


def durations(tests):
    """Tell how long tests have taken, by stestr's own records.

    :param tests: their names
    :returns: dict of seconds by those that are known in this directory
    """
    try:
        repository = util.get_repo_open(repo_url=str(pathlib.Path.cwd()))
    except Exception:
        # stestr has an error of its own for each kind of repository.
        return {}
    return dict(repository.get_test_times(tests)['known'])


def text(plan, skips, seconds):
    """Show what is planned on a host.

    :param plan: the :class:`Plan`
    :param skips: dict of reasons by the names of tests that skip
    :param seconds: dict of seconds by the names of tests
    :returns: list of lines
    """
    tests = [name for name in plan.tests() if name not in skips]
    lines = ['%d tests run, %d skip; %s' % (
        len(tests), len(skips), _cost(tests, seconds))]
    lines += ['cannot be told, as no test of the plugin does: %s' % check
              for check in _untold(plan)]
    for reason, checks in _impossible(plan, skips).items():
        lines.append('cannot be told, as tests skip: %s: %s' % (
            ', '.join(checks), reason))
        if any(check.startswith('must') for check in checks):
            lines.append('without it, the verdict is "incomplete" at best')
    return lines


def _untold(plan):
    return ['%s %s' % (requirement, identity)
            for requirement, identity in plan.checks()
            if 'smart' not in plan.profile.checks[identity]
            and not plan.of_check(identity)]


def _cost(tests, seconds):
    known = [seconds[name] for name in tests if name in seconds]
    if not known:
        return 'how long they take is unknown: stestr has no records here'
    unknown = len(tests) - len(known)
    return 'they take about %s, by the records of stestr here%s' % (
        progress.minutes(sum(known)),
        '; of %d of them that is unknown' % unknown if unknown else '')


def _impossible(plan, skips):
    found = collections.defaultdict(list)
    for requirement, identity in plan.checks():
        for name in plan.of_check(identity):
            check = '%s %s' % (requirement, identity)
            if name in skips and check not in found[skips[name]]:
                found[skips[name]].append(check)
    return found


def results(records):
    """Tell which tests need not run any more.

    :param records: list of stream.Record, all that there is of a host
    :returns: set of names of tests that have ended, and of classes that could
        not be set up
    """
    ended = {record.name for record in records if record.ended}
    return ended | {name[len('setUpClass ('):-1] for name in ended
                    if name.startswith('setUpClass (')}


def left(tests, ended):
    """List the tests that have no result yet.

    :param tests: names of tests
    :param ended: what :func:`results` returned
    """
    return [name for name in tests if name not in ended
            and streams.class_of(name) not in ended]
