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

"""Keep out of a bundle whatever is nobody else's business.

Nobody can list all names that must not leave a cloud. So it is the other way
round: of a text, those words stay that the suite itself has in its sources,
and numbers. All others are replaced, and so are addresses. Hosts and UUIDs
have numbers instead, which tell them apart and nothing else.
"""

import functools
import ipaddress
import json
import os
import re

import mempage_certificate
from mempage_certificate import errors
from mempage_certificate import stream
import mempage_tempest_plugin
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import kept
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.hosts import redact

ADDRESS = 'address'
HIDDEN = 'hidden'
#: A text has no more characters in a bundle.
CHARACTERS = 64 * 1024

_SUITE = 'mempage_tempest_plugin.tests.'
#: The names that tests have in a masked stream.
TEST = re.compile(r'((setUp|tearDown)Class \()?mempage_tempest_plugin'
                  r'\.tests\.[\w.]{1,300}(\)|\[[\w,-]{1,300}\])?\Z', re.ASCII)
_STATUSES = ('success', 'fail', 'skip', 'xfail', 'uxsuccess', stream.HUNG)
_NUMBER = re.compile(r'\d{1,20}$')
# No other word with a number: hosts are called so.
_NUMBERED = re.compile(
    r'(?:\d{1,20}(?:[kmgt]?i?b|[kmgx]|[num]?s)|node\d{1,4})$',
    re.IGNORECASE | re.ASCII)
_UUID = r'[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}'
# Of InfiniBand they are longer, and so are fingerprints of keys.
_MAC = r'(?:[0-9a-fA-F]{2}[:-]){5,31}[0-9a-fA-F]{2}'
# What begins elsewhere is a part of what was looked at: else it takes minutes.
_EMAIL = r'(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+'
_IPV4 = r'\d{1,3}(?:\.\d{1,3}){3}'
# Nova's and others' names for guests and hosts that have only an address.
_NAMED = r'(?<=[a-z][-_])\d{1,3}(?:[-_]\d{1,3}){3}'
# With what may follow, a port or the colon before an error.
_IPV6 = r'(?:[0-9a-fA-F]{0,4}:){2,8}(?:%s|[0-9a-fA-F]{0,5})' % _IPV4
_REVERSE = r'(?:[0-9a-f]\.){4,32}(?=ip6\.arpa)'
# Logs have marks in other words; a name begins after them, too.
_MARK = r'(?:[01][0-9a-f]|7f)'
_ESCAPE = r'(?:\\[abfnrtv0]|(?:%%|\\x|\\u00)%s)' % _MARK
_COLOUR = re.compile(
    r'(?:\x1b|(?<!\\)\\+(?:x1b|u001b|033|e))\[[0-9;]{0,20}[a-z]',
    re.IGNORECASE)
# What URLs, JSON, systemd, mount tables and XML have in place of a letter.
_ESCAPED = re.compile(
    r'(?:%|(?<!\\)\\+(?:x|u00))([2-7][0-9a-f])|&#x0{0,4}([2-7][0-9a-f]);'
    r'|(?<!\\)\\+([01][0-7]{2})|&#0{0,4}(\d{2,3});', re.IGNORECASE)
# The numbers that its groups are.
_BASES = (16, 16, 8, 10)
# How often a text may have been escaped.
_TIMES = 3


class Masker:
    """Makes texts and documents of a run fit for a bundle."""

    def __init__(self, hosts, hidden=()):
        """Know what must not be told.

        :param hosts: dict of what to call hosts, by their names
        :param hidden: list of other names
        """
        self.hosts = hosts
        self._uuids = {}
        self._texts = {}
        names = {name.lower(): HIDDEN for name in hidden}
        for name, label in hosts.items():
            names.setdefault(name.partition('.')[0].lower(), label)
        names.update((name.lower(), label) for name, label in hosts.items())
        self._names = names
        # Other programs have an underscore in place of a hyphen; D-Bus has
        # the number of it, too.
        host = '|'.join(
            re.escape(name).replace(r'\-', '(?:-|_2d|_)') for name in
            sorted(names, key=len, reverse=True)) or r'(?!)'
        parts = (r'(?P<host>(?:%s))(?:\.[a-z][\w-]*)*(?![a-z0-9])' % host,
                 r'(?P<uuid>%s)(?![0-9a-z])' % _UUID,
                 r'(?P<email>%s)' % _EMAIL,
                 r'(?P<mac>%s)(?![0-9a-z])' % _MAC,
                 r'(?P<reverse>%s)' % _REVERSE,
                 r'(?P<ipv6>%s)(?![0-9a-z])' % _IPV6,
                 r'(?P<named>%s)(?![a-z-]*\d)' % _NAMED,
                 r'(?P<ipv4>%s)(?![a-z.]*\d)' % _IPV4)
        flags = re.IGNORECASE
        special = r'(?:(?<![a-z0-9])|(?P<escape>%s))(?:%s)' % (
            _ESCAPE, '|'.join(parts))
        self._special = re.compile(special, flags)
        # A name may begin after an underscore, too.
        self._any = re.compile(special + r'|(?P<word>[^\W_]+)', flags)

    def text(self, text):
        """Mask a text for people.

        :param text: any text
        :returns: one of known words, numbers and marks
        """
        # All hosts tell much the same.
        if text not in self._texts:
            self._texts[text] = self._any.sub(self._replace, _plain(
                text if len(text) <= CHARACTERS else '%s... (%d characters)'
                % (text[:CHARACTERS], len(text))))
        return self._texts[text]

    def label(self, text):
        """Mask what a device or a program calls itself.

        :param text: a name or a version
        :returns: the same without names of hosts, addresses and secrets
        """
        plain = _plain(text)
        masked = self._special.sub(self._replace, plain)
        # What has nothing of it is told as it was written.
        return masked if masked != plain or redact.MASK in plain else text

    def host(self, name):
        """Tell what to call a host.

        :param name: its name, or None
        """
        return None if name is None else self.hosts[name]

    def uuid(self, text):
        """Tell what to call what has a UUID.

        :param text: the UUID, or None
        """
        if text is None:
            return None
        key = text.replace('-', '').lower()
        return self._uuids.setdefault(key, 'uuid-%d' % (len(self._uuids) + 1))

    def value(self, value):
        """Mask plain data.

        :param value: what a JSON document says
        """
        if isinstance(value, dict):
            # Several keys may be masked alike: what is equal stays equal.
            return {self.text(key): self.value(value[key])
                    for key in sorted(value)}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def _replace(self, found):
        kind = found.lastgroup
        return (found['escape'] or '') + self._masked(kind, found[kind])

    def _masked(self, kind, text):
        if kind == 'host':
            # Letters of other alphabets can stand for those of ASCII there.
            name = text.lower()
            return self._names.get(name) or self._names.get(
                re.sub('_(2d)?', '-', name), redact.MASK)
        if kind == 'uuid':
            return self.uuid(text)
        if kind == 'word':
            return _word(text)
        if kind in ('ipv4', 'ipv6'):
            return _address(text)
        return ADDRESS


def _address(text):
    """Mask an address, with what may stand after it and a colon."""
    for end in (len(text), *(found.start() for found in reversed(
            list(re.finditer(':', text))))):
        if _is_address(text[:end]):
            return ADDRESS + _words(text[end:])
    return _words(text)


def _words(text):
    return re.sub(r'[^\W_]+', lambda found: _word(found[0]), text)


def _plain(text):
    """Write out what was escaped, without colours and secrets.

    Whoever can read it has to find nothing.
    """
    masked = redact.mask(text)
    plain = _COLOUR.sub('', masked)
    for _ in range(_TIMES):
        plain = _ESCAPED.sub(_letter, plain)
    return masked if plain == masked else redact.mask(plain)


def _letter(found):
    code = int(found[found.lastindex], _BASES[found.lastindex - 1])
    return chr(code) if 32 <= code < 127 else found[0]


def _word(word):
    known = (not word or _NUMBER.match(word) or _NUMBERED.match(word)
             or word.lower() in vocabulary())
    return word if known else redact.MASK


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    # Times look alike, but have no more than two colons.
    return '.' in text or text.count(':') > 2 or '::' in text and text != '::'


@functools.cache
def vocabulary():
    """List the words that the suite has in its sources.

    :returns: set of words in small letters
    """
    words = set()
    for package in (mempage_tempest_plugin, mempage_certificate):
        for directory, _, files in os.walk(os.path.dirname(package.__file__)):
            for name in files:
                if name.endswith(('.py', '.yaml', '.sh', '.txt')):
                    path = os.path.join(directory, name)
                    with open(path, encoding='utf-8') as source:
                        words.update(re.findall('[a-z0-9]+',
                                                source.read().lower()))
    return frozenset(words)


def mask(data, hidden=()):
    """Make a stream of results fit for a bundle.

    What stays of a test is its name, what became of it, its times, and its
    documents; if it was skipped the reason; if it failed the traceback. Tests
    of others go, and so does what was logged and attached: nobody knows what
    is in it.

    :param data: bytes of a stream
    :param hidden: list of more names that must not be told
    :returns: tuple of the bytes of another one, and of the names of hosts, a
        dict of what they are called in it
    :raises CertificateError: if it cannot be read, or has documents that are
        none
    """
    masked, hosts = Growing(hidden).add(stream.read(data))
    return stream.write(stream.in_order(masked)), hosts


class Growing:
    """Records of a run that goes on, each of which is masked once.

    :param hidden: list of names that must not be told, beside those of hosts
    """

    def __init__(self, hidden=()):
        self._hidden = hidden
        self._read = []
        self._masked = []
        self._masker = Masker({})

    def add(self, records):
        """Mask more records.

        :param records: list of stream.Record
        :returns: tuple of all masked ones so far, a list of stream.Record in
            the order in which they came, and of the names of hosts, a dict of
            what they are called in it
        :raises CertificateError: as :func:`mask`
        """
        self._read += [
            (record, [_document(record, detail) for detail in record.details])
            for record in records
            if record.status in _STATUSES and _is_of_suite(record.name)]
        hosts = _labels([documents for _, documents in self._read])
        if hosts != self._masker.hosts:
            # With a host more, others are called otherwise.
            self._masked = []
        if not self._masked:
            self._masker = Masker(hosts, self._hidden)
        self._masked += [_masked(self._masker, *both)
                         for both in self._read[len(self._masked):]]
        return list(self._masked), hosts


def _is_of_suite(name):
    if name == streams.UNREADABLE or TEST.match(name):
        return True
    if _SUITE in name.partition('[')[0]:
        raise errors.CertificateError(
            'results: a test of the suite has a name that none has: %.200r'
            % name)
    return False


def _document(record, detail):
    """Read a document, or tell None of what is none."""
    if not (stream.DOCUMENT.match(detail.name)
            and detail.mime_type == stream.JSON):
        return None
    try:
        document = json.loads(detail.data)
        problem = (kept.invalid(document, document['kind'])
                   if document['kind'] in facts.KINDS else 'its kind')
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        problem = str(error)
    if problem:
        raise errors.CertificateError(
            'results: %s kept a document that is none: %.300s' % (
                record.name, problem))
    return document


def _labels(documents):
    names = {document['host'] for found in documents for document in found
             if document} - {None}
    return {name: 'host-%d' % number for number, name in enumerate(
        sorted(names, key=_natural), 1)}


def _natural(name):
    return [(int(part), '') if part.isdigit() else (-1, part)
            for part in re.split(r'(\d+)', name)]


def _masked(masker, record, documents):
    details = []
    numbers = {}
    for detail, document in zip(record.details, documents):
        found = (_of_document(masker, document) if document
                 else _of_text(masker, record, detail))
        if found:
            name, mime_type, data = found
            number = numbers[name] = numbers.get(name, -1) + 1
            details.append(stream.Detail(
                '%s-%d' % (name, number) if number else name, mime_type,
                data))
    return stream.Record(record.name, record.status, record.started,
                         record.ended, record.worker, details)


def _of_document(masker, document):
    masked = _HOW[document['kind']](masker, document)
    # Others have room for any text, and so has the name of a host.
    problem = (masked['kind'] in (facts.MEASUREMENT, facts.ENVIRONMENT)
               and dict(masked, host=document['host']) != document
               and kept.invalid(masked, masked['kind']))
    if problem:
        raise errors.CertificateError(
            'results: what must not be told is in a place where it cannot be '
            'masked: %s of %s: %s' % (masked['kind'], masked['host'], problem))
    text = json.dumps(masked, separators=(',', ':'), allow_nan=False)
    return document['kind'], stream.JSON, text.encode()


def _of_text(masker, record, detail):
    if detail.mime_type != stream.TEXT or record.name == streams.UNREADABLE:
        return None
    name = {'skip': 'reason', 'fail': 'traceback', 'uxsuccess': 'traceback',
            stream.HUNG: 'traceback'}.get(record.status, '')
    if not name or not re.match(r'%s(-\d+)?$' % name, detail.name):
        return None
    text = detail.data.decode(errors='replace')
    return (name, stream.TEXT, masker.text(text).encode()) if text else None


def _facts(masker, document):
    return dict(
        document, subject=masker.text(document['subject']),
        host=masker.host(document['host']),
        server=masker.uuid(document['server']),
        facts=[dict(fact, witness=masker.text(fact['witness']),
                    name=masker.text(fact['name']),
                    expected=masker.value(fact['expected']),
                    observed=masker.value(fact['observed']))
               for fact in document['facts']])


def _outcome(masker, document):
    error = document['error']
    return dict(document, host=masker.host(document['host']),
                error=None if error is None else masker.text(error))


def _left_out(masker, document):
    return dict(document, host=masker.host(document['host']),
                reason=masker.text(document['reason']))


def _labelled(masker, document):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return masker.label(value) if isinstance(value, str) else value

    # All else is numbers and words of the schema; a hash and the run's UUID
    # have to stay as they are.
    masked = dict(document, host=masker.host(document['host']))
    for key in ('versions', 'cpu', 'tool', 'limit'):
        if key in masked:
            masked[key] = plain(masked[key])
    if masked.get('store'):
        masked['store'] = dict(plain(masked['store']), devices=[
            dict(plain(device), serial_hash=device['serial_hash'])
            for device in masked['store']['devices']])
    return masked


_HOW = {facts.FACTS: _facts, facts.OUTCOME: _outcome,
        facts.LEFT_OUT: _left_out, facts.MEASUREMENT: _labelled,
        facts.ENVIRONMENT: _labelled}
