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

"""Passwords of one lab: generated once, readable by root only."""

import json
import os
import secrets

from mempage_lab import paths

NAMES = ('admin', 'database', 'rabbit', 'glance', 'placement', 'nova',
         'neutron', 'manila')


def load():
    """Return the lab's passwords, generating them for a new lab.

    :returns: dict of name to password
    """
    if not paths.SECRETS.exists():
        write_private(paths.SECRETS, json.dumps(
            {name: secrets.token_urlsafe(24) for name in NAMES}))
    return json.loads(paths.SECRETS.read_text())


def write_private(path, text):
    """Write a file that only root can read; never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + '.new')
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                         0o600)
    with os.fdopen(descriptor, 'w') as stream:
        stream.write(text)
    temporary.replace(path)
