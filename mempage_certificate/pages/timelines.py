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

"""Plots over time: what is dirtied and written, and the space of a store."""

import datetime
import re

from mempage_certificate.pages import drawing
from mempage_certificate.pages import plot
from mempage_tempest_plugin.evidence import facts

_WRITES = re.compile(r'(dirty|wear)\.')
_RATES = ('MiB/s', 'bytes/s', 'bytes/byte')
_FILE_SYSTEM = 'file system'
# What is left in a store, or taken from it, when guests come and go.
_SPACE = {'allocated, MiB': (drawing.CIRCLE, 'allocated to guests'),
          'space that no file explains, MiB': (
              drawing.SQUARE, 'that no file explains'),
          'space kept by deleted files, MiB': (
              drawing.DIAMOND, 'kept by files that are deleted')}
# No store has more MiB, and no run takes more seconds.
_MOST = 1e12
# What a store was given, as the host has seen it second by second.
_GIVEN = {'dirty_mib': (drawing.SQUARE, 'in the page cache, still to be '
                                        'written'),
          'written_mib': (drawing.CIRCLE, 'given to the device')}
# Of longer lines not every point has a dot.
_DOTS = 30


class _Clock:
    """Times since the first of several."""

    def __init__(self, moments):
        self.first = min(moments)
        seconds = (max(moments) - self.first).total_seconds()
        self._size, self.unit = next(
            (size, unit) for size, unit in ((3600, 'hours'), (60, 'minutes'),
                                            (1, 'seconds'))
            if seconds >= 3 * size or size == 1)
        self.axis = drawing.around('%s since %s UTC' % (
            self.unit, self.first.strftime('%Y-%m-%d %H:%M:%S')),
            [0, seconds / self._size])

    def time(self, moment):
        """Tell how long after the first one a moment is."""
        return (moment - self.first).total_seconds() / self._size


def _moment(text):
    return datetime.datetime.fromisoformat(text)


def writes(measured):
    """Show when memory was dirtied, and devices wrote.

    :param measured: list of measured.Measured of a host
    :returns: list of plot.Plot: one for each figure
    """
    return [_of_figure(figure) for figure in measured
            if _WRITES.match(figure.identity) and figure.unit in _RATES]


def _of_figure(figure):
    samples = [dict(sample, **{end: _moment(sample[end])
                               for end in ('started', 'ended')})
               for sample in figure.document['samples']]
    clock = _Clock([sample[end] for sample in samples
                    for end in ('started', 'ended')])
    drawn = drawing.Drawing(clock.axis, drawing.around(
        figure.unit, plot.values_of(figure), True))
    drawn.level('limit', figure.limit)
    rows = []
    for sample in samples:
        begin, end = (clock.time(sample[key]) for key in ('started', 'ended'))
        arm, value = sample['arm'], sample['value']
        drawn.line(arm, drawn.point(begin, value), drawn.point(end, value))
        drawn.dot(plot.DOTS[arm], drawn.point((begin + end) / 2, value))
        rows.append([sample['pair'], arm, *map(drawing.number, (
            begin, end, value))])
    title = '%s over time' % figure.identity
    return plot.Plot(
        title, '%s. Medians: %s' % (title, plot.medians_of(
            figure, figure.unit)), drawn, plot.LEGEND,
        ['Pair', 'Of', 'From, %s' % clock.unit, 'To, %s' % clock.unit,
         figure.unit], rows)


def dirtying(measured):
    """Show how fast a device takes what a guest dirties.

    :param measured: list of measured.Measured of a host
    :returns: list of plot.Plot: one for each figure that has a timeline
    """
    return [_of_timeline(figure) for figure in measured
            if _is_timeline(figure.document.get('timeline'))]


def _is_timeline(points):
    return bool(points) and all(
        value < _MOST for point in points for value in point.values())


def _of_timeline(figure):
    points = figure.document['timeline']
    drawn = drawing.Drawing(
        drawing.around('seconds', [point['seconds'] for point in points]),
        drawing.around('MiB', [point[key] for point in points
                               for key in _GIVEN], True))
    for key, (kind, _) in _GIVEN.items():
        _draw(drawn, kind, [drawn.point(point['seconds'], point[key])
                            for point in points])
    title = 'Dirtying and device writes, first sample of %s' % figure.identity
    return plot.Plot(
        title, '%s. At the end: %s' % (title, '; '.join(
            '%s MiB %s' % (drawing.number(points[-1][key]), words)
            for key, (_, words) in _GIVEN.items())), drawn,
        tuple(_GIVEN.values()), ['Seconds', 'To be written, MiB',
                                 'Given to the device, MiB'],
        [[drawing.number(point[key]) for key in ('seconds', *_GIVEN)]
         for point in points])


def space(run, host):
    """Show the space of a store while guests come and go.

    :param run: the runs.Run
    :param host: what the host is called
    :returns: list of plot.Plot: one, or none
    """
    found = sorted((_moment(document['when']), fact['name'], fact['observed'])
                   for _, document in run.kept(facts.FACTS)
                   if document['host'] == host
                   for fact in document['facts'] if _is_of_space(fact))
    if not found:
        return []
    clock = _Clock([moment for moment, _, _ in found])
    drawn = drawing.Drawing(clock.axis, drawing.around(
        'MiB', [value for _, _, value in found], True))
    most = []
    for name, (kind, words) in _SPACE.items():
        series = [(clock.time(moment), value)
                  for moment, of, value in found if of == name]
        if series:
            _draw(drawn, kind, [drawn.point(*both) for both in series])
            most.append('%s MiB %s' % (drawing.number(max(
                value for _, value in series)), words))
    title = 'Space of the store while guests come and go'
    return [plot.Plot(
        title, '%s. At most: %s' % (title, '; '.join(most)), drawn,
        tuple(_SPACE.values()), [clock.unit.capitalize(), 'What', 'MiB'],
        [[drawing.number(clock.time(moment)), _SPACE[name][1],
          drawing.number(value)] for moment, name, value in found])]


def _draw(drawn, kind, points):
    drawn.line(kind, *points)
    for point in points[::len(points) // _DOTS + 1]:
        drawn.dot(kind, point)


def _is_of_space(fact):
    # Where nothing could be asked, there is a text.
    return (fact['witness'] == _FILE_SYSTEM and fact['name'] in _SPACE
            and type(fact['observed']) in (int, float)
            and 0 <= fact['observed'] < _MOST)
