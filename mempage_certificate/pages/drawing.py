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

"""Where on a plot values are: shapes with coordinates.

Plots are part of what others reckon again, byte by byte. So what is here
depends on no library that draws, whose bytes are others in every release.
"""

import dataclasses
import math

import markupsafe

#: The width of all plots, in the units of their coordinates.
WIDTH = 400
#: Kinds of dots.
CIRCLE = 'circle'
SQUARE = 'square'
DIAMOND = 'diamond'
FAINT = 'faint'

_LEFT = 56
_RIGHT = WIDTH - 12
_TOP = 24
_BOTTOM = 40
# So many marks are on an axis, or a few more.
_MARKS = 5
_LETTERS = ((1e9, 'G'), (1e6, 'M'), (1e3, 'k'))


def number(value):
    """Write a number for people.

    :param value: an int or a float
    :returns: four digits of it, or all of those before the point
    """
    if 1000 <= abs(value) < 1e12:
        return markupsafe.Markup('{:,.0f}'.format(value))
    return markupsafe.Markup('%.4g' % value)


def _mark(value):
    """Write a number beside an axis, where there is little room."""
    size, letter = next((pair for pair in _LETTERS if abs(value) >= pair[0]),
                        (1, ''))
    return markupsafe.Markup('%.4g%s' % (value / size, letter))


@dataclasses.dataclass(frozen=True)
class Axis:
    """Values along one side of a plot.

    :ivar title: what they are, with their unit
    :ivar low: the value at the begin
    :ivar high: that at the end
    :ivar logarithmic: whether each step multiplies them
    :ivar whole: whether they are whole numbers
    """

    title: str
    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False

    def share(self, value):
        """Tell where a value is: 0 at the begin, 1 at the end."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def marks(self):
        """List the values that are written beside the axis."""
        if self.logarithmic and self.high / self.low > 4:
            return self._powers()
        step = _step(max((self.high - self.low) / _MARKS, self.whole))
        return [count * step for count in range(
            math.ceil(self.low / step), math.floor(self.high / step) + 1)]

    def _powers(self):
        few = self.high / self.low < 200
        found = [float('%de%d' % (digit, power))
                 for power in range(_power(self.low), _power(self.high) + 1)
                 for digit in ((1, 2, 5) if few else (1,))]
        return [value for value in found if self.low <= value <= self.high]


def _power(value):
    """Tell the power of ten of a number: -1 of 0.25."""
    # Unlike logarithms, decimal digits are exact.
    return int(('%e' % value).partition('e')[2])


def _step(least):
    """Find a step that people like, not smaller than a number."""
    return next(step for power in (_power(least), _power(least) + 1)
                for step in (float('%de%d' % (digit, power))
                             for digit in (1, 2, 5)) if step >= least)


def around(title, values, from_zero=False):
    """Make an axis that has values on it, with some room.

    :param title: what they are, with their unit
    :param values: list of numbers, at least one
    :param from_zero: whether 0 is on it as well
    """
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.06 * abs(high) or 1
    if from_zero:
        high = max(0, high)
        return Axis(title, min(0, low), high + (0.06 * high or 1))
    return Axis(title, low - room, high + room)


def logarithmic(title, values):
    """Make an axis of values that differ by much.

    :param title: what they are, with their unit
    :param values: list of numbers, at least one
    """
    if min(values) <= 0:
        return around(title, values, from_zero=True)
    return Axis(title, min(values) / 1.2, max(values) * 1.2, True)


@dataclasses.dataclass(frozen=True)
class Shape:
    """A part of a plot.

    :ivar tag: dot, line, area or text
    :ivar kind: what it stands for
    :ivar points: list of pairs of coordinates: one of a dot or a text, two
        corners of an area
    :ivar text: what is written
    """

    tag: str
    kind: str
    points: list
    text: str = ''


class Drawing:
    """The shapes of a plot."""

    def __init__(self, x, y=None, rows=0):
        """Draw the axes.

        :param x: the :class:`Axis` below
        :param y: the one at the left; None if there are rows instead
        :param rows: the height of these, in units of coordinates
        """
        self.x = x
        self.y = y
        self.left = _LEFT if y else 12
        self.bottom = _TOP + (180 if y else rows)
        self.height = self.bottom + _BOTTOM
        self.shapes = []
        self._draw_x()
        if y:
            self._draw_y()

    def across(self, value):
        """Tell the coordinate of a value of the axis below."""
        return round(self.left + self.x.share(value) * (_RIGHT - self.left),
                     1)

    def up(self, value):
        """Tell the coordinate of a value of the axis at the left."""
        return round(self.bottom - self.y.share(value)
                     * (self.bottom - _TOP), 1)

    def point(self, x, y):
        """Tell the coordinates of a pair of values."""
        return self.across(x), self.up(y)

    def dot(self, kind, point):
        """Draw a dot."""
        self.shapes.append(Shape('dot', kind, [point]))

    def line(self, kind, *points):
        """Draw a line from point to point."""
        self.shapes.append(Shape('line', kind, list(points)))

    def area(self, kind, *corners):
        """Draw a rectangle, by two of its corners."""
        (left, top), (right, bottom) = corners
        self.shapes.append(Shape('area', kind, [
            (min(left, right), min(top, bottom)),
            (round(abs(right - left), 1), round(abs(bottom - top), 1))]))

    def level(self, kind, value):
        """Draw a line at a value of the axis at the left."""
        self.line(kind, (self.left, self.up(value)), (_RIGHT, self.up(value)))

    def text(self, kind, point, text):
        """Write a text."""
        self.shapes.append(Shape('text', kind, [point], text))

    def _draw_x(self):
        for value in self.x.marks():
            where = self.across(value)
            self.line('grid', (where, _TOP - 4), (where, self.bottom + 4))
            self.text('below', (where, self.bottom + 17), _mark(value))
        self.text('below', ((self.left + _RIGHT) / 2, self.bottom + 34),
                  self.x.title)

    def _draw_y(self):
        for value in self.y.marks():
            self.level('grid', value)
            self.text('beside', (self.left - 6, self.up(value) + 4),
                      _mark(value))
        self.text('above', (4, 12), self.y.title)
