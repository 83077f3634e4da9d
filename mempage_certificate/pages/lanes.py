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

"""Plots with two lanes for each figure: of the store and of its control."""

import re

from mempage_certificate.pages import drawing
from mempage_certificate.pages import plot

_LATENCY = re.compile(r'.*latency')
_MICROSECONDS = {'ns': 1e-3, 'us': 1, 'ms': 1e3, 's': 1e6}
_BARS = re.compile(r'(boot|delete|migration)\.')
_HEIGHT = 56


def latencies(measured):
    """Show how long reads take, cold and cached.

    :param measured: list of measured.Measured of a host
    :returns: list of plot.Plot: one, or none
    """
    factors = {figure: _MICROSECONDS[figure.unit] for figure in measured
               if _LATENCY.match(figure.identity)
               and figure.unit in _MICROSECONDS}
    if not factors:
        return []
    axis = drawing.logarithmic('us', [
        value * factor for figure, factor in factors.items()
        for value in plot.values_of(figure)])
    return [_Lanes(axis, 'us', factors).plot(
        'Latency of reads: cold, cached and control')]


def bars(measured):
    """Show how long guests take to boot, to be gone and to move.

    :param measured: list of measured.Measured of a host
    :returns: list of plot.Plot: one for each unit
    """
    units = {}
    for figure in measured:
        if _BARS.match(figure.identity):
            units.setdefault(figure.unit, {})[figure] = 1
    return [_Lanes(drawing.around(unit, [
        value for figure in chosen for value in plot.values_of(figure)
    ], True), unit, chosen, from_zero=True).plot(
        'Boot, deletion and migration, in %s' % unit)
        for unit, chosen in units.items()]


class _Lanes:
    """Figures below each other, along one axis."""

    def __init__(self, axis, unit, factors, from_zero=False):
        """Draw them.

        :param axis: the drawing.Axis
        :param unit: of what is shown
        :param factors: dict by measured.Measured of how many of these one of
            its own is
        :param from_zero: whether lanes begin at 0, and end at the median
        """
        self._unit = unit
        self._factors = factors
        self._from_zero = from_zero
        self._drawn = drawing.Drawing(axis, rows=_HEIGHT * len(factors))
        for number, (figure, factor) in enumerate(factors.items()):
            self._draw(20 + number * _HEIGHT, figure, factor)

    def plot(self, title):
        """Make the plot of them."""
        return plot.Plot(
            title, '%s. Medians: %s' % (title, '; '.join(
                plot.medians_of(figure, self._unit, factor)
                for figure, factor in self._factors.items())),
            self._drawn, (*plot.LEGEND, ('median', 'median')),
            ['Figure', 'Pair', *('%s, %s' % (what, self._unit) for what in (
                'Store', 'Control', 'Limit'))], list(self._rows()))

    def _rows(self):
        for figure, factor in self._factors.items():
            for pair, values in enumerate(figure.rounds, 1):
                yield [figure.identity, pair, *(
                    drawing.number(value * factor) for value in (
                        values[plot.STORE], values[plot.CONTROL],
                        figure.limit))]

    def _draw(self, top, figure, factor):
        self._drawn.text('row', (4, top + 14), '%s, %s' % (
            figure.identity, figure.told['cache']['state']))
        where = self._drawn.across(figure.limit * factor)
        self._drawn.line('limit', (where, top + 18), (where, top + 50))
        for number, arm in enumerate(plot.ARMS):
            self._lane(top + 27 + 15 * number, arm,
                       [value * factor for value in figure.values(arm)],
                       figure.median(arm) * factor)

    def _lane(self, middle, arm, values, median):
        across = self._drawn.across
        ends, height = (min(values), max(values)), 1
        if self._from_zero:
            ends, height = (0, median), 5
        self._drawn.area(arm, (across(ends[0]), middle - height),
                         (across(ends[1]), middle + height))
        for value in values:
            self._drawn.dot(plot.DOTS[arm], (across(value), middle))
        self._drawn.line('median', (across(median), middle - 6),
                         (across(median), middle + 6))
