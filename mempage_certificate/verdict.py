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

"""The verdict: of each host, and of all of them."""

import dataclasses

from mempage_certificate import checks
from mempage_certificate import consistency
from mempage_certificate import eligibility
from mempage_certificate import figures
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import statistics
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import streams

CERTIFIED = 'certified'
#: All that must pass has passed, and that certifies nothing: the
#: level is smoke.
PASSED = 'passed'
FAILED = 'failed'
INCONCLUSIVE = 'inconclusive'
NOT_ELIGIBLE = 'not-eligible'
ERROR = 'error'
INCOMPLETE = 'incomplete'
#: The worst first: of several hosts, it counts.
WORST = (ERROR, FAILED, NOT_ELIGIBLE, INCOMPLETE, INCONCLUSIVE, PASSED,
         CERTIFIED)

_SMOKE = profiles.LEVELS[0]
# What is asked of hosts that have a store, and of no others.
_OF_STORE = ('kernel', 'store: mount')
_OF_CHECKS = ((checks.ERROR, ERROR), (checks.FAIL, FAILED),
              (checks.SKIP, INCOMPLETE), (checks.MISSING, INCOMPLETE),
              (checks.INCONCLUSIVE, INCONCLUSIVE))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is certified.

    :ivar status: one of the words above
    :ivar level: the highest level of which every must has passed; None if
        there is none
    :ivar reasons: why it is no better; list of texts
    """

    status: str
    level: str | None
    reasons: list


@dataclasses.dataclass(frozen=True)
class HostVerdict:
    """What is certified of a host.

    :ivar host: what it is called
    :ivar verdict: the :class:`Verdict`
    :ivar eligibility: the eligibility.Eligibility, or None
    :ivar checks: list of checks.Check
    :ivar figures: dict of figures.Figure by ID
    """

    host: str
    verdict: Verdict
    eligibility: eligibility.Eligibility | None
    checks: list
    figures: dict


@dataclasses.dataclass(frozen=True)
class FleetVerdict:
    """What is certified of all hosts.

    :ivar verdict: the :class:`Verdict`
    :ivar hosts: list of :class:`HostVerdict`
    :ivar outliers: dict of lists of hosts by the ID of a figure, in which
        they are far from the others
    :ivar problems: what contradicts itself in the run; list of texts
    """

    verdict: Verdict
    hosts: list
    outliers: dict
    problems: list


def judge(run, profile, product):
    """Judge a run.

    :param run: a runs.Run
    :param profile: a profiles.Profile
    :param product: what PRODUCT.yaml says
    :returns: a :class:`FleetVerdict`
    """
    problems = list(consistency.problems(run, profile, product))
    hosts = [_of_host(run, profile, product, host) for host in run.hosts]
    if problems:
        error = Verdict(ERROR, None,
                        ['the results of the run contradict themselves'])
        hosts = [dataclasses.replace(host, verdict=error) for host in hosts]
    return FleetVerdict(_of_fleet(run, hosts, problems), hosts,
                        _outliers(hosts), problems)


def _of_host(run, profile, product, host):
    phases = run.environments[host]
    eligible = eligibility.of_host(profile, phases, product)
    found = figures.of_host(run, profile, product, host)
    judged = checks.judge(run, profile, host, found)
    return HostVerdict(host, _decide(run, profile, phases, eligible, judged),
                       eligible, judged, found)


def _decide(run, profile, phases, eligible, judged):
    musts = [check for check in judged if check.requirement == 'must']
    if (eligible and eligible.best != profile.target
            and not runs.after(phases)):
        # Nobody has to go on there.
        return Verdict(NOT_ELIGIBLE, _reached(profile, eligible, musts),
                       eligible.reasons)
    lost = _lost(run, phases)
    if lost:
        return Verdict(ERROR, None, [lost])
    if not eligible:
        return Verdict(INCOMPLETE, None, [
            'nobody told what it is made of before the run'])
    if not runs.after(phases):
        return Verdict(INCOMPLETE, _reached(profile, eligible, musts), [
            'the run did not come to its end'])
    status, reasons = _worst(musts)
    level = _reached(profile, eligible, musts)
    if eligible.best != profile.target and status != ERROR:
        return Verdict(NOT_ELIGIBLE, level, eligible.reasons + reasons)
    if status:
        return Verdict(status, level, reasons)
    if profile.target == _SMOKE:
        return Verdict(PASSED, level, eligible.reasons)
    return Verdict(CERTIFIED, level, [])


def _lost(run, phases):
    """Tell that a host was not there any more when others were."""
    others = any(map(runs.after, run.environments.values()))
    if runs.before(phases) and not runs.after(phases) and others:
        return 'it was lost on the way: nobody could ask it after the run'
    return None


def _worst(musts):
    for of_check, status in _OF_CHECKS:
        reasons = ['%s %s: %s' % (check.id, check.status,
                                  '; '.join(check.reasons))
                   for check in musts if check.status == of_check]
        if reasons:
            return status, reasons
    return None, []


def _reached(profile, eligible, musts):
    reached = None
    for level in profile.levels:
        if eligible.best is None or any(
                check.status != checks.PASS for check in musts
                if check.level == level):
            break
        reached = level
        if level == eligible.best:
            break
    return reached


def _of_fleet(run, hosts, problems):
    reasons = ['%s: %s' % (host.host, reason) for host in hosts
               for reason in host.verdict.reasons]
    level = min((host.verdict.level for host in hosts), key=_rank,
                default=None)
    if problems:
        return Verdict(ERROR, None, problems)
    if not hosts:
        return Verdict(INCOMPLETE, None, [
            'no host with a store tells what it is made of'])
    unknown = _strangers(run)
    status = min((host.verdict.status for host in hosts), key=WORST.index)
    lost = ['%s: no host tells there what it is made of: it was lost, or '
            'could not be reached' % lane for lane in _without_host(run)]
    if lost:
        return Verdict(ERROR, None, lost + reasons)
    if unknown and status in (PASSED, CERTIFIED, INCONCLUSIVE):
        status = INCOMPLETE
    return Verdict(status, level, [
        '%s: was tested, and does not tell what it is made of' % host
        for host in unknown] + reasons)


def _without_host(run):
    """List lanes of which nobody knows what host they were about."""
    told = set(run.lanes.values())
    return sorted({entry.lane for entry in run.entries
                   if entry.record.name != streams.UNREADABLE} - told - {''},
                  key=lambda lane: int(lane.partition('-')[2]))


def _strangers(run):
    """List hosts that have a store, and do not tell what they are made of."""
    told = {document['host'] for _, document in run.kept(facts.FACTS)
            if any((fact['witness'], fact['name']) == _OF_STORE
                   for fact in document['facts'])} - {None}
    return sorted(told - run.environments.keys(), key=runs.number_of)


def _rank(level):
    return -1 if level is None else profiles.LEVELS.index(level)


def _outliers(hosts):
    medians = {}
    for host in hosts:
        for identity, figure in host.figures.items():
            if figure.figures:
                medians.setdefault(identity, {})[host.host] = (
                    figure.figures['value'].median)
    found = {identity: statistics.outliers(values)
             for identity, values in sorted(medians.items())}
    return {identity: names for identity, names in found.items() if names}
