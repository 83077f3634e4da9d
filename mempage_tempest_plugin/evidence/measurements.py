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

"""Figures of a backing store, sample by sample, for the stream of results."""

import datetime

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import kept
from mempage_tempest_plugin import exceptions

STORE = 'store'
CONTROL = 'control'
CACHED = 'cached'
COLD = 'cold'
MIXED = 'mixed'
#: A guest is cold if no more of its memory is in the page cache, in percent,
#: and cached if no less is.
COLD_PERCENT = 5
CACHED_PERCENT = 95
#: What is less is nothing.
LEAST = 1e-9


class Measurement:
    """One figure of one host, while it is measured."""

    def __init__(self, identity, unit, direction, host, run, seed, tool):
        """Begin a figure without samples.

        :param identity: what it is, such as cold.read_latency_p99
        :param unit: of its values, one of those of facts_schema.yaml
        :param direction: higher or lower, whichever is better
        :param host: name of the host
        :param run: UUID of the run
        :param seed: whole number that random patterns and orders came from
        :param tool: tuple of name and version of the program that measures
        """
        self._document = {
            'kind': facts.MEASUREMENT, 'version': facts.VERSION,
            'id': identity, 'unit': unit, 'direction': direction,
            'host': host, 'run': run, 'seed': seed, 'tool': _tool(tool),
            'samples': []}

    def cache(self, state, resident_percent, witness, footprint_over_dram):
        """Tell what of the guest's memory was in the page cache.

        :param state: cached, cold or mixed
        :param resident_percent: how much of it was, in percent
        :param witness: cachestat or mincore
        :param footprint_over_dram: memory that guests use, divided by what
            the host has for them
        """
        self._document['cache'] = {
            'state': state, 'resident_percent': resident_percent,
            'witness': witness}
        self._document['footprint_over_dram'] = footprint_over_dram

    def limit(self, value, tool, started, ended):
        """Tell what the store itself can do, as measured in this run.

        :param value: in the unit of the figure
        :param tool: tuple of name and version of the program that measured it
        :param started: when, an aware datetime
        :param ended: until when
        """
        self._document['limit'] = {
            'value': value, 'tool': _tool(tool), 'started': moment(started),
            'ended': moment(ended)}

    def sample(self, arm, value, started, ended):
        """Add what was measured once.

        :param arm: STORE or CONTROL, in turns
        :param value: in the unit of the figure
        :param started: when, an aware datetime
        :param ended: until when
        """
        before = len(self._document['samples'])
        self._document['samples'].append({
            'number': before + 1, 'pair': before // 2 + 1, 'arm': arm,
            'started': moment(started), 'ended': moment(ended),
            'value': value})

    def timeline(self, points):
        """Tell what the host did while the first sample was taken.

        :param points: list of dicts of seconds since the first one, of MiB
            that are still to be written (dirty_mib), and of MiB that the
            store's device was given since then (written_mib)
        """
        self._document['timeline'] = points

    def took(self, began, ended):
        """Tell what measuring has cost, when all samples were taken.

        :param began: when guests were first asked for, an aware datetime
        :param ended: until when
        """
        self._document['took'] = {
            'seconds': (ended - began).total_seconds(),
            **spent(self._document)}

    def document(self):
        """Tell everything as data.

        :returns: dict, as facts_schema.yaml describes it
        :raises DocumentError: if the figure has no meaning yet, as it lacks
            control, limit or the state of the cache
        """
        found = (kept.invalid(self._document, facts.MEASUREMENT)
                 or meaningless(self._document))
        if found:
            raise exceptions.DocumentError(
                'measurement %s of host %s' % (
                    self._document['id'], self._document['host']), found)
        return self._document


def spent(document):
    """Tell what of the time samples and limit have taken.

    :param document: of a measurement
    :returns: dict of seconds
    """
    return {'samples': sum(map(_seconds, document['samples'])),
            'limit': _seconds(document['limit'])}


def state_of(resident_percent):
    """Tell how a guest is of which so much is in the page cache.

    :param resident_percent: of its memory, in percent
    :returns: CACHED, COLD or MIXED
    """
    if resident_percent >= CACHED_PERCENT:
        return CACHED
    return COLD if resident_percent <= COLD_PERCENT else MIXED


def keep(test, measurement):
    """Keep a figure in a test's details.

    :param test: the test case
    :param measurement: the :class:`Measurement`
    :raises DocumentError: if it has no meaning
    """
    facts.keep_document(test, measurement.document())


def meaningless(document):
    """Tell why a figure that suits its schema still tells nothing.

    :param document: of a measurement
    :returns: a text; None if there is nothing wrong
    """
    samples = document['samples']
    for number, sample in enumerate(samples, 1):
        problem = _wrong_place(number, sample)
        if problem:
            return 'sample %d: %s' % (number, problem)
    if len(samples) % 2:
        return 'pair %d has one sample only: both arms take turns' % (
            samples[-1]['pair'])
    return (_arms(samples) or _backwards(samples) or _cache(document)
            or _limit(document['limit']))


def _wrong_place(number, sample):
    if sample['number'] != number:
        return ('it has number %d: samples are numbered in order, and none is '
                'left out' % sample['number'])
    if sample['pair'] != (number + 1) // 2:
        return 'it is of pair %d, which is not its turn' % sample['pair']
    return None


def _arms(samples):
    for first, second in zip(samples[::2], samples[1::2]):
        if {first['arm'], second['arm']} != {STORE, CONTROL}:
            return 'pair %d is not one of store and one of control' % (
                first['pair'])
    return None


def _backwards(samples):
    # The format is fixed: texts have the order of the moments.
    last = ''
    for sample in samples:
        if sample['ended'] < sample['started'] or sample['started'] < last:
            return ('sample %d: the clock went backwards, or samples overlap: '
                    '%s' % (sample['number'], sample['started']))
        last = sample['ended']
    return None


def _cache(document):
    cache = document['cache']
    resident = cache['resident_percent']
    if cache['state'] == COLD and resident > COLD_PERCENT:
        return ('%g %% of the memory was in the page cache: that is not cold, '
                'which is at most %d %%' % (resident, COLD_PERCENT))
    if cache['state'] == CACHED and resident < CACHED_PERCENT:
        return ('%g %% of the memory was in the page cache: that is not '
                'cached, which is at least %d %%' % (
                    resident, CACHED_PERCENT))
    return None


def _limit(limit):
    if limit['value'] < LEAST:
        return 'a limit of 0 is none'
    if limit['ended'] < limit['started']:
        return 'limit: the clock went backwards'
    return None


def moment(when):
    """Write a moment as documents have it.

    :param when: an aware datetime
    :returns: text in UTC, with milliseconds
    """
    return when.astimezone(datetime.timezone.utc).isoformat(
        timespec='milliseconds')


def _seconds(part):
    """Tell how long it took what has a begin and an end."""
    begin, end = (datetime.datetime.fromisoformat(part[key])
                  for key in ('started', 'ended'))
    return (end - begin).total_seconds()


def _tool(tool):
    name, version = tool
    return {'name': name, 'version': version}
