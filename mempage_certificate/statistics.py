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

"""What samples say: intervals, steady state, outliers.

numpy and scipy reckon; they are in the extra "certify" of the distribution.
"""

import dataclasses
import math

import numpy
from scipy import stats

#: Who is further from the others than so many times their median deviation
#: is an outlier: Iglewicz and Hoaglin, How to Detect and Handle Outliers.
OUTLIER = 3.5
#: Fewer hosts have no outliers.
FLEET = 5
# So that hosts which are all but the same have no outliers, either.
_LEAST_DEVIATION = 0.01


@dataclasses.dataclass(frozen=True)
class Interval:
    """Where a median lies.

    :ivar median: that of the values
    :ivar low: the lower end of its confidence interval
    :ivar high: the upper end
    """

    median: float
    low: float
    high: float


def interval(values, confidence):
    """Tell where the median of values lies, by bootstrap.

    The same values give the same interval: the seed is that of the profile.

    :param values: list of numbers, at least two
    :param confidence: dict with level, resamples and seed
    :returns: an :class:`Interval`, by the percentiles of the medians of
        resamples
    """
    found = stats.bootstrap(
        (numpy.asarray(values, dtype=float),), numpy.median,
        confidence_level=confidence['level'],
        n_resamples=confidence['resamples'], method='percentile',
        rng=numpy.random.default_rng(confidence['seed'])
    ).confidence_interval
    return Interval(float(numpy.median(values)), float(found.low),
                    float(found.high))


def steady_from(values, rule):
    """Find when values become steady, as SNIA's PTS defines it.

    In so many rounds one after the other, the values range over no more than
    a part of their mean, and a straight line through them rises or falls by
    no more than another part of it.

    :param values: list of numbers, one for each round
    :param rule: dict with rounds, range_percent and slope_percent
    :returns: the index of the first of the first such rounds, or None
    """
    rounds = rule['rounds']
    return next((first for first in range(len(values) - rounds + 1)
                 if is_steady(values[first:first + rounds], rule)), None)


def is_steady(values, rule):
    """Tell whether values of consecutive rounds are steady.

    :param values: list of numbers
    :param rule: as for :func:`steady_from`
    """
    mean = float(numpy.mean(values))
    spread = max(values) - min(values)
    slope = float(numpy.polyfit(range(len(values)), values, 1)[0])
    drift = abs(slope) * (len(values) - 1)
    # What a float makes of 20 % is not to decide.
    least = 1e-9 * abs(mean)
    return (spread <= rule['range_percent'] / 100 * mean + least
            and drift <= rule['slope_percent'] / 100 * mean + least)


def outliers(values):
    """Find those who are far from the others.

    :param values: dict of numbers by name
    :returns: list of names
    """
    if len(values) < FLEET:
        return []
    known = list(values.values())
    median = float(numpy.median(known))
    deviation = max(float(stats.median_abs_deviation(known, scale='normal')),
                    _LEAST_DEVIATION * abs(median))
    return [name for name, value in values.items()
            if abs(value - median) > OUTLIER * deviation]


def pairs_wanted(found, goal, pairs, most):
    """Estimate how many pairs tell on which side of a goal a median lies.

    An interval becomes narrower as the square root of the number of pairs
    grows.

    :param found: the :class:`Interval`
    :param goal: the number that it straddles
    :param pairs: how many pairs it is from
    :param most: how many may be taken at most
    :returns: how many more to take; 0 if no more may be
    """
    distance = abs(found.median - goal)
    half = max(found.high - found.median, found.median - found.low)
    if not distance:
        return most - pairs
    wanted = math.ceil(min(pairs * (half / distance) ** 2, most))
    return max(min(wanted, most) - pairs, min(1, most - pairs))


def quantiles(values):
    """Summarise values.

    :param values: list of numbers
    :returns: dict with n, median, p99, min and max
    """
    known = numpy.asarray(values, dtype=float)
    return {'n': len(values), 'median': float(numpy.median(known)),
            'p99': float(numpy.quantile(known, 0.99)),
            'min': float(known.min()), 'max': float(known.max())}
