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

"""Bundles: everything that follows from a stream, a profile and a product."""

import json

import junitparser

from mempage_certificate import archive
from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import masking
from mempage_certificate.pages import report
from mempage_certificate import results
from mempage_certificate import runs
from mempage_certificate import signatures
from mempage_certificate import stream
from mempage_certificate import verdict
from mempage_tempest_plugin.evidence import streams


def make(data, profile, product, key=None, hidden=()):
    """Make a bundle of results.

    :param data: the bytes of a stream, as it was recorded
    :param profile: the profiles.Profile
    :param product: the bytes of PRODUCT.yaml
    :param key: path of a key of ssh to sign it with
    :param hidden: list of names that must not be told, beside those of hosts
    :returns: tuple of the bundle's files, a dict of bytes by name, and of
        what hosts are called in it, a dict by their names
    :raises CertificateError: if a document is not what it should be, or the
        product tells what must not be told
    """
    masked, hosts = masking.mask(data, hidden)
    told = documents.from_yaml(archive.PRODUCT, product, 'product')
    refuse_secrets(product, hosts, hidden)
    contents = {archive.PRODUCT: product, archive.PROFILE: profile.data,
                archive.CATALOGUE: profile.catalogue_data,
                archive.STREAM: masked}
    contents.update(derive(runs.read(masked), profile, told, contents))
    contents[archive.MANIFEST] = signatures.manifest(contents)
    if key:
        contents[archive.SIGNATURE] = signatures.sign(
            contents[archive.MANIFEST], key)
    return contents, hosts


def refuse_secrets(product, hosts, hidden=()):
    """Refuse a product's description that tells what must not be told.

    :param product: the bytes of PRODUCT.yaml
    :param hosts: names of hosts
    :param hidden: list of other names
    :raises CertificateError: if it does
    """
    masker = masking.Masker(dict.fromkeys(hosts, ''), hidden)
    # What YAML writes in another way, people read all the same.
    told = documents.from_yaml(archive.PRODUCT, product, 'product')
    for line in [*product.decode().splitlines(), *_texts(told)]:
        if masker.label(line) != line:
            raise errors.CertificateError(
                '%s: tells the name of a host, an address or a secret: '
                '%.100r. It is published as it is: name a role and a page '
                'instead' % (archive.PRODUCT, line))


def _texts(value):
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    return [text for item in items for text in _texts(item)
            ] if isinstance(value, (dict, list)) else []


def derive(run, profile, product, inputs, told=None):
    """Make all files that follow from others.

    :param run: a runs.Run, of the masked stream
    :param profile: a profiles.Profile
    :param product: what PRODUCT.yaml says
    :param inputs: dict of bytes by name of those others
    :param told: what a bundle has for a result: the page shows that, if it
        is the same but for the versions of tools
    :returns: dict of bytes by name
    """
    found = verdict.judge(run, profile, product)
    result = results.make(run, profile, product, found, inputs)
    data = documents.dump(result)
    if told is None or results.difference(told, result):
        # As it is read again: keys are in the order of the file.
        told = documents.parse(archive.RESULT, data)
    return {archive.RESULT: data,
            archive.REPORT: report.html(run, profile, product, told).encode(),
            archive.ENVIRONMENT: documents.dump(run.environments),
            archive.JUNIT: _junit(run),
            archive.FAILURES: _failures(run),
            **_samples(run)}


def _samples(run):
    """List all samples, one a line, in a file for each host."""
    lines = {}
    for (host, identity), document in sorted(run.measurements.items()):
        lines.setdefault(archive.SAMPLES % host, []).extend(
            json.dumps({'id': identity, 'unit': document['unit'], **sample})
            for sample in document['samples'])
    return {name: ('\n'.join(found) + '\n').encode()
            for name, found in lines.items()}


def _failures(run):
    """Say of each test that failed what it has kept, for people."""
    parts = []
    for entry in run.entries:
        texts = entry.record.texts('traceback')
        if texts:
            parts += ['=' * 79, entry.record.name, '=' * 79, *texts, '']
    return '\n'.join(parts).encode()


def _junit(run):
    suite = junitparser.TestSuite('mempage-certify')
    # Counts all of them each time that it is called.
    suite.add_testcases([_case(entry) for entry in run.entries])
    xml = junitparser.JUnitXml()
    xml.add_testsuite(suite)
    return xml.tostring() + b'\n'


def _case(entry):
    record = entry.record
    name = record.name.removeprefix('mempage_tempest_plugin.tests.')
    case = junitparser.TestCase(
        name.removeprefix(streams.class_of(name) + '.'),
        streams.class_of(name))
    if record.started and record.ended:
        case.time = (record.ended - record.started).total_seconds()
    if record.status == stream.HUNG:
        case.result = [junitparser.Error('never ended')]
    elif entry.test.status == streams.FAILED:
        case.result = [junitparser.Failure(_last_line(record))]
    elif entry.test.status == streams.SKIPPED:
        case.result = [junitparser.Skipped(_plain(entry.test.reason))]
    return case


def _last_line(record):
    lines = '\n'.join(record.texts('traceback')).strip().splitlines()
    return _plain(lines[-1] if lines else 'failed')


def _plain(text):
    # XML has no way to write most control characters.
    return ''.join(letter if letter.isprintable() else ' '
                   for letter in text)[:1000]
