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

"""Figures beside their control and the limit of the store, and their goals."""

import dataclasses
import statistics

from mempage_certificate import figures
from mempage_certificate.pages import drawing

#: What goals are about, in words.
WORDS = {'ratio': 'store over control', 'of_limit': 'store over limit',
         'value': 'store'}


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """A figure of a host that tells something.

    :ivar told: what result.json says of it
    :ivar document: the measurement
    :ivar rounds: list of dicts of values by arm, one of each pair
    """

    told: dict
    document: dict
    rounds: list

    @property
    def identity(self):
        """What it is, such as cold.read_latency_p99."""
        return self.told['id']

    @property
    def unit(self):
        """The unit of its values."""
        return self.told['unit']

    @property
    def limit(self):
        """What the store itself can do."""
        return self.told['limit']['value']

    @property
    def took(self):
        """What measuring took, as the document has it, or None."""
        return self.document.get('took')

    def values(self, *arms):
        """List all values of one arm, or of both."""
        return [values[arm] for values in self.rounds for arm in arms]

    def median(self, arm):
        """Tell the median of all values of an arm."""
        return statistics.median(self.values(arm))


@dataclasses.dataclass(frozen=True)
class Line:
    """What a page says of a figure against a goal.

    :ivar what: what is compared, in words
    :ivar interval: its median and where that lies; None if nothing counts
    :ivar goal: what it has to be, in words; empty if nobody asks
    :ivar source: where the number of the goal is from
    :ivar status: what became of the goal; empty without one
    """

    what: str
    interval: str | None
    goal: str = ''
    source: str = ''
    status: str = ''


def of_host(run, host):
    """Take what was measured on a host.

    :param run: the runs.Run
    :param host: what result.json says of a host
    :returns: tuple of a list of :class:`Measured`, and of a dict of lists of
        reasons by the ID of figures that must not be shown
    """
    shown, hidden = [], {}
    for told in host['figures']:
        document = run.measurements.get((host['host'], told['id']))
        lacking = _lacking(told)
        if document and lacking:
            hidden[told['id']] = lacking
        elif document:
            shown.append(Measured(told, document, _rounds(document)))
    return shown, hidden


def reckoned(run, host):
    """Take what follows from what was measured on a host.

    :param run: the runs.Run
    :param host: what result.json says of a host
    :returns: list of :class:`Measured`, without rounds
    """
    return [Measured(told, {}, []) for told in host['figures']
            if (host['host'], told['id']) not in run.measurements]


def _lacking(told):
    """Tell why a figure says nothing: list of texts."""
    if told['status'] == figures.ERROR and not told['figures']:
        return told['reasons']
    return ['it has no %s' % part for part in ('store', 'control', 'limit',
                                               'cache') if not told[part]]


def _rounds(document):
    found = {}
    for sample in document['samples']:
        found.setdefault(sample['pair'], {})[sample['arm']] = sample['value']
    return list(found.values())


def lines(measured):
    """Tell how a figure compares with its control, its limit and its goals.

    :param measured: a :class:`Measured`
    :returns: list of :class:`Line`
    """
    told = measured.told
    found = []
    for figure, what in WORDS.items():
        interval = told['figures'].get(figure)
        goals = [goal for goal in told['goals'] if goal['figure'] == figure]
        words = _words(interval, '' if figure != 'value' else measured.unit)
        found += [Line(what, words, _goal(goal), goal['source'],
                       goal['status']) for goal in goals]
        if interval and not goals:
            found.append(Line(what, words))
    return sorted(found, key=lambda line: not line.goal)


def _words(interval, unit):
    if not interval:
        return None
    return ('%s (%s to %s) %s' % (*(drawing.number(interval[key]) for key in (
        'median', 'low', 'high')), unit)).rstrip()


def _goal(goal):
    if 'min' in goal:
        return 'at least %s' % drawing.number(goal['min'])
    return 'at most %s' % drawing.number(goal['max'])


@dataclasses.dataclass(frozen=True)
class OfFleet:
    """A figure on all hosts that have it.

    :ivar identity: of the figure
    :ivar unit: of its values
    :ivar hosts: how many these are
    :ivar least: pair of the lowest median of a store, and its host
    :ivar median: that of these medians
    :ivar most: pair of the highest one, and its host
    :ivar statuses: dict of numbers of hosts by status
    :ivar outliers: list of hosts that are far from the others
    """

    identity: str
    unit: str
    hosts: int
    least: tuple
    median: float
    most: tuple
    statuses: dict
    outliers: list


def of_fleet(result):
    """Put hosts side by side.

    :param result: what result.json says
    :returns: list of :class:`OfFleet`
    """
    found = {}
    for host in result['hosts']:
        for told in host['figures']:
            found.setdefault(told['id'], []).append((host['host'], told))
    return [_of_fleet(identity, told, result['outliers'].get(identity, []))
            for identity, told in sorted(found.items())
            if any(figure['store'] for _, figure in told)]


def _of_fleet(identity, told, outliers):
    medians = [(figure['store']['median'], host) for host, figure in told
               if figure['store']]
    statuses = {}
    for _, figure in told:
        statuses[figure['status']] = statuses.get(figure['status'], 0) + 1
    return OfFleet(
        identity, told[0][1]['unit'], len(told),
        min(medians, key=lambda both: both[0]),
        statistics.median(value for value, _ in medians),
        max(medians, key=lambda both: both[0]), statuses, outliers)
