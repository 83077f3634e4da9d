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

"""Bundles that somebody has changed, and made anew as well as they could."""

import dataclasses
import json
import subprocess

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import signatures
from mempage_certificate import stream
from mempage_certificate import verification


def make_key(directory, name):
    """Make a key of ssh without a passphrase.

    :returns: its path
    """
    path = '%s/%s' % (directory, name)
    subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name,
                    '-f', path], check=True)
    return path


def allow(directory, **keys):
    """Write a file of allowed signers.

    :param directory: where
    :param keys: paths of keys by whose they are
    :returns: its path
    """
    path = '%s/allowed' % directory
    with open(path, 'w') as target:
        for who, key in keys.items():
            with open(key + '.pub') as source:
                target.write('%s@example.com %s' % (who, source.read()))
    return path


class Forger:
    """Changes a bundle."""

    def __init__(self, contents):
        self.contents = dict(contents)

    def edit(self, name, change):
        """Change a file as text."""
        before = self.contents[name]
        self.contents[name] = change(before.decode()).encode()
        assert self.contents[name] != before, name

    def edit_result(self, change):
        """Change what result.json says."""
        result = json.loads(self.contents[archive.RESULT])
        change(result)
        self.contents[archive.RESULT] = documents.dump(result)

    def records(self, change):
        """Change the list of records of the stream."""
        records = stream.read(self.contents[archive.STREAM])
        change(records)
        self.contents[archive.STREAM] = stream.write(
            stream.in_order(records))

    def record(self, words, **changes):
        """Change one record."""
        def change(records):
            [number] = [number for number, record in enumerate(records)
                        if words in record.name]
            records[number] = dataclasses.replace(records[number], **{
                key: value(records[number]) if callable(value) else value
                for key, value in changes.items()})
        self.records(change)

    def document(self, words, kind, change):
        """Change a document of a record."""
        def details(record):
            found = []
            for detail in record.details:
                if detail.name == kind:
                    told = json.loads(detail.data)
                    change(told)
                    detail = dataclasses.replace(
                        detail, data=json.dumps(
                            told, separators=(',', ':')).encode())
                found.append(detail)
            return found
        self.record(words, details=details)

    def remake(self):
        """Reckon all that follows again, and the manifest; not a signature."""
        try:
            profile = profiles.of_files(self.contents[archive.PROFILE],
                                        self.contents[archive.CATALOGUE])
            run = runs.read(self.contents[archive.STREAM])
            told = documents.from_yaml('x', self.contents[archive.PRODUCT],
                                       'product')
            for name in [name for name in self.contents
                         if name.startswith('raw/')]:
                del self.contents[name]
            self.contents.update(bundles.derive(run, profile, told,
                                                self.contents))
        except errors.CertificateError:
            # The forger does as well as it goes.
            pass
        self.relist()

    def relist(self):
        """Make the manifest again."""
        self.contents[archive.MANIFEST] = signatures.manifest(self.contents)

    def verify(self, path, allowed=None):
        """Verify the bundle.

        :returns: tuple of whether somebody would believe it, and of all words
            that it was found with
        """
        with open(path, 'wb') as target:
            target.write(archive.pack(self.contents))
        return verify(path, allowed)


def verify(path, allowed=None):
    """Verify a bundle.

    :returns: as :meth:`Forger.verify`
    """
    try:
        report = verification.verify(path, allowed)
    except errors.BundleError as error:
        return False, str(error)
    said = list(report.problems)
    if report.result:
        said += report.result['verdict']['reasons']
    return not report.problems and report.result['verdict']['status'] in (
        'certified', 'passed'), '\n'.join(said)
