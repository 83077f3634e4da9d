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

"""What to do about checks that did not pass, and tests that failed."""

import dataclasses

from mempage_certificate import checks
from mempage_certificate.pages import drawing
from mempage_certificate.pages import hazards
from mempage_certificate import profiles
from mempage_tempest_plugin.evidence import streams

_BY_STATUS = {
    checks.FAIL: 'Look at the evidence below, mend what it names, and run the '
                 'suite again.',
    checks.ERROR: 'Find out why the run was cut off or a host was lost, and '
                  'run the suite again: nothing else tells.',
    checks.SKIP: 'The reason names what is lacking. Give the host, or the '
                 'option, that it asks for, and run the suite again.',
    checks.MISSING: 'Run the suite with all of its tests, and for each host '
                    'that has a store.',
    checks.INCONCLUSIVE: 'Measure more pairs, up to the cap of the profile: '
                         'run the suite again with a larger [mempage] '
                         'measure.'}


@dataclasses.dataclass(frozen=True)
class Step:
    """What to do about a check.

    :ivar id: of the check
    :ivar title: what it is about
    :ivar status: what became of it on the host where it is worst
    :ivar texts: what to do, list of texts
    """

    id: str
    title: str
    status: str
    texts: list


def of_checks(levels, hosts):
    """Tell what to do about each check that did not pass.

    :param levels: list of capabilities.Level
    :param hosts: list of what result.json says of hosts
    :returns: list of :class:`Step`
    """
    found = []
    for level in levels:
        for row in level.rows:
            if row.outcomes and row.outcomes[0].status != checks.PASS:
                status = row.outcomes[0].status
                found.append(Step(row.id, row.title, status, [
                    _BY_STATUS[status], *_of_figures(row, hosts)]))
    return found


def _of_figures(row, hosts):
    """Tell whether a store itself could reach what a guest does not.

    :returns: list of texts
    """
    found = []
    for host in hosts:
        figures = {figure['id']: figure for figure in host['figures']}
        for check in host['checks']:
            if check['id'] == row.id:
                found += [text for identity in check['evidence']
                          if identity in figures
                          for text in _of_goals(figures[identity])]
    return list(dict.fromkeys(found))


def _of_goals(figure):
    limit = figure['limit']['value']
    for goal in figure['goals']:
        if goal['status'] != checks.FAIL:
            continue
        if goal['figure'] == 'value' and not goal.get(
                'min', limit) <= limit <= goal.get('max', limit):
            yield ('%s: the store itself, measured without a guest, does not '
                   'reach the goal: it takes another device' % figure['id'])
        else:
            yield ('%s: with a guest it is %s times the limit of the store '
                   'itself. Near 1, the store is what limits it; else look '
                   'for what is between it and the guest' % (
                       figure['id'], drawing.number(
                           figure['figures']['of_limit']['median'])))


def of_test(profile, entry):
    """Tell what hangs on a test, or on all tests of a class.

    :param profile: a profiles.Profile
    :param entry: the runs.Entry
    :returns: tuple of a list of pairs of ID and title of the checks that it
        proves, and of a list of titles of hazards that it looks at
    """
    names = entry.methods()
    if entry.test.is_whole_class:
        names = [name for name in profile.tests()
                 if streams.class_of(name) == entry.test.of_class]
    names = {name.removeprefix(profiles.PACKAGE) for name in names}
    proves = [(identity, profile.checks[identity]['title'])
              for _, _, identity in profile.wanted()
              if names & _tests(profile.checks[identity])]
    return proves, [hazard['title'] for hazard in hazards.known().values()
                    if names & set(hazard['tests'])]


def _tests(check):
    """List the tests that a check is judged by, or its figures come from."""
    return {*check.get('tests', ()), *(
        test for rule in check.get('measurements', {}).values()
        for test in rule.get('tests', ()))}
