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

"""Streams of results as a bundle has them: one way to write each."""

import collections
import dataclasses
import datetime
import io
import re

import subunit
from testtools import content_type

from mempage_certificate import errors
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import streams

#: What a bundle keeps of a test: its name in the stream, and its type.
JSON = 'application/json'
TEXT = 'text/plain;charset=utf8'
HUNG = 'inprogress'
DOCUMENT = re.compile(r'(%s)(-\d+)?$' % '|'.join(facts.KINDS))
# A packet may have 4 MiB.
_PART = 1024 * 1024
_NEVER = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


@dataclasses.dataclass(frozen=True)
class Detail:
    """What a test has kept.

    :ivar name: in the stream
    :ivar mime_type: JSON or TEXT
    :ivar data: its bytes
    """

    name: str
    mime_type: str
    data: bytes


@dataclasses.dataclass(frozen=True)
class Record:
    """All that a stream has of one test.

    :ivar name: its full name
    :ivar status: subunit's word
    :ivar started: when, an aware datetime, or None
    :ivar ended: until when; None if it never ended
    :ivar worker: the tags of the process that ran it, such as worker-0, and
        of its lane; separated by a blank
    :ivar details: list of :class:`Detail`
    """

    name: str
    status: str
    started: datetime.datetime | None
    ended: datetime.datetime | None
    worker: str
    details: list

    def texts(self, *names):
        """Return texts that it has kept.

        :param names: of details, without their numbers
        :returns: list of strings
        """
        return [detail.data.decode(errors='replace')
                for detail in self.details
                if detail.mime_type == TEXT
                and re.sub(r'-\d+$', '', detail.name) in names]


def read(data):
    """Read a stream.

    :param data: its bytes
    :returns: list of :class:`Record`, in the order in which the tests ended;
        those that did not are last
    :raises CertificateError: if it is none
    """
    try:
        tests = streams.collect(io.BytesIO(data))
    except Exception as error:
        # The parser trusts what it reads, and fails in many ways.
        raise errors.CertificateError(
            'results: are not in the subunit format: %s: %s' % (
                type(error).__name__, error)) from error
    records = [_record(test) for test in tests if streams.has_ended(test)]
    if all(record.name == streams.UNREADABLE for record in records):
        raise errors.CertificateError(
            'results: have no tests in the subunit format, version 2')
    return in_order(records)


def in_order(records):
    """Bring records in the order that a stream has them in.

    :param records: list of :class:`Record`
    :returns: a list with those last that never ended, by their names
    """
    hung = [record for record in records if record.status == HUNG]
    return [record for record in records if record.status != HUNG] + sorted(
        hung, key=lambda record: (
            record.name, record.worker, record.started or _NEVER))


def _record(test):
    started, ended = test['timestamps']
    if test['status'] == HUNG:
        ended = None
    workers = sorted(tag for tag in test['tags']
                     if re.fullmatch(r'(lane|worker)-\d{1,6}', tag))
    return Record(test['id'], test['status'], started, ended,
                  ' '.join(workers), [
                      Detail(name, _type(detail.content_type),
                             b''.join(detail.iter_bytes()))
                      for name, detail in test['details'].items()])


def _type(kind):
    if kind == content_type.JSON:
        return JSON
    return TEXT if kind.type == 'text' else repr(kind)


def write(records):
    """Write a stream.

    :param records: list of :class:`Record`
    :returns: its bytes: the same for the same records
    """
    target = io.BytesIO()
    result = subunit.StreamResultToBytes(target)
    hung = collections.Counter()
    for record in records:
        _write(result, record, str(hung[record.name] or '') or None)
        hung[record.name] += record.status == HUNG
    return target.getvalue()


def _write(result, record, route):
    """Write a record.

    :param route: tells it from those of the same name that never ended, which
        readers of the stream wait for
    """
    result.status(record.name, HUNG, timestamp=record.started,
                  route_code=route)
    for detail in record.details:
        for begin in range(0, len(detail.data) or 1, _PART):
            result.status(
                record.name, file_name=detail.name, route_code=route,
                file_bytes=detail.data[begin:begin + _PART],
                eof=begin + _PART >= len(detail.data),
                mime_type=detail.mime_type, timestamp=record.started)
    # A list: a set has its own order in every process.
    tags = record.worker.split()
    if record.status != HUNG:
        result.status(record.name, record.status, test_tags=tags,
                      timestamp=record.ended, route_code=route)
    elif tags:
        result.status(record.name, HUNG, test_tags=tags,
                      timestamp=record.started, route_code=route)
