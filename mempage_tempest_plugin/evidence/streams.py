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

"""What a run has kept: the documents in its stream of results."""

import contextlib
import dataclasses
import datetime
import json
import re

import subunit
import testtools
from testtools import content_type

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import kept
from mempage_tempest_plugin import exceptions

PASSED = 'passed'
FAILED = 'failed'
SKIPPED = 'skipped'
#: On a host of a test that failed, and did not tell on which of its hosts.
UNKNOWN = 'unknown'
#: The name of a test that failed, and stands for parts of a stream that
#: cannot be read: its end, if the run was killed.
UNREADABLE = 'subunit.parser'
#: How the name begins of what a test has logged, where it is attached.
LOG = 'pythonlogging'

#: What subunit calls them.
STATUSES = {'success': PASSED, 'xfail': PASSED, 'skip': SKIPPED,
            'fail': FAILED, 'uxsuccess': FAILED, 'inprogress': FAILED}
# As addDetailUniqueName names the documents.
_NAME = re.compile(r'(%s)(-\d+)?$' % '|'.join(facts.KINDS))
_CLASS = re.compile(r'(setUp|tearDown)Class \((.*)\)$')
_WORKER = re.compile(r'worker-\d+$')


@dataclasses.dataclass(frozen=True)
class Test:
    """What a stream tells of one test.

    :ivar name: its full name
    :ivar status: one of the words above
    :ivar documents: what it kept, in that order, as facts_schema.yaml
        describes it
    :ivar reason: why it was skipped; empty if it was not
    :ivar began: when it began, a datetime.datetime; None if the stream does
        not tell
    :ivar ended: when it ended; None if the stream does not tell
    :ivar tags: the stream's tags of it, with the worker that ran it
    :ivar texts: what else is attached to it, as dict of texts by their names:
        ``traceback``, logs and the like; the test's own log, which is long,
        only if it failed
    """

    name: str
    status: str
    documents: list
    reason: str = ''
    began: datetime.datetime | None = None
    ended: datetime.datetime | None = None
    tags: frozenset = frozenset()
    texts: dict = dataclasses.field(default_factory=dict)

    @property
    def seconds(self):
        """How long it took; 0 if the stream does not tell."""
        return ((self.ended - self.began).total_seconds()
                if self.began and self.ended else 0)

    @property
    def worker(self):
        """The name of the worker that ran it; empty if none has a name."""
        return next(filter(_WORKER.match, sorted(self.tags)), '')

    @property
    def of_class(self):
        """The full name of its class, all of which it may stand for."""
        found = _CLASS.match(self.name)
        return found[2] if found else class_of(self.name)

    @property
    def is_whole_class(self):
        """Whether it is no test, but how its class was set up or ended."""
        return bool(_CLASS.match(self.name))

    def hosts(self):
        """List the hosts that it kept anything of.

        :returns: list of :class:`HostResult`
        """
        names = {document['host']: None for document in self.documents}
        alone = len(names.keys() - {None} - self.left_out.keys()) < 2
        return [self._host(name, alone) for name in names]

    @property
    def left_out(self):
        """Why it left out hosts: dict of reasons by their names."""
        return {document['host']: document['reason']
                for document in self.documents
                if document['kind'] == facts.LEFT_OUT}

    def _kept(self, kind, host):
        return [document for document in self.documents
                if document['kind'] == kind and document['host'] == host]

    def _blames(self):
        """Tell whether it failed on some of its hosts; else it did later."""
        return any(document['kind'] == facts.OUTCOME
                   and not document['passed'] for document in self.documents)

    def _host(self, name, alone):
        comparisons = self._kept(facts.FACTS, name)
        outcomes = self._kept(facts.OUTCOME, name)
        errors = [outcome['error'] for outcome in outcomes
                  if not outcome['passed']]
        left_out = self.left_out.get(name)
        if errors:
            status = FAILED
        elif left_out is not None:
            status = SKIPPED
        elif outcomes and (self.status != FAILED or self._blames()):
            status = PASSED
        elif alone or self.status != FAILED:
            status = self.status
        else:
            status = FAILED if any(map(disagrees, comparisons)) else UNKNOWN
        return HostResult(name, self.name, status,
                          errors[0] if errors else None, comparisons,
                          left_out or (self.reason if status == SKIPPED
                                       else ''))


@dataclasses.dataclass(frozen=True)
class HostResult:
    """What one test tells of one host.

    :ivar host: its name; None where guests were asked, and no host
    :ivar test: the full name of the test
    :ivar outcome: one of the words above
    :ivar error: why the test failed there, if it told
    :ivar comparisons: list of documents of comparisons
    :ivar reason: why the host was left out, or the test skipped; empty if
        neither was
    """

    host: str | None
    test: str
    outcome: str
    error: str | None
    comparisons: list
    reason: str = ''


def class_of(test):
    """Tell the full name of a test's class.

    :param test: the full name of the test
    """
    return test.partition('[')[0].rpartition('.')[0]


def disagrees(comparison):
    """Tell whether a fact of a comparison is not as expected.

    :param comparison: the document of a comparison
    """
    return not all(fact['agrees'] for fact in comparison['facts'])


def read(path):
    """Read what all tests of a run have kept.

    :param path: a file in the subunit format, version 2, which is not that
        of stestr's own files; other text in it is left out
    :returns: list of :class:`Test`, in the order in which they ended
    :raises ResultsError: if it cannot be read, has no results, or some of a
        later version
    """
    try:
        with open(path, 'rb') as source:
            tests = collect(source)
    except OSError as error:
        raise exceptions.ResultsError(
            path, 'cannot be read: %s' % error.strerror) from error
    found = [_test(path, test) for test in tests if has_ended(test)]
    if all(test.name == UNREADABLE for test in found):
        raise exceptions.ResultsError(
            path, 'no test results in it as "stestr last --subunit" writes '
                  'them, in the subunit format, version 2')
    return found


def collect(source):
    """Read all that a stream has of each test.

    :param source: a file of bytes
    :returns: list of dicts, as testtools.StreamToDict makes them
    """
    tests = []
    collector = testtools.StreamToDict(tests.append)
    collector.startTestRun()
    subunit.ByteStreamToStreamResult(
        source, non_subunit_name='output').run(collector)
    collector.stopTestRun()
    return tests


def has_ended(test):
    """Tell whether a stream has what became of a test, if only that it began.

    :param test: one of what :func:`collect` returned
    """
    return test['status'] in STATUSES


def _test(path, test):
    status = STATUSES[test['status']]
    documents = []
    texts = {}
    for name, detail in test['details'].items():
        # A detail may come in several parts, at any byte of a character.
        data = b''.join(detail.iter_bytes())
        named = _NAME.match(name)
        if named and detail.content_type == content_type.JSON:
            documents.append(_document(path, test['id'], named[1], data))
        elif detail.content_type.type == 'text' and (
                status == FAILED or not name.startswith(LOG)):
            texts[name] = data.decode(errors='replace')
    began, ended = test['timestamps']
    reason = texts.pop('reason', '') if status == SKIPPED else ''
    return Test(test['id'], status, documents, reason, began, ended,
                frozenset(test['tags']), texts)


def _document(path, test, kind, data):
    with contextlib.suppress(ValueError, TypeError, KeyError,
                             RecursionError):
        document = json.loads(data)
        if document['version'] == facts.VERSION:
            return _valid(path, test, kind, document)
    raise exceptions.ResultsError(
        path, '%s kept what is no document of version %d: %.100r' % (
            test, facts.VERSION, data))


def _valid(path, test, kind, document):
    problem = kept.invalid(document, kind)
    if problem is None:
        return document
    raise exceptions.ResultsError(
        path, '%s kept what is no document of %s: %s' % (test, kind, problem))
