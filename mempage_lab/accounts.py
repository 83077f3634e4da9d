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

"""Accounts for the workers of Tempest.

Without them Tempest would make some for each class of tests, and remove them
with all that Neutron has made for their projects: a second per class.
"""

import os
import pathlib
import sys

from mempage_lab import paths
from mempage_lab import shell

# Sets of accounts: at least so many, one for each host, and at most so many.
# This project's tests take one for each worker, and for each lane of a run of
# each host, of which no machine has the cores for more. Tempest's own tests
# take two.
_LEAST = 4
_MOST = 12


def create(credentials, hosts):
    """Have Tempest make accounts, and write them for it to a file.

    :param credentials: the administrator's, see
        :func:`mempage_lab.cloud.credentials`
    :param hosts: how many hosts the lab has
    :raises CommandFailed: if Tempest cannot
    """
    if paths.ACCOUNTS.exists():
        return
    new = paths.ACCOUNTS.with_suffix('.new')
    shell.run(
        pathlib.Path(sys.prefix, 'bin', 'tempest'), 'account-generator',
        '--config-file', paths.TEMPEST_CONF, '--concurrency',
        max(_LEAST, min(hosts, _MOST)), '--with-admin', new, umask=0o077, env={
            **os.environ, 'OS_USERNAME': credentials['username'],
            'OS_PASSWORD': credentials['password'],
            'OS_PROJECT_NAME': credentials['project_name'],
            'OS_DOMAIN_NAME': 'Default'})
    new.rename(paths.ACCOUNTS)


def release():
    """Give back the accounts that killed runs had taken.

    Tempest keeps a file for each beside its locks, named after its digest.
    """
    for taken in (paths.TEMPEST_WORKSPACE / 'lock').glob('[0-9a-f]' * 32):
        taken.unlink()
