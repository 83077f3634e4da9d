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

"""A run, as its stream tells it: tests, hosts and figures."""

import collections
import dataclasses
import functools
import re

from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import kept
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.evidence import streams

_IDENTITY = re.compile(r'id-([0-9a-f-]{36})$')
_CASE = re.compile(r'_(\d+)_')
_LANE = re.compile(r'lane-\d+')


@dataclasses.dataclass(frozen=True)
class Entry:
    """One test of a run.

    :ivar record: the stream.Record
    :ivar test: the streams.Test, which tells of its hosts
    """

    record: stream.Record
    test: streams.Test

    @functools.cached_property
    def name(self):
        """Its full name, without attributes."""
        return self.record.name.partition('[')[0]

    @functools.cached_property
    def attributes(self):
        """Its attributes, without its UUID."""
        return [part for part in self._brackets()
                if not _IDENTITY.match(part)]

    @functools.cached_property
    def identity(self):
        """Its UUID, which never changes, or None."""
        found = [match[1] for match in map(_IDENTITY.match, self._brackets())
                 if match]
        return found[0] if len(found) == 1 else None

    @functools.cached_property
    def lane(self):
        """The tag of the lane that it ran in; empty if there are none."""
        found = _LANE.search(self.record.worker)
        return found[0] if found else ''

    @property
    def hung(self):
        """Whether it began, and never ended."""
        return self.record.status == stream.HUNG

    @property
    def measures(self):
        """Whether it is a test that measures."""
        return 'measurement' in self.attributes

    @property
    def is_whole_class(self):
        """Whether it is no test, but how a class was set up or ended."""
        return self.test.is_whole_class

    def _brackets(self):
        return self.record.name.partition('[')[2].rstrip(']').split(',')

    def case_of(self, name):
        """Tell which case of a matrix it is.

        :param name: the full name that its method has in the source
        :returns: a number from 1, 0 if it is the method itself; None if it is
            another one
        """
        if self.name == name:
            return 0
        found = self.name.startswith(name) and _CASE.match(
            self.name[len(name):])
        return int(found[1]) if found else None

    @functools.cached_property
    def results(self):
        """What it tells of hosts: dict of streams.HostResult by host."""
        return {result.host: result for result in self.test.hosts()}

    @property
    def failed_on(self):
        """The hosts that it failed on: list of names."""
        return [host for host, result in self.results.items()
                if result.outcome in (streams.FAILED, streams.UNKNOWN)]

    def methods(self):
        """List the full names that its method may have in the source."""
        return methods(self.name)

    def kept(self, kind):
        """List documents of a kind that it has kept."""
        return [document for document in self.test.documents
                if document['kind'] == kind]


class Run:
    """All that a stream tells."""

    def __init__(self, entries):
        """Know a run.

        :param entries: list of :class:`Entry`
        """
        self.entries = entries

    @functools.cached_property
    def environments(self):
        """What hosts are made of: dict of documents by phase, by host."""
        found = {}
        for _, document in self.kept(facts.ENVIRONMENT):
            found.setdefault(document['host'], {}).setdefault(
                document['phase'], document)
        return {host: found[host] for host in sorted(found, key=number_of)}

    @functools.cached_property
    def measurements(self):
        """Figures: dict of documents by host and ID, with all samples."""
        return {key: joined([document for _, document in found])
                for key, found in self.batches.items()}

    @functools.cached_property
    def batches(self):
        """All that was measured of figures, in turn.

        A dict by host and ID of lists of tuples of :class:`Entry` and
        document. There are several if the first told nothing yet.
        """
        found = collections.defaultdict(list)
        for entry, document in self.kept(facts.MEASUREMENT):
            found[document['host'], document['id']].append((entry, document))
        return {key: sorted(batches, key=lambda batch: _begin(batch[1]))
                for key, batches in found.items()}

    @functools.cached_property
    def cut_off(self):
        """Tests that never ended, and ran again: dict of :class:`Entry` by id.

        There may be thousands: nobody is to compare each with all.
        """
        began = collections.defaultdict(list)
        for entry in self.entries:
            if not entry.hung:
                began[entry.lane, entry.record.name].append(
                    entry.record.started)
        return {id(entry): entry for entry in self.entries
                if entry.hung and any(
                    again and entry.record.started
                    and again > entry.record.started
                    for again in began[entry.lane, entry.record.name])}

    @functools.cached_property
    def lanes(self):
        """The lane in which each host was looked at: dict by host."""
        found = {}
        for entry, document in self.kept(facts.ENVIRONMENT):
            found.setdefault(document['host'], entry.lane)
        return found

    def has_own_lane(self, host):
        """Tell whether all that ran in a host's lane is about it alone."""
        return (host in self.lanes
                and list(self.lanes.values()).count(self.lanes[host]) == 1)

    @property
    def hosts(self):
        """The names of hosts that have a store, in the order of numbers."""
        return [host for host, phases in self.environments.items()
                if any(document['store'] for document in phases.values())]

    @property
    def ids(self):
        """The UUIDs of runs that documents are of."""
        return sorted({document['run']
                       for kind in (facts.ENVIRONMENT, facts.MEASUREMENT)
                       for _, document in self.kept(kind)})

    @property
    def times(self):
        """When the first test began and the last one ended, or None."""
        known = [time for entry in self.entries
                 for time in (entry.record.started, entry.record.ended)
                 if time]
        return (min(known), max(known)) if known else (None, None)

    def kept(self, kind):
        """List documents of a kind.

        :returns: list of tuples of :class:`Entry` and document
        """
        return [(entry, document) for entry in self.entries
                for document in entry.kept(kind)]

    def of(self, name, host):
        """List the cases of a test that count for a host.

        These are all of its lane, and those of other lanes that failed on it.

        :param name: the full name of a method
        :param host: what the host is called
        :returns: list of :class:`Entry`
        """
        return self._counting.get((name, host), [])

    @functools.cached_property
    def _counting(self):
        """Cases that count for hosts: dict by name and host."""
        of_lanes = collections.defaultdict(list)
        for host, lane in self.lanes.items():
            of_lanes[lane].append(host)
        found = collections.defaultdict(list)
        for name, entries in self._by_method.items():
            for entry in entries:
                for host in {*of_lanes[entry.lane], *entry.failed_on}:
                    found[name, host].append(entry)
        return found

    def of_all(self, name):
        """List the cases of a test in all lanes.

        :param name: the full name of a method
        :returns: list of :class:`Entry`
        """
        return self._by_method.get(name, [])

    @functools.cached_property
    def _by_method(self):
        found = {}
        for entry in self.entries:
            for name in [] if id(entry) in self.cut_off else entry.methods():
                found.setdefault(name, []).append(entry)
        return found

    def of_class(self, name, host):
        """Find what became of a class as a whole, if that is told.

        :param name: its full name
        :param host: what the host is called that it counts for
        :returns: an :class:`Entry`, or None; one that failed, if any did
        """
        return min(self._set_up.get((name, self.lanes.get(host, '')), ()),
                   default=None,
                   key=lambda entry: entry.test.status != streams.FAILED)

    @functools.cached_property
    def _set_up(self):
        """How classes were set up or ended: lists by name and lane."""
        found = collections.defaultdict(list)
        for entry in self.entries:
            if entry.is_whole_class:
                found[entry.test.of_class, entry.lane].append(entry)
        return found


def methods(name):
    """List the full names that a test's method may have in the source.

    :param name: the full name of the test, without attributes
    """
    return [name, *(name[:found.start()] for found in _CASE.finditer(name))]


def joined(documents):
    """Join all that was measured of a figure.

    :param documents: list of measurements, one after the other
    :returns: one that has all of their samples, the time that they took, the
        limit of the store that is the hardest to reach, and the worst state
        of the cache
    """
    if len(documents) == 1:
        return documents[0]
    first = documents[0]
    higher = first['direction'] == 'higher'
    cold = first['cache']['state'] == measurements.COLD
    samples = [sample for document in documents
               for sample in document['samples']]
    took = {'took': {key: sum(document['took'][key] for document in documents)
                     for key in first['took']}} if all(
        'took' in document for document in documents) else {}
    return dict(
        {key: value for key, value in first.items() if key != 'took'}, **took,
        samples=[dict(sample, number=number, pair=(number + 1) // 2)
                 for number, sample in enumerate(samples, 1)],
        limit=(max if higher else min)(
            (document['limit'] for document in documents),
            key=lambda limit: limit['value']),
        cache=(max if cold else min)(
            (document['cache'] for document in documents),
            key=lambda cache: cache['resident_percent']))


def _begin(document):
    return document['samples'][0]['started']


def number_of(host):
    """Tell the number in what a host is called, to sort by it."""
    found = re.match(r'host-(\d{1,9})$', host)
    return (int(found[1]) if found else 0, host)


def read(data):
    """Read a run from a masked stream.

    :param data: the bytes of the stream
    :returns: a :class:`Run`
    :raises CertificateError: if it cannot be read, or has documents that are
        none
    """
    return Run(list(map(entry, stream.read(data))))


def entry(record):
    """Read one test of a run.

    :param record: a stream.Record, masked
    :returns: an :class:`Entry`
    :raises CertificateError: if it has documents that are none
    """
    reasons = record.texts('reason')
    return Entry(record, streams.Test(
        record.name, streams.STATUSES[record.status], [
            _document(record, detail) for detail in record.details
            if stream.DOCUMENT.match(detail.name)],
        reasons[0] if reasons else ''))


def _document(record, detail):
    where = 'results: %s: %s' % (record.name, detail.name)
    document = documents.parse(where, detail.data)
    kind = document.get('kind') if isinstance(document, dict) else None
    problem = ('its kind is unknown' if kind not in facts.KINDS
               else kept.invalid(document, kind))
    if problem:
        raise errors.CertificateError('%s: is no document: %.300s' % (
            where, problem))
    if detail.name.partition('-')[0] != document['kind']:
        raise errors.CertificateError('%s: is called like another kind' %
                                      where)
    return document


def before(phases):
    """Return what a host was made of when the run began, or None."""
    return phases.get(environments.BEFORE)


def after(phases):
    """Return what a host was made of when the run ended, or None."""
    return phases.get(environments.AFTER)
