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

"""The plot of how fast guests are that need more memory than a host has."""

import re

from mempage_certificate.pages import drawing
from mempage_certificate.pages import plot
from mempage_tempest_plugin.evidence import measurements

_FOOTPRINT = re.compile(r'footprint\.')


def of(measured):
    """Show throughput over footprint.

    :param measured: list of measured.Measured of a host
    :returns: list of plot.Plot: one, or none
    """
    chosen = sorted((figure for figure in measured
                     if _FOOTPRINT.match(figure.identity)
                     and min(figure.values(plot.CONTROL))
                     >= measurements.LEAST), key=_footprint)
    if not chosen:
        return []
    ratios = {figure: [values[plot.STORE] / values[plot.CONTROL]
                       for values in figure.rounds] for figure in chosen}
    medians = [(_footprint(figure), figure.told['figures']['ratio'])
               for figure in chosen if 'ratio' in figure.told['figures']]
    title = 'Throughput over footprint'
    return [plot.Plot(
        title, '%s. %s' % (title, _said(medians)), _draw(ratios, medians),
        ((drawing.CIRCLE, 'a pair'),
         ('median', 'medians, with their intervals'),
         ('limit', 'as fast as the control')),
        ['Footprint over memory', 'Figure', 'Pair', 'Store over control'],
        [[drawing.number(_footprint(figure)), figure.identity, pair,
          drawing.number(ratio)] for figure, found in ratios.items()
         for pair, ratio in enumerate(found, 1)])]


def _footprint(figure):
    return figure.told['footprint_over_dram']


def _said(medians):
    return '; '.join('%s times the memory of the host: %s of the control' % (
        drawing.number(footprint), drawing.number(interval['median']))
        for footprint, interval in medians) or 'No ratio is steady.'


def _draw(ratios, medians):
    drawn = drawing.Drawing(
        drawing.around('memory of guests over memory of the host',
                       list(map(_footprint, ratios)), True),
        drawing.around('store over control', [1] + [
            ratio for found in ratios.values() for ratio in found], True))
    drawn.level('limit', 1)
    for figure, found in ratios.items():
        for ratio in found:
            drawn.dot(drawing.CIRCLE, drawn.point(_footprint(figure), ratio))
    for footprint, interval in medians:
        drawn.line('whisker', *(drawn.point(footprint, interval[end])
                                for end in ('low', 'high')))
    if medians:
        drawn.line('median', *(drawn.point(footprint, interval['median'])
                               for footprint, interval in medians))
    return drawn
