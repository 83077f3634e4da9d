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

"""What tests share that reach their guests over ssh."""

import functools

from tempest.common import compute
from tempest.common.utils.linux import remote_client
from tempest import config
from tempest.lib.common import fixed_network
from tempest.lib.common.utils import data_utils
from testtools import content

from mempage_tempest_plugin.guests import memory
from mempage_tempest_plugin.guests import reachability
from mempage_tempest_plugin.hosts import redact
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed

CONF = config.CONF

CONSOLE_LINES = 100
SSH_PORT = 22
# How much of a guest's RAM has a pattern in it, in percent.
FILLED = 60
#: What is said of a guest that is asked for the memory that it does not use.
KEEPS_ALL = (
    'The guest has all of its memory, though Nova asks it to give back what '
    'is free (free page reporting). Its kernel has to be 5.7 or later, with '
    'virtio_balloon: choose an image ([compute] image_ref) that has it')


class Guests:
    """The servers of a test whose guests are reached over ssh.

    :param test: a base.BaseMemoryTest with ``needs_network``
    """

    def __init__(self, test):
        self._test = test
        self._validation = {}
        test.addOnException(functools.partial(
            attach_consoles, test, self._validation))

    @functools.cached_property
    def _network(self):
        return find_network(self._test.os_admin)

    def boot(self, host, **kwargs):
        """Request a server that can be reached; it is deleted after the test.

        :param host: the compute_host.ComputeHost; None if the scheduler
            chooses
        :param kwargs: as of base.BaseMemoryTest.boot
        :returns: the servers.RequestedServer
        """
        resources = self._test.get_test_validation_resources(
            self._test.os_admin)
        server = self._test.boot(host, **kwargs,
                                 **request(self._network, resources))
        self.note(server, resources)
        return server

    def note(self, server, resources):
        """Remember how to reach a server.

        :param server: the servers.RequestedServer
        :param resources: Tempest's validation resources
        """
        self._validation[server.uuid] = resources

    def security_group(self, server):
        """Look up the security group of a server's port.

        :param server: the servers.RequestedServer
        :returns: its UUID, or None if there is none
        """
        return self._validation[server.uuid].get(
            'security_group', {}).get('id')

    def address(self, server):
        """Look up where a guest is reached.

        :param server: the servers.RequestedServer
        """
        _, address = locate(self._test, server, self._network,
                            self._validation[server.uuid])
        return address

    def connect(self, server):
        """Wait until a guest takes ssh connections.

        :param server: the servers.RequestedServer
        :returns: Tempest's RemoteClient, which has not logged in yet
        :raises GuestError: if the guest does not take connections
        """
        resources = self._validation[server.uuid]
        shown, address = locate(self._test, server, self._network, resources)
        # Tempest's client pauses ever longer between its attempts.
        reachability.wait_for_port(
            address, SSH_PORT,
            self._test.inventory.limit(CONF.validation.ssh_timeout))
        return remote_client.RemoteClient(
            address, CONF.validation.image_ssh_user,
            CONF.validation.image_ssh_password,
            pkey=resources['keypair']['private_key'], server=shown,
            servers_client=self._test.nova.client)


class BaseReachableTest(base.BaseMemoryTest):
    """Tests with guests that are reached over ssh."""

    needs_network = True
    needs_system = True

    def setUp(self):
        super().setUp()
        self._reachable = Guests(self)

    def boot_reachable(self, host, **kwargs):
        """Request a server that can be reached; as of :meth:`Guests.boot`."""
        return self._reachable.boot(host, **kwargs)

    def note_reachable(self, server, resources):
        """Remember how to reach a server; as of :meth:`Guests.note`."""
        self._reachable.note(server, resources)

    def connect(self, server):
        """Wait until a guest takes connections; :meth:`Guests.connect`."""
        return self._reachable.connect(server)


def find_network(manager):
    """Find the project's own network, or else the configured one.

    Of several, it is the configured one. An external network may be the
    administrators' own, and is where nobody's servers are.

    Tempest's get_tenant_network makes another project with a network and a
    router, whose network it returns then.

    :param manager: Tempest's client manager of the project
    :returns: the network as Neutron shows it, or None
    """
    if not CONF.service_available.neutron:
        return None
    client = manager.networks_client
    configured = CONF.compute.fixed_network_name
    own = [network for network in client.list_networks(
        project_id=client.tenant_id)['networks']
        if not network.get('router:external')]
    if own:
        return next((network for network in own
                     if network['name'] == configured), own[0])
    if configured:
        return fixed_network.get_network_from_name(configured, client)
    return None


def request(network, resources):
    """Get what the request for a server has to have to be reached.

    :param network: as of :func:`find_network`
    :param resources: Tempest's validation resources
    :returns: a dict of arguments of compute.create_test_server
    """
    arguments = {'key_name': resources['keypair']['name'], **(
        {'tenant_network': network} if network else {'networks': 'auto'})}
    if 'security_group' in resources:
        arguments['security_groups'] = [
            {'name': resources['security_group']['name']}]
    return arguments


def locate(test, server, network, resources):
    """Have a server reachable, and look up where that is.

    :param test: a base.BaseMemoryTest
    :param server: the servers.RequestedServer
    :param network: as of :func:`find_network`
    :param resources: Tempest's validation resources
    :returns: the server as Nova shows it, and its address
    """
    shown = test.nova.client.show_server(server.uuid)['server']
    # Without waiting for ssh or ping, it gives the server its floating IP.
    compute.wait_for_ssh_or_ping(
        shown, test.os_admin, network, validatable=True,
        validation_resources=resources, wait_until=None, set_floatingip=True)
    return shown, compute.get_server_ip(shown, resources)


def attach_consoles(test, uuids, exc_info):
    """Attach what guests have written to their consoles.

    :param test: a base.BaseMemoryTest, which has failed
    :param uuids: UUIDs of their servers
    :param exc_info: with what it has failed
    """
    if issubclass(exc_info[0], test.skipException):
        return
    for uuid in uuids:
        try:
            text = test.nova.client.get_console_output(
                uuid, length=CONSOLE_LINES)['output']
        except Exception as error:
            text = 'not collected: %s' % error
        test.addDetailUniqueName('console-%s' % uuid,
                                 content.text_content(redact.mask(text)))


class BaseFilledTest(BaseReachableTest):
    """Tests with guests that have something in most of their memory."""

    # The guest's system needs the rest.
    flavor_option = 'flavor_ref_alt'

    def fill(self, server):
        """Wait for a server and fill its guest's memory with a pattern.

        :param server: the servers.RequestedServer
        :returns: a memory.Guest
        """
        guest = self.enter(server)
        guest.fill(self.filled_mib)
        return guest

    def enter(self, server):
        """Wait for a server and until its guest takes ssh connections.

        :param server: the servers.RequestedServer
        :returns: a memory.Guest
        """
        self.nova.wait_for(server.uuid, 'ACTIVE')
        return memory.Guest(self.connect(server), data_utils.rand_uuid_hex())

    def skip_unless_asked(self, host, server):
        """Skip the test where nobody asks guests for memory that is free.

        :param host: the compute_host.ComputeHost where the guest runs
        :param server: the servers.RequestedServer
        """
        if not host.memory_backing(server.uuid).free_page_reporting:
            observed.skip(
                self, observed.NOT_GIVEN_BACK, 'libvirt\'s XML of server %s '
                'has no free page reporting, which Nova asks for since 32 '
                '(2025.2)' % server.uuid)

    @property
    def filled_mib(self):
        """How much of a guest's RAM has a pattern in it, in MiB."""
        return -(-self.flavor['ram'] * FILLED // 100)
