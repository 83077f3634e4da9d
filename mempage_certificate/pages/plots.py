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

"""Plots of what was measured on a host, each with its data as a table."""

import dataclasses
import datetime
import re

from mempage_certificate.pages import drawing
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import measurements

STORE = measurements.STORE
CONTROL = measurements.CONTROL
_ARMS = (STORE, CONTROL)
_DOTS = {STORE: drawing.CIRCLE, CONTROL: drawing.SQUARE}

_BARS = re.compile(r'(boot|delete|migration)\.')
_FOOTPRINT = re.compile(r'footprint\.')
_OVER_TIME = re.compile(r'(dirty|wear)\.')
_RATES = ('MiB/s', 'bytes/s', 'bytes/byte')
_LATENCY = re.compile(r'.*latency')
_MICROSECONDS = {'ns': 1e-3, 'us': 1, 'ms': 1e3, 's': 1e6}

_LEGEND = ((drawing.CIRCLE, 'guest with its memory in the store'),
           (drawing.SQUARE, 'control guest in anonymous memory'),
           ('limit', 'limit of the store itself'))
# What is left in a store, or taken from it, when guests come and go.
_SPACE = {'allocated, MiB': (drawing.CIRCLE, 'allocated to guests'),
          'space that no file explains, MiB': (
              drawing.SQUARE, 'that no file explains'),
          'space kept by deleted files, MiB': (
              drawing.DIAMOND, 'kept by files that are deleted')}
_FILE_SYSTEM = 'file system'
# A store of more MiB is none.
_MOST = 1e12
_ROW = 56


@dataclasses.dataclass(frozen=True)
class Plot:
    """A picture, and what it is of.

    :ivar title: what it shows
    :ivar alternative: what it shows to who cannot see it
    :ivar picture: the drawing.Drawing
    :ivar legend: list of pairs of a kind of shape and what it stands for
    :ivar columns: the headings of its data
    :ivar rows: list of lists of these
    """

    title: str
    alternative: str
    picture: drawing.Drawing
    legend: list
    columns: list
    rows: list


def of_host(run, host, measured):
    """Make the plots of a host, but for those of rounds.

    :param run: the runs.Run
    :param host: what the host is called
    :param measured: list of its measured.Measured
    :returns: list of :class:`Plot`: those for which there are samples
    """
    found = [_latencies(measured), _footprint(measured),
             *(_timeline(figure) for figure in measured
               if _OVER_TIME.match(figure.identity)
               and figure.unit in _RATES),
             *_bars(measured), _space(run, host)]
    return [plot for plot in found if plot]


def _legend(drawn, *entries):
    """Explain what is in a drawing, and nothing else."""
    kinds = {shape.kind for shape in drawn.shapes}
    return [entry for entry in entries if entry[0] in kinds]


def _latencies(measured):
    chosen = [figure for figure in measured
              if _LATENCY.match(figure.identity)
              and figure.unit in _MICROSECONDS]
    if not chosen:
        return None
    factors = [_MICROSECONDS[figure.unit] for figure in chosen]
    axis = drawing.logarithmic('us', [
        value * factor for figure, factor in zip(chosen, factors)
        for value in _all(figure)])
    return _in_rows('Latency of reads: cold, cached and control', chosen,
                    axis, factors, 'us')


def _bars(measured):
    units = {}
    for figure in measured:
        if _BARS.match(figure.identity):
            units.setdefault(figure.unit, []).append(figure)
    for unit, chosen in units.items():
        axis = drawing.around(unit, [
            value for figure in chosen for value in _all(figure)], True)
        yield _in_rows('Boot, deletion and migration, in %s' % unit, chosen,
                       axis, [1] * len(chosen), unit, True)


def _all(figure):
    return [*figure.values(*_ARMS), figure.limit]


def _in_rows(title, chosen, axis, factors, unit, bars=False):
    """Draw two lanes for each figure, of the store and of its control."""
    drawn = drawing.Drawing(axis, rows=_ROW * len(chosen))
    top = 20
    for figure, factor in zip(chosen, factors):
        drawn.text('row', (4, top + 14), '%s, %s' % (
            figure.identity, figure.told['cache']['state']))
        where = drawn.across(figure.limit * factor)
        drawn.line('limit', (where, top + 18), (where, top + 50))
        for number, arm in enumerate(_ARMS):
            _lane(drawn, top + 27 + 15 * number, arm, bars, [
                value * factor for value in figure.values(arm)],
                figure.median(arm) * factor)
        top += _ROW
    return Plot(
        title, _said(title, chosen, factors, unit), drawn,
        _legend(drawn, *_LEGEND, ('median', 'median')),
        ['Figure', 'Pair', 'Store, %s' % unit, 'Control, %s' % unit,
         'Limit, %s' % unit],
        [[figure.identity, pair, drawing.number(values[STORE] * factor),
          drawing.number(values[CONTROL] * factor), drawing.number(figure.limit * factor)]
         for figure, factor in zip(chosen, factors)
         for pair, values in enumerate(figure.rounds, 1)])


def _lane(drawn, middle, arm, bar, values, median):
    left = drawn.left if bar else drawn.across(min(values))
    right = drawn.across(median if bar else max(values))
    height = 5 if bar else 1
    drawn.area(arm, (left, middle - height), (right, middle + height))
    for value in values:
        drawn.dot(_DOTS[arm], (drawn.across(value), middle))
    where = drawn.across(median)
    drawn.line('median', (where, middle - 6), (where, middle + 6))


def _said(title, chosen, factors, unit):
    """Tell a plot of samples to who cannot see it."""
    return '%s. Medians: %s' % (title, '; '.join(
        '%s: store %s %s, control %s %s, limit %s %s' % (
            figure.identity, drawing.number(figure.median(STORE) * factor), unit,
            drawing.number(figure.median(CONTROL) * factor), unit,
            drawing.number(figure.limit * factor), unit)
        for figure, factor in zip(chosen, factors)))


def _footprint(measured):
    chosen = sorted((figure for figure in measured
                     if _FOOTPRINT.match(figure.identity)
                     and min(figure.values(CONTROL)) >= measurements.LEAST),
                    key=lambda figure: figure.told['footprint_over_dram'])
    if not chosen:
        return None
    ratios = {figure.identity: [values[STORE] / values[CONTROL]
                                for values in figure.rounds]
              for figure in chosen}
    drawn = drawing.Drawing(
        drawing.around('memory of guests over memory of the host', [
            figure.told['footprint_over_dram'] for figure in chosen], True),
        drawing.around('store over control', [1] + [
            ratio for found in ratios.values() for ratio in found], True))
    drawn.level('limit', 1)
    medians = []
    for figure in chosen:
        footprint = figure.told['footprint_over_dram']
        for ratio in ratios[figure.identity]:
            drawn.dot(drawing.CIRCLE, drawn.point(footprint, ratio))
        interval = figure.told['figures'].get('ratio')
        if interval:
            medians.append((footprint, interval))
            drawn.line('whisker', *(drawn.point(footprint, interval[end])
                                    for end in ('low', 'high')))
    if medians:
        drawn.line('median', *(drawn.point(footprint, interval['median'])
                               for footprint, interval in medians))
    title = 'Throughput over footprint'
    return Plot(
        title, '%s. %s' % (title, '; '.join(
            '%s times the memory of the host: %s of the control' % (
                drawing.number(footprint), drawing.number(interval['median']))
            for footprint, interval in medians) or 'No ratio is steady.'),
        drawn, _legend(drawn, (drawing.CIRCLE, 'a pair'),
                       ('median', 'medians, with their intervals'),
                       ('limit', 'as fast as the control')),
        ['Footprint over memory', 'Figure', 'Pair', 'Store over control'],
        [[drawing.number(figure.told['footprint_over_dram']), figure.identity, pair,
          drawing.number(ratio)] for figure in chosen
         for pair, ratio in enumerate(ratios[figure.identity], 1)])


class _Clock:
    """Times since the first of several."""

    def __init__(self, first, last):
        seconds = (last - first).total_seconds()
        self.first = first
        self.seconds, self.unit = next(
            (size, unit) for size, unit in ((3600, 'hours'), (60, 'minutes'),
                                            (1, 'seconds'))
            if seconds >= 3 * size or size == 1)
        self.axis = drawing.around('%s since %s UTC' % (
            self.unit, first.strftime('%Y-%m-%d %H:%M:%S')),
            [0, seconds / self.seconds])

    def time(self, moment):
        """Tell how long after the first one a moment is."""
        return (moment - self.first).total_seconds() / self.seconds


def _moment(text):
    return datetime.datetime.fromisoformat(text)


def _timeline(figure):
    times = [_moment(sample[end]) for sample in figure.document['samples']
             for end in ('started', 'ended')]
    clock = _Clock(min(times), max(times))
    drawn = drawing.Drawing(clock.axis, drawing.around(
        figure.unit, _all(figure), True))
    drawn.level('limit', figure.limit)
    rows = []
    for sample in figure.document['samples']:
        begin, end = (clock.time(_moment(sample[key]))
                      for key in ('started', 'ended'))
        drawn.line(sample['arm'], drawn.point(begin, sample['value']),
                   drawn.point(end, sample['value']))
        drawn.dot(_DOTS[sample['arm']], drawn.point(
            (begin + end) / 2, sample['value']))
        rows.append([sample['pair'], sample['arm'], drawing.number(begin),
                     drawing.number(end), drawing.number(sample['value'])])
    title = '%s over time' % figure.identity
    return Plot(title, _said(title, [figure], [1], figure.unit), drawn,
                _legend(drawn, *_LEGEND), ['Pair', 'Of', 'From, %s' % clock.unit,
                                'To, %s' % clock.unit, figure.unit], rows)


def _space(run, host):
    found = sorted(
        (_moment(document['when']), fact['name'], fact['observed'])
        for _, document in run.kept(facts.FACTS) if document['host'] == host
        for fact in document['facts'] if _is_of_space(fact))
    if not found:
        return None
    clock = _Clock(found[0][0], found[-1][0])
    drawn = drawing.Drawing(clock.axis, drawing.around(
        'MiB', [value for _, _, value in found], True))
    for name, (kind, _) in _SPACE.items():
        points = [drawn.point(clock.time(moment), value)
                  for moment, of, value in found if of == name]
        if points:
            drawn.line(kind, *points)
        for point in points:
            drawn.dot(kind, point)
    title = 'Space of the store while guests come and go'
    most = [(words, max(value for _, of, value in found if of == name))
            for name, (_, words) in _SPACE.items()
            if any(of == name for _, of, _ in found)]
    return Plot(title, '%s. At most: %s' % (title, '; '.join(
        '%s MiB %s' % (drawing.number(value), words) for words, value in most)),
        drawn, _legend(drawn, *_SPACE.values()), [clock.unit.capitalize(), 'What', 'MiB'],
        [[drawing.number(clock.time(moment)), _SPACE[name][1], drawing.number(value)]
         for moment, name, value in found])


def _is_of_space(fact):
    # Where nothing could be asked, there is a text.
    return (fact['witness'] == _FILE_SYSTEM and fact['name'] in _SPACE
            and type(fact['observed']) in (int, float)
            and 0 <= fact['observed'] < _MOST)


def of_rounds(profile, figure):
    """Make the plot of the rounds of the store, as SNIA's PTS has it.

    :param profile: the profiles.Profile
    :param figure: a measured.Measured
    :returns: a :class:`Plot`
    """
    rule = profile.document['steady_state']
    values = figure.values(STORE)
    first = figure.told['steady_from_pair']
    band = _band(rule, values, first) if first else []
    drawn = drawing.Drawing(
        drawing.Axis('round', 0.5, len(values) + 0.5, whole=True),
        drawing.around(figure.unit, values + band))
    if first:
        _draw_band(drawn, first, rule['rounds'], band)
    points = [drawn.point(number, value)
              for number, value in enumerate(values, 1)]
    drawn.line(STORE, *points)
    for number, point in enumerate(points, 1):
        drawn.dot(drawing.CIRCLE if first and number >= first
                  else drawing.FAINT, point)
    return Plot(
        'Rounds of %s' % figure.identity, _said_of_rounds(
            figure, first, len(values)), drawn, _legend(
                drawn, (drawing.CIRCLE, 'counts'),
                (drawing.FAINT, 'does not count'),
                ('steady', '%d %% around the mean of the first %d rounds '
                 'that are steady' % (rule['range_percent'],
                                      rule['rounds']))),
        ['Round', 'Store, %s' % figure.unit, 'Control, %s' % figure.unit,
         'Counts'],
        [[number, drawing.number(both[STORE]), drawing.number(both[CONTROL]),
          'yes' if first and number >= first else 'no']
         for number, both in enumerate(figure.rounds, 1)])


def _band(rule, values, first):
    """Tell where rounds may lie: the lower end, their mean, the upper end."""
    steady = values[first - 1:first - 1 + rule['rounds']]
    mean = sum(steady) / len(steady)
    half = mean * rule['range_percent'] / 200
    return [mean - half, mean, mean + half]


def _draw_band(drawn, first, rounds, band):
    left, right = (drawn.across(number)
                   for number in (first - 0.4, first + rounds - 0.6))
    low, mean, high = map(drawn.up, band)
    drawn.area('steady', (left, low), (right, high))
    drawn.line('mean', (left, mean), (right, mean))


def _said_of_rounds(figure, first, count):
    if first:
        how = 'steady from round %d on' % first
    else:
        how = 'not steady in any rounds'
    values = figure.values(STORE)
    return 'Rounds of %s: %d, %s, from %s to %s %s' % (
        figure.identity, count, how, drawing.number(min(values)),
        drawing.number(max(values)), figure.unit)
