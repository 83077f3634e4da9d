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

import gzip
import io
import os
import tarfile
from unittest import mock

import ddt
import fixtures
from oslotest import base

from mempage_certificate import archive
from mempage_certificate import documents
from mempage_certificate import errors

CONTENTS = {'PRODUCT.yaml': b'a: 1\n', 'raw/host-1.jsonl': b'{}\n',
            'results.subunit': b'\xb3' * 1000}


def tar(*members, **options):
    """Make a bundle of members, whatever they are."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode='w', **options) as target:
        for name, changes in members:
            member = tarfile.TarInfo(name)
            data = changes.pop('data', b'')
            member.size = len(data)
            for key, value in changes.items():
                setattr(member, key, value)
            target.addfile(member, io.BytesIO(data))
    return gzipped(plain.getvalue())


def gzipped(data):
    packed = io.BytesIO()
    with gzip.GzipFile('', 'wb', fileobj=packed, mtime=0) as target:
        target.write(data)
    return packed.getvalue()


@ddt.ddt
class ArchiveTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.useFixture(fixtures.TempDir()).path,
                                 'bundle')

    def _unpack(self, data):
        with open(self.path, 'wb') as target:
            target.write(data)
        return archive.unpack(self.path)

    def assert_refused(self, data, words):
        error = self.assertRaises(errors.BundleError, self._unpack, data)
        self.assertIn(words, str(error))
        self.assertIn('bundle %s: ' % self.path, str(error))

    def test_what_was_packed(self):
        self.assertEqual(CONTENTS, self._unpack(archive.pack(CONTENTS)))

    def test_same_bytes(self):
        other = dict(reversed(CONTENTS.items()))
        self.assertEqual(archive.pack(CONTENTS), archive.pack(other))

    @ddt.data('../PRODUCT.yaml', '/etc/passwd', 'raw/../../x', 'evil.sh',
              'raw/host-1.jsonl/../x', 'PRODUCT.yaml\n',
              'raw/host-\u0661.jsonl')
    def test_file_that_no_bundle_has(self, name):
        self.assert_refused(tar((name, {})), 'has a file that no bundle has')

    @ddt.data(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE,
              tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.CONTTYPE)
    def test_no_plain_file(self, kind):
        self.assert_refused(
            tar(('PRODUCT.yaml', {'type': kind, 'linkname': '/etc/passwd'})),
            'PRODUCT.yaml is no plain file')

    def test_twice(self):
        self.assert_refused(tar(('PRODUCT.yaml', {}), ('PRODUCT.yaml', {})),
                            'has PRODUCT.yaml twice')

    @ddt.data({'mtime': 1}, {'uid': 7}, {'mode': 0o777}, {'uname': 'jroe'},
              {'pax_headers': {'comment': 'hidden'}})
    def test_more_than_files(self, changes):
        self.assert_refused(tar(('PRODUCT.yaml', changes)),
                            'has more in it than its files')

    def test_data_after_the_end(self):
        plain = gzip.decompress(archive.pack(CONTENTS))
        self.assert_refused(gzipped(plain + b'hidden'),
                            'has more in it than its files')
        self.assert_refused(archive.pack(CONTENTS) + b'hidden',
                            'goes on after its end')
        self.assert_refused(archive.pack(CONTENTS) * 2,
                            'goes on after its end')

    def test_bomb(self):
        self.assert_refused(gzipped(bytes(archive.UNPACKED + 1)),
                            'is larger than 256 MiB unpacked')

    def test_too_large(self):
        with mock.patch.object(archive, 'PACKED', 10):
            self.assert_refused(archive.pack(CONTENTS), 'is larger than 0 MiB')

    @ddt.unpack
    @ddt.data((b'', 'does not begin as a bundle'),
              (b'PK\x03\x04', 'does not begin as a bundle'),
              (archive.pack(CONTENTS)[:-9], 'is cut off'),
              (archive.pack(CONTENTS)[:40], 'is cut off'),
              (gzipped(b'x' * 1024), 'is no tar archive'),
              (gzipped(b''), 'is no tar archive'))
    def test_no_bundle(self, data, words):
        self.assert_refused(data, words)

    def test_damaged(self):
        data = bytearray(archive.pack(CONTENTS))
        data[-6] ^= 1
        self.assert_refused(bytes(data), 'is damaged')

    def test_file_that_is_longer_than_the_archive(self):
        plain = bytearray(gzip.decompress(archive.pack(
            {'PRODUCT.yaml': b'a'})))
        plain[124:136] = b'77777777777\0'
        self.assert_refused(gzipped(bytes(plain)), 'is no tar archive')

    def test_no_file(self):
        error = self.assertRaises(errors.BundleError, archive.unpack,
                                  '/nonexistent')
        self.assertEqual('bundle /nonexistent: cannot be read: No such file '
                         'or directory', str(error))


@ddt.ddt
class DocumentsTest(base.BaseTestCase):

    def assert_refused(self, read, data, words):
        error = self.assertRaises(errors.CertificateError, read, 'x', data,
                                  'product')
        self.assertIn(words, str(error))

    @ddt.unpack
    @ddt.data(
        (b'a: &a [1]\nb: *a\n', 'aliases are not allowed'),
        (b'a: 1\na: 2\n', "key 'a' is there twice"),
        (b'a: {<<: {b: 1}}', 'is not plain YAML'),
        (b'a: !!bool x', 'is not plain YAML'),
        (b'!!python/object/apply:os.system ["id"]', 'could not determine'),
        (b'[' * 100000, 'is not plain YAML'), (b'a: [', 'is not plain YAML'),
        (b'\xff\xfe', 'is not plain YAML'), (b'? [a]\n: 1', 'is not plain'),
        (b'a: 2026-99-99', 'is not plain YAML'), (b'a: .inf', 'not plain'),
        (b'a: "\\ud800"', 'is not plain YAML'),
        (b'#' * (documents.LIMIT + 1), 'x: is larger than 256 KiB'),
        (b'- 1', "is not of type 'object'"), (b'', "is not of type 'object'"),
        (b'vendor: [a]', '$'))
    def test_yaml(self, data, words):
        self.assert_refused(documents.from_yaml, data, words)

    @ddt.unpack
    @ddt.data(
        (b'{"a": NaN}', 'NaN is no number'), (b'{"a": 1e999}', 'not plain'),
        (b'{"a": "\\ud800"}', 'is not plain JSON: '),
        (b'{"a": -Infinity}', '-Infinity is no number'),
        (b'{"a": 1, "a": 2}', 'a key is there twice'),
        (b'[' * 100000, 'is not plain JSON'), (b'{', 'is not plain JSON'),
        (b'\xff', 'is not plain JSON'), (b'9' * 5000, 'is not plain JSON'),
        (b'[]', "is not of type 'object'"))
    def test_json(self, data, words):
        self.assert_refused(documents.from_json, data, words)
