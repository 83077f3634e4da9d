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

"""What all plots have: a picture, words and the data that it is of."""

import dataclasses

from mempage_certificate.pages import drawing
from mempage_tempest_plugin.evidence import measurements

STORE = measurements.STORE
CONTROL = measurements.CONTROL
ARMS = (STORE, CONTROL)
#: Kinds of their dots: others in shape, and not in colour alone.
DOTS = {STORE: drawing.CIRCLE, CONTROL: drawing.SQUARE}
#: What shapes stand for.
LEGEND = ((drawing.CIRCLE, 'guest with its memory in the store'),
          (drawing.SQUARE, 'control guest in anonymous memory'),
          ('limit', 'limit of the store itself'))


@dataclasses.dataclass(frozen=True)
class Plot:
    """A picture, and what it is of.

    :ivar title: what it shows
    :ivar alternative: what it shows to who cannot see it
    :ivar picture: the drawing.Drawing
    :ivar legend: tuple of pairs of a kind of shape and what it stands for
    :ivar columns: the headings of its data
    :ivar rows: list of lists of these
    """

    title: str
    alternative: str
    picture: drawing.Drawing
    legend: tuple
    columns: list
    rows: list

    @property
    def explained(self):
        """What of the legend is in the picture: list of pairs."""
        kinds = {shape.kind for shape in self.picture.shapes}
        return [pair for pair in self.legend if pair[0] in kinds]


def values_of(figure):
    """List all values that a plot of a figure has to have room for.

    :param figure: a measured.Measured
    """
    return [*figure.values(*ARMS), figure.limit]


def medians_of(figure, unit, factor=1):
    """Tell a figure to who cannot see it.

    :param figure: a measured.Measured
    :param unit: of what is shown
    :param factor: how many of these one of its own is
    :returns: text
    """
    return '%s: store %s %s, control %s %s, limit %s %s' % (
        figure.identity, drawing.number(figure.median(STORE) * factor), unit,
        drawing.number(figure.median(CONTROL) * factor), unit,
        drawing.number(figure.limit * factor), unit)
