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

"""What became of each check: on which hosts, and why."""

import collections
import dataclasses

from mempage_certificate import checks

_MUST = 'must'


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a check on some hosts.

    :ivar status: one of those of checks
    :ivar reasons: why it is not checks.PASS; list of texts
    :ivar hosts: list of what these hosts are called
    """

    status: str
    reasons: list
    hosts: list


@dataclasses.dataclass(frozen=True)
class Row:
    """A check.

    :ivar id: of the catalogue
    :ivar title: what it is about
    :ivar requirement: must, should or info
    :ivar outcomes: list of :class:`Outcome`, the worst first
    """

    id: str
    title: str
    requirement: str
    outcomes: list


@dataclasses.dataclass(frozen=True)
class Level:
    """The checks of a level.

    :ivar name: of the level
    :ivar counts: dict of numbers of outcomes of those that must pass, by
        status, the worst first; each counts once for each host
    :ivar rows: list of :class:`Row`
    """

    name: str
    counts: dict
    rows: list


def levels(profile, hosts):
    """Tell what a profile asks for, and what became of it.

    :param profile: a profiles.Profile
    :param hosts: list of what result.json says of hosts
    :returns: list of :class:`Level`
    """
    found = collections.defaultdict(list)
    for host in hosts:
        for check in host['checks']:
            found[check['id']].append((host['host'], check))
    return [_level(profile, name, found) for name in profile.levels]


def _level(profile, name, found):
    rows = [Row(identity, profile.checks[identity]['title'], requirement,
                _outcomes(found[identity]))
            for level, requirement, identity in profile.wanted()
            if level == name]
    counts = collections.Counter()
    for row in rows:
        for outcome in row.outcomes if row.requirement == _MUST else ():
            counts[outcome.status] += len(outcome.hosts)
    return Level(name, {status: counts[status] for status in checks.WORST
                        if counts[status]}, rows)


def _outcomes(found):
    groups = collections.defaultdict(list)
    for host, check in found:
        groups[check['status'], tuple(check['reasons'])].append(host)
    return sorted((Outcome(status, list(reasons), hosts)
                   for (status, reasons), hosts in groups.items()),
                  key=lambda outcome: checks.WORST.index(outcome.status))
