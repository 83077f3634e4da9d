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

"""Reckon a bundle again, which may be anybody's."""

import dataclasses

from mempage_certificate import archive
from mempage_certificate import bundles
from mempage_certificate import documents
from mempage_certificate import errors
from mempage_certificate import profiles
from mempage_certificate import results
from mempage_certificate import runs
from mempage_certificate import signatures
from mempage_certificate import stream


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of a look at a bundle.

    :ivar problems: list of texts, each of which names a file or a test
    :ivar signer: who signed it, as signatures.signer tells it; None if
        nobody did
    :ivar known: whether the signer is one of those who may
    :ivar result: what result.json says; None if it cannot be read
    """

    problems: list
    signer: str | None
    known: bool
    result: dict | None


def verify(path, allowed=None):
    """Look whether everything in a bundle follows from its stream.

    :param path: of the bundle
    :param allowed: path of a file of those who may sign it; None if nobody
        has to
    :returns: a :class:`Report`
    :raises BundleError: if it is no bundle at all
    """
    contents = archive.unpack(path)
    missing = [name for name in archive.REQUIRED if name not in contents]
    if missing:
        raise errors.BundleError(path, 'lacks %s' % ', '.join(missing))
    problems = signatures.differences(contents)
    signer = _signer(contents, allowed, problems)
    result = _try(problems, _result, contents)
    _try(problems, _follow, contents, result, problems)
    return Report(problems, signer, bool(signer and allowed), result)


def _try(problems, function, *arguments):
    try:
        return function(*arguments)
    except errors.CertificateError as error:
        problems.append(str(error))
        return None


def _signer(contents, allowed, problems):
    signature = contents.get(archive.SIGNATURE)
    if signature:
        return _try(problems, signatures.signer, contents[archive.MANIFEST],
                    signature, allowed)
    if allowed:
        problems.append('nobody has signed it')
    return None


def _result(contents):
    data = contents[archive.RESULT]
    result = documents.from_json(archive.RESULT, data, 'result')
    if documents.dump(result) != data:
        raise errors.CertificateError('%s: is not as it was written' %
                                      archive.RESULT)
    return result


def _follow(contents, result, problems):
    """Reckon all that follows from others, and compare."""
    try:
        profile = profiles.of_files(contents[archive.PROFILE],
                                    contents[archive.CATALOGUE])
    except errors.NotPublished:
        problems += _versions(result)
        raise
    product = documents.from_yaml(archive.PRODUCT, contents[archive.PRODUCT],
                                  'product')
    data = contents[archive.STREAM]
    if stream.write(stream.read(data)) != data:
        raise errors.CertificateError(
            '%s: is not as it was written: parts of it were cut off, added, '
            'or put in another order' % archive.STREAM)
    run = runs.read(data)
    derived = bundles.derive(run, profile, product, contents, result)
    reckoned = documents.from_json(
        archive.RESULT, derived[archive.RESULT], 'result')
    if result is not None:
        found = results.difference(result, reckoned)
        if found:
            problems.append('%s: %s' % (archive.RESULT, found))
    others = ['%s: does not follow from %s' % (name, archive.STREAM)
              for name in sorted(derived) if name != archive.RESULT
              and contents.get(name) != derived[name]]
    problems += others + (_versions(result) if others else [])
    problems += ['%s: has no samples in %s' % (name, archive.STREAM)
                 for name in sorted(contents)
                 if name.startswith('raw/') and name not in derived]
    problems += ['%s: %s' % (archive.STREAM, problem)
                 for problem in reckoned['problems']]


def _versions(result):
    """Tell why files may differ that nobody has changed."""
    made = result and result['tool']['version']
    here = results.tool()['version']
    if made in (None, here):
        return []
    return ['version %s of this package made the bundle, and this is %s: '
            'verify it with that one' % (made, here)]
