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

"""result.json: what was certified of which hosts, and why."""

import dataclasses
import importlib.metadata
import math

from mempage_certificate import archive
from mempage_certificate import figures
from mempage_certificate import profiles
from mempage_certificate import statistics
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.evidence import streams

SCHEMA = 'mempage-cert/1'
# Other versions of numpy and scipy may round in other ways.
_TOLERANCE = 1e-9
# Where results differ first: what they follow from, and what they say.
_FIRST = ('schema', 'inputs', 'verdict')


def make(run, profile, product, found, inputs):
    """Tell everything that was judged.

    :param run: a runs.Run
    :param profile: the profiles.Profile
    :param product: what PRODUCT.yaml says
    :param found: the verdict.FleetVerdict
    :param inputs: dict of bytes by name of what it follows from
    :returns: dict, as schemas/result.yaml describes it
    """
    return {
        'schema': SCHEMA,
        'tool': tool(),
        'run': _run(run),
        'inputs': {name: profiles.sha256(inputs[name]) for name in (
            archive.STREAM, archive.PROFILE, archive.CATALOGUE,
            archive.PRODUCT)},
        'product': {key: product[key]
                    for key in ('vendor', 'product', 'version')},
        'profile': {'name': profile.document['name'],
                    'version': profile.document['version'],
                    'target': profile.target},
        'verdict': dataclasses.asdict(found.verdict),
        'problems': found.problems,
        'outliers': found.outliers,
        'hosts': [_host(host) for host in found.hosts]}


def tool():
    """Tell what reckons results here: a dict of texts."""
    def version(package):
        return importlib.metadata.version(package)

    return {'name': 'mempage-certify',
            'version': version('mempage-tempest-plugin'),
            'numpy': version('numpy'), 'scipy': version('scipy')}


def _run(run):
    statuses = [entry.test.status for entry in run.entries
                if entry.record.status != stream.HUNG
                and entry.record.name != streams.UNREADABLE]
    times = [None if time is None else measurements.moment(time)
             for time in run.times]
    return {'ids': run.ids, 'started': times[0], 'ended': times[1],
            'unfinished': len(run.entries) - len(statuses),
            **{status: statuses.count(status) for status in (
                streams.PASSED, streams.FAILED, streams.SKIPPED)}}


def _host(host):
    eligible = host.eligibility
    return {'host': host.host, 'verdict': dataclasses.asdict(host.verdict),
            'eligibility': eligible and dataclasses.asdict(eligible),
            'checks': [dataclasses.asdict(check) for check in host.checks],
            'figures': [_figure(figure)
                        for figure in host.figures.values()]}


def _figure(figure):
    document = figure.document
    store, control = figures.arms(document)
    return {
        **{key: document[key] for key in (
            'id', 'unit', 'direction', 'cache', 'footprint_over_dram', 'tool',
            'seed')},
        'status': figure.status, 'reasons': figure.reasons,
        'store': store and statistics.quantiles(store) or None,
        'control': control and statistics.quantiles(control) or None,
        'limit': {key: document['limit'][key] for key in ('value', 'tool')},
        'steady_from_pair': figure.steady,
        'figures': {name: dataclasses.asdict(interval)
                    for name, interval in figure.figures.items()},
        'goals': figure.goals}


def difference(told, reckoned, where='$'):
    """Find where two results differ, but for the versions of tools.

    :param told: a result
    :param reckoned: another one
    :param where: what they are part of
    :returns: text that names the place, or None
    """
    if isinstance(told, dict) and isinstance(reckoned, dict):
        if told.keys() != reckoned.keys():
            return '%s: has %s' % (where, ', '.join(sorted(told)))
        keys = sorted((key for key in told if (where, key) != ('$', 'tool')),
                      key=lambda key: key not in _FIRST)
        return _first(told, reckoned, keys, where + '.%s')
    if isinstance(told, list) and isinstance(reckoned, list):
        if len(told) != len(reckoned):
            return '%s: has %d items, and %d follow from the results' % (
                where, len(told), len(reckoned))
        return _first(told, reckoned, range(len(told)), where + '[%d]')
    if _same(told, reckoned):
        return None
    return '%s: is %.200r, and %.200r follows from the results' % (
        where, told, reckoned)


def _first(told, reckoned, keys, where):
    return next(filter(None, (
        difference(told[key], reckoned[key], where % key) for key in keys)),
        None)


def _same(told, reckoned):
    if type(told) is not type(reckoned):
        return False
    if isinstance(told, float):
        return math.isclose(told, reckoned, rel_tol=_TOLERANCE)
    return told == reckoned
