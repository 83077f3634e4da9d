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

"""Figures of a host, beside its control and the limit of its store."""

import dataclasses

from mempage_certificate import errors
from mempage_certificate import life
from mempage_certificate import runs
from mempage_certificate import statistics
from mempage_tempest_plugin.evidence import measurements

PASS = 'pass'
FAIL = 'fail'
ERROR = 'error'
MISSING = 'missing'
INCONCLUSIVE = 'inconclusive'
#: What more pairs may change.
MAY_NEED_MORE = (MISSING, INCONCLUSIVE)
# A guest in anonymous memory has nothing written to the device.
_MAY_BE_NOTHING = ('bytes/byte', 'bytes/s', 'percent')
_WORST = (ERROR, FAIL, MISSING, INCONCLUSIVE, PASS)


@dataclasses.dataclass(frozen=True)
class Figure:
    """What samples of a host say, and whether goals are met.

    :ivar document: the measurement
    :ivar status: one of the words above
    :ivar reasons: why it is not PASS; list of texts
    :ivar steady: the number of the first pair that counts; None if none does
    :ivar figures: dict of statistics.Interval by figure, as profiles name
        them; empty if no pair counts, without a ratio to a control of 0
    :ivar goals: list of dicts: the goals of the profile, each with what
        became of it
    """

    document: dict
    status: str
    reasons: list
    steady: int | None
    figures: dict
    goals: list


def of_host(run, profile, product, host):
    """Reckon all figures of a host.

    :param run: a runs.Run
    :param profile: a profiles.Profile
    :param product: what PRODUCT.yaml says
    :param host: what the host is called
    :returns: dict of :class:`Figure` by ID
    """
    first = runs.before(run.environments.get(host, {}))
    return {figure.document['id']: figure
            for (name, _), document in sorted(run.measurements.items())
            if name == host
            for figure in with_following(profile, product, first, document)}


def with_following(profile, product, first, document):
    """Reckon a figure, and those that follow from it.

    :param profile: a profiles.Profile
    :param product: what PRODUCT.yaml says
    :param first: what the host was made of before the run, or None
    :param document: the measurement, with all samples
    :returns: list of :class:`Figure`
    """
    figure = of(profile, document)
    following = profile.following(document['id'])
    if not following or figure.status == ERROR or min(
            arms(document)[0]) < measurements.LEAST:
        return [figure]
    try:
        best = life.at_best(profile, product, first)
    except errors.CertificateError:
        return [figure]
    return [figure, *(_following(profile, figure, life.document(
        best, identity, profile.rule(identity), document))
        for identity in following)]


def _following(profile, figure, document):
    if figure.steady is None:
        return dataclasses.replace(figure, document=document)
    values, _ = arms(document)
    first = figure.steady - 1
    return _judged(profile, document, values[first:], [], first)


def arms(document):
    """Take the samples of a measurement apart.

    :param document: the measurement
    :returns: tuple of two lists of values, of the store and of its control
    """
    return tuple([sample['value'] for sample in document['samples']
                  if sample['arm'] == arm]
                 for arm in (measurements.STORE, measurements.CONTROL))


def of(profile, document):
    """Reckon a figure.

    :param profile: a profiles.Profile
    :param document: the measurement, with all samples
    :returns: a :class:`Figure`
    """
    problem = measurements.meaningless(document)
    if problem:
        return Figure(document, ERROR, [problem], None, {}, [])
    store, control = arms(document)
    if (document['unit'] not in _MAY_BE_NOTHING
            and min(store + control) < measurements.LEAST):
        return Figure(document, ERROR, ['a value is 0: nothing was measured'],
                      None, {}, [])
    pairs = profile.document['pairs']
    if len(store) < pairs['min']:
        return Figure(document, MISSING, [
            '%d of at least %d pairs were measured' % (
                len(store), pairs['min'])], None, {}, [])
    if len(store) > pairs['max']:
        return Figure(document, ERROR, [
            '%d pairs were measured, and %d may be' % (
                len(store), pairs['max'])], None, {}, [])
    first = statistics.steady_from(store, profile.document['steady_state'])
    if first is None:
        return Figure(document, INCONCLUSIVE, [_unsteady(
            len(store), pairs['max'])], None, {}, [])
    return _judged(profile, document, store[first:], control[first:], first)


def more_pairs(profile, figure):
    """Tell how many more pairs may tell what a figure does not tell yet.

    :param profile: the profiles.Profile
    :param figure: the :class:`Figure`
    :returns: a number; 0 if nothing is open, or no more may be measured
    """
    if figure.status not in MAY_NEED_MORE:
        return 0
    pairs = profile.document['pairs']
    have = len(arms(figure.document)[0])
    wanted = max((goal['more_pairs'] for goal in figure.goals),
                 default=pairs['min'])
    return max(0, min(wanted, pairs['max'] - have))


def _unsteady(pairs, most):
    more = ('%d more pairs may be measured' % (most - pairs) if pairs < most
            else 'no more pairs may be measured')
    return 'the store was not steady in any five rounds; %s' % more


def _judged(profile, document, store, control, first):
    figures = _figures(profile, document, store, control)
    goals = [_goal(profile, goal, figures.get(goal['figure']),
                   first + len(store))
             for goal in profile.goals(document['id'])]
    status = min((goal['status'] for goal in goals), key=_WORST.index,
                 default=PASS)
    return Figure(document, status, [goal['reason'] for goal in goals
                                     if goal['status'] != PASS],
                  first + 1, figures, goals)


def _figures(profile, document, store, control):
    limit = document['limit']['value']
    values = {'of_limit': [value / limit for value in store],
              'value': store}
    if min(control, default=0) >= measurements.LEAST:
        values['ratio'] = [one / other for one, other in zip(store, control)]
    return {name: statistics.interval(found, profile.document['confidence'])
            for name, found in values.items()}


def _goal(profile, goal, found, pairs):
    if found is None:
        return dict(goal, status=ERROR, more_pairs=0,
                    reason='the control is 0: there is no ratio')
    status, reason = _meets(goal, found), ''
    bound = goal.get('min', goal.get('max'))
    if status != PASS:
        reason = '%s %.4g (%.4g to %.4g), goal %s %g' % (
            goal['figure'], found.median, found.low, found.high,
            'at least' if 'min' in goal else 'at most', bound)
    more = 0
    if status == INCONCLUSIVE:
        more = statistics.pairs_wanted(found, bound, pairs,
                                       profile.document['pairs']['max'])
        reason += ('; about %d more pairs may tell' % more if more
                   else '; no more pairs may be measured')
    return dict(goal, status=status, reason=reason, more_pairs=more)


def _meets(goal, found):
    """Judge a whole interval: what lies on both sides tells nothing."""
    if 'min' in goal:
        low, high = found.low >= goal['min'], found.high >= goal['min']
    else:
        low, high = found.low <= goal['max'], found.high <= goal['max']
    if low and high:
        return PASS
    return INCONCLUSIVE if low or high else FAIL
