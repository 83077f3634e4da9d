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

"""The directory of a run: what it is, and what has come of it so far.

Each process that runs tests writes a part of the stream. A run that is killed
leaves all parts, and goes on from there.
"""

import dataclasses
import fcntl
import io
import itertools
import json
import pathlib
import re

from oslo_utils import uuidutils
import subunit
import testtools

from mempage_certificate import archive
from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import profiles
from mempage_certificate import stream
from mempage_tempest_plugin.cmd import new_directory
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import streams

#: What the run is, and its stream.
RUN = 'run.json'
RESULTS = 'results.subunit'

_PART = re.compile(r'(\d+)-[a-z-]+\.subunit$')
# What is judged of a test: documents, and the texts that bundles have.
_KEPT = re.compile(r'(%s|reason|traceback)(-\d+)?$' % '|'.join(facts.KINDS))


class Directory:
    """The directory of a run.

    :ivar path: its pathlib.Path
    :ivar id: UUID of the run
    :ivar profile: the profiles.Profile
    :ivar product: the bytes of PRODUCT.yaml
    :ivar hosts: names of the hosts, in the order of their lanes
    :ivar info: whether what no verdict depends on runs, too
    """

    def __init__(self, path, told, profile, product):
        self.path = path
        self.id = told['id']
        self.hosts = told['hosts']
        self.info = told['info']
        self.profile = profile
        self.product = product
        self._lock = open(path / RUN, 'rb')
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise errors.CertificateError(
                'run %s: another process goes on with it' % path) from error

    def close(self):
        """Let others go on with it."""
        self._lock.close()

    def lane(self, host):
        """Return the lane of a host.

        :param host: its name
        :returns: a :class:`Lane`
        """
        number = self.hosts.index(host) + 1
        path = self.path / ('lane-%d' % number)
        path.mkdir(exist_ok=True)
        return Lane(path)

    def wait(self, say):
        """Wait for what an earlier process has left running.

        :param say: function of a text, which is told what is waited for
        """
        for part in self.path.glob('lane-*/*.subunit'):
            with open(part, 'rb') as source:
                try:
                    fcntl.flock(source, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    say('waiting for the end of what the run has left: %s'
                        % part)
                    fcntl.flock(source, fcntl.LOCK_SH)

    def join(self):
        """Join all parts.

        :returns: the bytes of the stream of the run
        """
        data = b''.join(self.lane(host).join() for host in self.hosts)
        (self.path / RESULTS).write_bytes(data)
        return data


class Lane:
    """What a run has of one host.

    :ivar path: pathlib.Path of a directory
    """

    def __init__(self, path):
        self.path = path
        self._known = {}

    def _parts(self):
        return sorted((part for part in self.path.iterdir()
                       if _PART.match(part.name)), key=_number)

    def new(self, name):
        """Name the next part.

        :param name: what it is of
        :returns: its pathlib.Path
        """
        last = max(map(_number, self._parts()), default=0)
        return self.path / ('%03d-%s.subunit' % (last + 1, name))

    def join(self):
        """Join its parts.

        :returns: bytes of a stream, in which all have the tag of the lane
        """
        target = io.BytesIO()
        for number, part in enumerate(self._parts(), 1):
            _copy(part, target, self.path.name, str(number))
        return target.getvalue()

    def parts(self):
        """Read what has come of tests so far, each part once.

        :returns: list of lists of stream.Record, one for each part, without
            what tests have logged and attached
        """
        parts = self._parts()
        for number, part in enumerate(parts, 1):
            # Who wrote it has ended: nothing follows in it.
            if part not in self._known:
                self._known[part] = self._read(part, str(number))
        return [self._known[part] for part in parts]

    def records(self):
        """List what has come of tests so far, as :meth:`parts` reads it.

        :returns: list of stream.Record
        """
        return stream.in_order(list(itertools.chain(*self.parts())))

    def _read(self, part, number):
        target = io.BytesIO()
        _copy(part, target, self.path.name, number)
        try:
            records = stream.read(target.getvalue())
        except errors.CertificateError:
            # No test of it has begun.
            return []
        # Logs of a fleet would fill the memory.
        return [dataclasses.replace(record, details=[
            detail for detail in record.details if _KEPT.match(detail.name)])
            for record in records]


def _number(part):
    return int(_PART.match(part.name)[1])


class _Parted(testtools.CopyStreamResult):
    """Tells tests of a part from those of other parts that never ended.

    Where a part ends in the middle of a packet, whoever wrote it was killed,
    and the test that it is of has not ended.
    """

    def __init__(self, target, part):
        super().__init__([target])
        self._part = part
        self._unreadable = []

    def status(self, test_id=None, **kwargs):
        """Pass on what the stream tells."""
        kwargs.update(test_id=test_id, route_code=self._part)
        if test_id == streams.UNREADABLE:
            self._unreadable.append(kwargs)
            return
        for held in self._unreadable:
            super().status(**held)
        self._unreadable = []
        super().status(**kwargs)


def _copy(part, target, tag, number):
    with open(part, 'rb') as source:
        tagged = testtools.StreamTagger(
            [subunit.StreamResultToBytes(target)], add=[tag])
        subunit.ByteStreamToStreamResult(
            source, non_subunit_name='output').run(_Parted(tagged, number))


def make(path, profile, product, hosts, info):
    """Make the directory of a new run.

    :param path: its pathlib.Path
    :param profile: the profiles.Profile
    :param product: the bytes of PRODUCT.yaml
    :param hosts: names of the hosts
    :param info: whether to run what no verdict depends on, too
    :returns: a :class:`Directory`
    :raises CertificateError: if nothing can be written there
    :raises RunError: as new_directory.make
    """
    told = {'id': uuidutils.generate_uuid(), 'profile': profile.name,
            'sha256': _sums(profile, product), 'hosts': hosts, 'info': info}
    path = new_directory.make(
        path, ', or go on with what is there by --resume')
    try:
        (path / archive.PRODUCT).write_bytes(product)
        # Nobody is to find half of it.
        part = path / (RUN + '.part')
        part.write_text(json.dumps(told, indent=2) + '\n')
        part.replace(path / RUN)
    except OSError as error:
        raise errors.CertificateError('run %s: %s' % (
            path, error.strerror)) from error
    return Directory(path, told, profile, product)


def _sums(profile, product):
    return {archive.PROFILE: profiles.sha256(profile.data),
            archive.CATALOGUE: profiles.sha256(profile.catalogue_data),
            archive.PRODUCT: profiles.sha256(product)}


def find(path, profile=None, product=None, hosts=None):
    """Find a run that was begun.

    :param path: pathlib.Path of its directory
    :param profile: name of the profile that it has to have; any if not given
    :param product: the bytes of PRODUCT.yaml that it has to have
    :param hosts: names of the hosts that it has to have
    :returns: a :class:`Directory`
    :raises CertificateError: if there is none, or it is another run
    """
    path = pathlib.Path(path)
    try:
        told = documents.from_json(
            path / RUN, (path / RUN).read_bytes(), 'run')
        sums, kept = told['sha256'], (path / archive.PRODUCT).read_bytes()
    except FileNotFoundError as error:
        raise errors.CertificateError(
            'run %s: %s: %s: no run has begun there; begin one by --profile, '
            '--product and --results' % (
                path, error.filename, error.strerror)) from error
    except OSError as error:
        raise errors.CertificateError('run %s: %s: %s' % (
            path, error.filename, error.strerror)) from error
    found = profiles.find(told['profile'])
    if profile and profiles.find(profile).name != found.name:
        raise errors.CertificateError(
            'run %s: was begun with profile %s, not with %s' % (
                path, found.name, profile))
    for name, digest in _sums(found, kept if product is None
                              else product).items():
        if digest != sums.get(name):
            raise errors.CertificateError(
                'run %s: %s is not the one that it was begun with: SHA-256 '
                'is %s, and was %s' % (path, name, digest, sums.get(name)))
    if hosts and hosts != told['hosts']:
        raise errors.CertificateError(
            'run %s: was begun with %s, not with %s' % (
                path, ', '.join(told['hosts']), ', '.join(hosts)))
    return Directory(path.resolve(), told, found, kept)
