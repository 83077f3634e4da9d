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

"""Bundles: a tar.gz of a few files, the same bytes for the same files."""

import gzip
import io
import re
import tarfile
import zlib

from mempage_certificate import errors

PRODUCT = 'PRODUCT.yaml'
PROFILE = 'profile.yaml'
CATALOGUE = 'catalogue.yaml'
STREAM = 'results.subunit'
RESULT = 'result.json'
JUNIT = 'junit.xml'
ENVIRONMENT = 'environment.json'
FAILURES = 'logs/failures.txt'
REPORT = 'report.html'
SAMPLES = 'raw/%s.jsonl'
MANIFEST = 'MANIFEST.sha256'
SIGNATURE = 'MANIFEST.sha256.sig'

#: What every bundle has.
REQUIRED = (PRODUCT, PROFILE, CATALOGUE, STREAM, RESULT, JUNIT, ENVIRONMENT,
            FAILURES, REPORT, MANIFEST)
#: No bundle is larger, in bytes, packed and unpacked.
PACKED = 64 * 1024 * 1024
UNPACKED = 256 * 1024 * 1024

_SAMPLES = re.compile(r'raw/host-\d{1,6}\.jsonl$', re.ASCII)
_BEGIN = b'\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff'


def pack(contents):
    """Make a bundle.

    :param contents: dict of bytes by name
    :returns: the bytes of the bundle
    """
    packed = io.BytesIO()
    with gzip.GzipFile(filename='', mode='wb', fileobj=packed, mtime=0,
                       compresslevel=9) as target:
        target.write(_tar(contents))
    return packed.getvalue()


def _tar(contents):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode='w',
                      format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(contents):
            member = tarfile.TarInfo(name)
            member.size = len(contents[name])
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(contents[name]))
    return plain.getvalue()


def unpack(path):
    """Read a bundle, which may be anybody's; nothing is written.

    :param path: of the file
    :returns: dict of bytes by name
    :raises BundleError: if it is none, or larger than bundles are
    """
    plain = _unzip(path, _read(path))
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode='r:',
                          errorlevel=2) as archive:
            for member in archive:
                _check(path, member, contents)
                contents[member.name] = archive.extractfile(member).read()
    except (tarfile.TarError, ValueError, EOFError, OSError,
            RecursionError, OverflowError) as error:
        raise errors.BundleError(path, 'is no tar archive: %s' % error
                                 ) from error
    # What has the same files and other bytes hides something.
    if _tar(contents) != plain:
        raise errors.BundleError(
            path, 'has more in it than its files: headers or data that no '
                  'bundle has')
    return contents


def _read(path):
    try:
        with open(path, 'rb') as stream:
            data = stream.read(PACKED + 1)
    except OSError as error:
        raise errors.BundleError(path, 'cannot be read: %s' % error.strerror
                                 ) from error
    if len(data) > PACKED:
        raise errors.BundleError(path, 'is larger than %d MiB' % (
            PACKED // 1024 ** 2))
    return data


def _unzip(path, data):
    if data[:len(_BEGIN)] != _BEGIN:
        raise errors.BundleError(
            path, 'does not begin as a bundle: it is not gzip, or not as it '
                  'was made')
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, UNPACKED)
        # What is left is the end of the format at most.
        rest = unpacker.decompress(unpacker.unconsumed_tail, 1)
    except zlib.error as error:
        raise errors.BundleError(path, 'is damaged: %s' % error) from error
    if rest:
        raise errors.BundleError(path, 'is larger than %d MiB unpacked' % (
            UNPACKED // 1024 ** 2))
    if not unpacker.eof:
        raise errors.BundleError(path, 'is cut off')
    if unpacker.unused_data:
        raise errors.BundleError(path, 'goes on after its end')
    return plain


def _check(path, member, contents):
    name = member.name
    if not (name in (*REQUIRED, SIGNATURE) or _SAMPLES.match(name)):
        raise errors.BundleError(
            path, 'has a file that no bundle has: %.100r' % name)
    if member.type != tarfile.REGTYPE or member.sparse is not None:
        raise errors.BundleError(path, '%s is no plain file' % name)
    if name in contents:
        raise errors.BundleError(path, 'has %s twice' % name)
