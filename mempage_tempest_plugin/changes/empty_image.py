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

"""The image of servers without an operating system: one for each process.

Another image for each class would cost more than the servers themselves:
every host fetches it, and looks at it with several processes.
"""

import atexit
import io

from tempest import clients
from tempest.common import credentials_factory
from tempest import config
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import names

CONF = config.CONF

# UUID of the image that this process has made.
_made = []


def create(client, name, **properties):
    """Create an empty image; the caller deletes it.

    Nobody in its guests obeys when they are asked to shut down, so Nova does
    not ask.

    :param client: Tempest's image client
    :param name: its name
    :param properties: its properties
    :returns: its UUID
    """
    image = client.create_image(
        name=name, container_format='bare', disk_format='raw',
        visibility='private', os_shutdown_timeout='0', **properties)['id']
    client.store_image_file(image, io.BytesIO(bytes(512)))
    return image


def shared(manager):
    """Get the empty image of this process; it is deleted with it.

    :param manager: Tempest's client manager of an administrator
    :returns: its UUID
    """
    if not _made:
        client = _lasting(manager).image_client_v2
        _made.append(create(client, names.new('image')))
        atexit.register(_delete, client)
    return _made[0]


def _lasting(manager):
    """Get a client manager whose user lives longer than a class of tests."""
    if CONF.auth.use_dynamic_credentials:
        return clients.Manager(
            credentials_factory.get_configured_admin_credentials())
    return manager


def _delete(client):
    try:
        client.delete_image(_made.pop())
    except lib_exc.NotFound:
        # "mempage-tempest cleanup" was quicker.
        pass
