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

"""Who vouches for a bundle: hashes of its files, and a signature of these."""

import contextlib
import os
import re
import subprocess
import tempfile

from mempage_certificate import archive
from mempage_certificate import errors
from mempage_certificate import profiles

#: What signatures of certificates are for, and nothing else.
NAMESPACE = 'mempage-cert'

_LINE = re.compile(r'([0-9a-f]{64})  ([\w./-]+)\n', re.ASCII)
_SIGNATURES = (archive.MANIFEST, archive.SIGNATURE)
_SECONDS = 60
_ARMOURED = re.compile(rb'-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+'
                       rb'-----END SSH SIGNATURE-----\n\Z')


def manifest(contents):
    """List the hashes of all files, as sha256sum does.

    :param contents: dict of bytes by name
    :returns: bytes
    """
    return ''.join('%s  %s\n' % (profiles.sha256(contents[name]), name)
                   for name in sorted(contents)
                   if name not in _SIGNATURES).encode()


def differences(contents):
    """Compare files with the hashes of the bundle.

    :param contents: dict of bytes by name, the manifest too
    :returns: list of texts, each of which names a file
    """
    text = contents[archive.MANIFEST].decode(errors='replace')
    listed = {name: value for value, name in _LINE.findall(text)}
    files = {name: profiles.sha256(data) for name, data in contents.items()
             if name not in _SIGNATURES}
    found = ['%s: changed after the manifest was made' % name
             for name in sorted(files.keys() & listed.keys())
             if files[name] != listed[name]]
    found += ['%s: is not in the manifest' % name
              for name in sorted(files.keys() - listed.keys())]
    found += ['%s: is in the manifest, and was removed' % name
              for name in sorted(listed.keys() - files.keys())]
    if not found and manifest(contents) != contents[archive.MANIFEST]:
        found.append('%s: is not as it was made' % archive.MANIFEST)
    return found


def sign(data, key):
    """Sign a manifest.

    :param data: its bytes
    :param key: path of a key of ssh, the private one or, with an agent, the
        public one
    :returns: the bytes of the signature
    :raises CertificateError: if ssh-keygen refuses
    """
    with _file(data) as path:
        _run(['-Y', 'sign', '-f', key, '-n', NAMESPACE, path],
             'cannot sign with %s' % key)
        with open(path + '.sig', 'rb') as stream:
            return stream.read()


def signer(data, signature, allowed=None):
    """Tell who signed a manifest.

    :param data: its bytes
    :param signature: the bytes of the signature
    :param allowed: path of a file of those who may, as ssh-keygen's
        ALLOWED SIGNERS; None to ask for the signature alone
    :returns: text: the name from that file, or the hash of an unknown key
    :raises CertificateError: if it is not the signature of these bytes, or
        nobody's who may
    """
    if not _ARMOURED.match(signature):
        raise errors.CertificateError('the signature is none of ssh')
    with _file(signature) as path:
        if allowed is None:
            found = _run(['-Y', 'check-novalidate', '-n', NAMESPACE,
                          '-s', path], 'the signature is not that of this '
                         'bundle', data)
            return found.rpartition(' key ')[2].strip()
        who = _run(['-Y', 'find-principals', '-f', allowed, '-s', path],
                   'the bundle was signed by somebody who is not in %s' %
                   allowed).splitlines()[0]
        _run(['-Y', 'verify', '-f', allowed, '-I', who, '-n', NAMESPACE,
              '-s', path], 'the signature of %s is not that of this bundle' %
             who, data)
        return who


@contextlib.contextmanager
def _file(data):
    with tempfile.TemporaryDirectory(prefix='mempage-certify-') as directory:
        path = os.path.join(directory, 'file')
        with open(path, 'wb') as stream:
            stream.write(data)
        yield path


def _run(arguments, problem, data=b''):
    try:
        done = subprocess.run(['ssh-keygen', *arguments], input=data,
                              capture_output=True, timeout=_SECONDS,
                              check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise errors.CertificateError('%s: ssh-keygen: %s' % (
            problem, error)) from error
    if done.returncode:
        raise errors.CertificateError('%s: %s' % (problem, ' '.join(
            done.stderr.decode(errors='replace').split())[:300]))
    return done.stdout.decode(errors='replace')
