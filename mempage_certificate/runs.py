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

import dataclasses
import functools
import re

from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import stream
from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import kept
from mempage_tempest_plugin.evidence import streams

_IDENTITY = re.compile(r'id-([0-9a-f-]{36})$')
_CASE = re.compile(r'_(\d+)_')


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
        found = _CASE.match(self.name[len(name):])
        return int(found[1]) if self.name.startswith(name) and found else None

    @functools.cached_property
    def results(self):
        """What it tells of hosts: dict of streams.HostResult by host."""
        return {result.host: result for result in self.test.hosts()}

    def methods(self):
        """List the full names that its method may have in the source."""
        return [self.name, *(self.name[:found.start()]
                             for found in _CASE.finditer(self.name))]

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
        """Figures: dict of documents by host and ID."""
        return {(document['host'], document['id']): document
                for _, document in self.kept(facts.MEASUREMENT)}

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

    def of(self, name):
        """List the cases of a test.

        :param name: the full name of a method
        :returns: list of :class:`Entry`
        """
        return self._by_method.get(name, [])

    @functools.cached_property
    def _by_method(self):
        found = {}
        for entry in self.entries:
            for name in entry.methods():
                found.setdefault(name, []).append(entry)
        return found

    def of_class(self, name):
        """Find what became of a class as a whole, if it did not run.

        :param name: its full name
        :returns: an :class:`Entry`, or None
        """
        return next((entry for entry in self.entries
                     if entry.record.name == 'setUpClass (%s)' % name), None)


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
    return Run([Entry(record, _test(record)) for record in stream.read(data)])


def _test(record):
    reasons = record.texts('reason')
    return streams.Test(record.name, streams.STATUSES[record.status],
                        [_document(record, detail)
                         for detail in record.details
                         if stream.DOCUMENT.match(detail.name)],
                        reasons[0] if reasons else '')


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
