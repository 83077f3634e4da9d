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

"""The plot of the rounds of a figure, as SNIA's PTS has it."""

from mempage_certificate.pages import drawing
from mempage_certificate.pages import plot


def of(profile, figure):
    """Show whether a store was steady.

    :param profile: the profiles.Profile
    :param figure: a measured.Measured
    :returns: a plot.Plot
    """
    rule = profile.document['steady_state']
    values = figure.values(plot.STORE)
    first = figure.told['steady_from_pair']
    counts = [bool(first) and number >= first
              for number in range(1, len(values) + 1)]
    title = 'Rounds of %s' % figure.identity
    return plot.Plot(
        title, _said(title, figure, first, values),
        _draw(rule, figure, first, values, counts),
        ((drawing.CIRCLE, 'counts'), (drawing.FAINT, 'does not count'),
         ('steady', '%g %% around the mean of the first %d rounds that are '
          'steady' % (rule['range_percent'], rule['rounds']))),
        ['Round', 'Store, %s' % figure.unit, 'Control, %s' % figure.unit,
         'Counts'],
        [[number, drawing.number(both[plot.STORE]),
          drawing.number(both[plot.CONTROL]), 'yes' if one else 'no']
         for number, (both, one) in enumerate(zip(figure.rounds, counts), 1)])


def _said(title, figure, first, values):
    return '%s: %d, %s, from %s to %s %s' % (
        title, len(values),
        'steady from round %d on' % first if first
        else 'not steady in any rounds', drawing.number(min(values)),
        drawing.number(max(values)), figure.unit)


def _draw(rule, figure, first, values, counts):
    band = _band(rule, values, first) if first else []
    drawn = drawing.Drawing(
        drawing.Axis('round', 0.5, len(values) + 0.5, whole=True),
        drawing.around(figure.unit, values + band))
    if first:
        left, right = (drawn.across(number) for number in (
            first - 0.4, first + rule['rounds'] - 0.6))
        low, mean, high = map(drawn.up, band)
        drawn.area('steady', (left, low), (right, high))
        drawn.line('mean', (left, mean), (right, mean))
    points = [drawn.point(number, value)
              for number, value in enumerate(values, 1)]
    drawn.line(plot.STORE, *points)
    for point, one in zip(points, counts):
        drawn.dot(drawing.CIRCLE if one else drawing.FAINT, point)
    return drawn


def _band(rule, values, first):
    """Tell where rounds may lie: the lower end, their mean, the upper end."""
    steady = values[first - 1:first - 1 + rule['rounds']]
    mean = sum(steady) / len(steady)
    half = mean * rule['range_percent'] / 200
    return [mean - half, mean, mean + half]
