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

"""Profiles, and the catalogue of what they ask for: those that are published.

They are files of this package, which are never changed once they are
published: what changes gets another version, and another file.
"""

import dataclasses
import functools
import hashlib
import os
import re

from mempage_certificate import documents
from mempage_certificate import errors

LEVELS = ('smoke', 'functional', 'resilient', 'performance', 'endurance')
REQUIREMENTS = ('must', 'should', 'info')
#: Whence tests and measurements come.
PACKAGE = 'mempage_tempest_plugin.tests.'

_DIRECTORY = os.path.join(os.path.dirname(__file__), 'published')
_NAME = re.compile(r'([a-z][a-z0-9-]*)-(\d+)\.yaml$')
_CATALOGUE = 'catalogue'


@dataclasses.dataclass(frozen=True)
class Profile:
    """What a store has to be, to do and to reach.

    :ivar data: the bytes of its file
    :ivar document: what it says, as schemas/profile.yaml describes it
    :ivar catalogue_data: the bytes of the file of its catalogue
    :ivar catalogue: what that says, as schemas/catalogue.yaml describes it
    """

    data: bytes
    document: dict
    catalogue_data: bytes
    catalogue: dict

    @property
    def checks(self):
        """All checks of its catalogue, by ID."""
        return self.catalogue['checks']

    @property
    def name(self):
        """Its name, with its version."""
        return '%s-%d' % (self.document['name'], self.document['version'])

    @property
    def levels(self):
        """The levels that it has, in their order."""
        return [level for level in LEVELS if level in self.document['levels']]

    @property
    def target(self):
        """The level that it certifies."""
        return self.levels[-1]

    def wanted(self):
        """List what it asks for.

        :returns: list of tuples of level, requirement and ID of a check
        """
        return [(level, requirement, identity) for level in self.levels
                for requirement in REQUIREMENTS
                for identity in self.document['levels'][level][requirement]]

    def goals(self, measurement):
        """List the goals of a measurement.

        :param measurement: its ID
        """
        return [goal for goal in self.document['goals']
                if goal['measurement'] == measurement]

    def following(self, measurement):
        """List the figures that are reckoned from another one.

        :param measurement: the ID of that one
        :returns: list of IDs
        """
        return [identity for check in self.checks.values()
                for identity, rule in check.get('measurements', {}).items()
                if rule.get('follows_from') == measurement]

    def rule(self, measurement):
        """Return what the catalogue says of a measurement.

        :param measurement: its ID
        :returns: a dict; None if it is in no check
        """
        return next((check['measurements'][measurement]
                     for check in self.checks.values()
                     if measurement in check.get('measurements', ())), None)

    def tests(self):
        """List all tests of the catalogue.

        :returns: dict of dicts of ID and number of cases, by full name
        """
        parts = [self.catalogue.get('environment', {})]
        for check in self.checks.values():
            parts.append(check.get('tests', {}))
            parts += [rule.get('tests', {}) for rule in check.get(
                'measurements', {}).values()]
        return {PACKAGE + name: {'id': test['id'],
                                 'cases': test.get('cases', 1)}
                for part in parts for name, test in part.items()}


def sha256(data):
    """Reckon what names a file.

    :param data: its bytes
    :returns: hexadecimal digits
    """
    return hashlib.sha256(data).hexdigest()


def make(data, catalogue_data, where='profile'):
    """Read a profile.

    :param data: the bytes of its file
    :param catalogue_data: those of the file of its catalogue
    :param where: what to call it in errors
    :returns: a :class:`Profile`
    :raises CertificateError: if it contradicts its schema or its catalogue
    """
    document = documents.from_yaml(where, data, 'profile')
    catalogue = documents.from_yaml('catalogue', catalogue_data, 'catalogue')
    profile = Profile(data, document, catalogue_data, catalogue)
    if catalogue['version'] != document['catalogue']:
        raise errors.CertificateError(
            '%s: is of catalogue %d, and this is catalogue %d' % (
                where, document['catalogue'], catalogue['version']))
    _refuse_unknown(where, profile)
    return profile


def _refuse_unknown(where, profile):
    checks = [identity for _, _, identity in profile.wanted()]
    unknown = [identity for identity in checks
               if identity not in profile.checks]
    unknown += [goal['measurement'] for goal in profile.document['goals']
                if profile.rule(goal['measurement']) is None]
    twice = [identity for identity in checks if checks.count(identity) > 1]
    if unknown or twice:
        raise errors.CertificateError('%s: %s: %s' % (
            where, 'not in its catalogue' if unknown else 'asked for twice',
            ', '.join(sorted(set(unknown or twice)))))


@functools.cache
def published():
    """Read all profiles that are published.

    :returns: dict of :class:`Profile` by name, with their version
    """
    found = {}
    for file in sorted(os.listdir(_DIRECTORY)):
        match = _NAME.match(file)
        if match and match[1] != _CATALOGUE:
            profile = _published(file)
            found[profile.name] = profile
    return found


def _published(file):
    data = _read(file)
    document = documents.from_yaml(file, data, 'profile')
    return make(data, _read('%s-%d.yaml' % (
        _CATALOGUE, document['catalogue'])), file)


def _read(file):
    with open(os.path.join(_DIRECTORY, file), 'rb') as stream:
        return stream.read()


def find(name):
    """Find a published profile.

    :param name: its name; with a version, or the newest is taken
    :returns: a :class:`Profile`
    :raises NotPublished: if there is none
    """
    versions = sorted(
        (profile for profile in published().values()
         if name in (profile.name, profile.document['name'])),
        key=lambda profile: profile.document['version'])
    if not versions:
        raise errors.NotPublished(
            'no profile %r is published; there are %s' % (
                name, ', '.join(published())))
    return versions[-1]


def of_files(data, catalogue_data):
    """Find the published profile that files are.

    :param data: the bytes of a profile
    :param catalogue_data: those of a catalogue
    :returns: a :class:`Profile`
    :raises NotPublished: if they are none
    """
    for profile in published().values():
        if (profile.data, profile.catalogue_data) == (data, catalogue_data):
            return profile
    known = [profile.name for profile in published().values()
             if profile.data == data]
    raise errors.NotPublished(
        'catalogue.yaml is not the one of profile %s: it was changed, or is '
        'that of another version of this package' % known[0] if known else
        'profile.yaml (SHA-256 %s) is none of those that are published with '
        'this version of the package' % sha256(data))
