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

"""Where the lab keeps things on the machine."""

import pathlib
import sys

PACKAGE = pathlib.Path(__file__).resolve().parent

#: Costly things that every lab on this machine shares: virtual environments,
#: the guest image, migrated databases. Removed by ``purge`` only.
CACHE = pathlib.Path('/var/cache/mempage-lab')

#: What belongs to the lab that is up. Removed by ``down``, but for the two
#: directories below.
STATE = pathlib.Path('/var/lib/mempage-lab')
LOGS = STATE / 'logs'
RESULTS = STATE / 'results'
KEPT_BY_DOWN = (LOGS, RESULTS)

TOPOLOGY = STATE / 'topology.yaml'
SECRETS = STATE / 'secrets.json'
KEYS = STATE / 'keys'
KNOWN_HOSTS = STATE / 'known_hosts'
SSH_CONFIG = STATE / 'ssh_config'
SSH = STATE / 'ssh'
TEMPEST_CONF = STATE / 'tempest.conf'
TEMPEST_LOG = LOGS / 'tempest.log'
ACCOUNTS = STATE / 'accounts.yaml'
TEMPEST_WORKSPACE = STATE / 'tempest'
INVENTORY = STATE / 'inventory.yaml'
OPENRC = STATE / 'openrc'
CLOUDS = STATE / 'clouds.yaml'


def host(name):
    """Return the directory that holds one host's private files."""
    return STATE / 'hosts' / name


def shared(name):
    """Return a directory of the project beside the package.

    :param name: such as ``devstack/lib``
    """
    checkout = PACKAGE.parent / name
    if checkout.is_dir():
        return checkout
    return pathlib.Path(sys.prefix, 'share', 'mempage-tempest-plugin', name)


#: The shell functions that the lab shares with DevStack.
DEVSTACK_LIB = shared('devstack/lib')
#: The extension of Nova.
NOVA_EXTENSION = shared('nova_mempage')
