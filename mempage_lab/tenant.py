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

"""Guests that belong to somebody: a project that the tests know nothing of.

As in a cloud that is in use, nobody may harm them. They are found and not
made again by an ``up`` that goes on.
"""

from openstack import exceptions as openstack_exceptions

from mempage_lab import cloud
from mempage_lab import errors

#: The name of the project, and what the names of all that it has begin with.
PROJECT = 'tenant'
#: RAM of a guest in MiB.
RAM_MIB = 192
#: Seconds until all guests must have started.
LIMIT = 180


def boot(admin, topology):
    """Boot the guests of all hosts, and wait until they are active.

    :param admin: a connection to the cloud as its administrator
    :param topology: a :class:`mempage_lab.topology.Topology`
    :raises LabError: naming the guest that does not start, and why
    """
    hosts = [host for host in topology.hosts if host.shape.tenant_guests]
    if not hosts:
        return
    _make_project(admin.identity)
    own = cloud.connect(topology.controller, PROJECT)
    image = own.image.find_image(cloud.IMAGE).id
    network = own.network.find_network(cloud.GUEST_NETWORK).id
    servers = [_server(own.compute, host, number, image, network)
               for host in hosts
               for number in range(1, host.shape.tenant_guests + 1)]
    for server in servers:
        _wait(own.compute, server)


def _make_project(identity):
    project = (identity.find_project(PROJECT)
               or identity.create_project(name=PROJECT, domain_id='default'))
    # Only an administrator may choose the host of a server.
    identity.assign_project_role_to_user(
        project, identity.find_user('admin'), identity.find_role('admin'))


def _server(compute, host, number, image, network):
    name = '%s-%s-%d' % (PROJECT, host.name, number)
    return compute.find_server(name) or compute.create_server(
        name=name, flavor_id=_flavor(compute, host), image_id=image,
        networks=[{'uuid': network}], availability_zone='nova:' + host.name)


def _flavor(compute, host):
    """Return the id of a flavor whose guests the host takes."""
    if host.policy.allows(host.policy.small_page_kib):
        specs, name = {}, PROJECT
    else:
        specs, name = {'hw:mem_page_size': 'large'}, PROJECT + '-large'
    flavor = compute.find_flavor(name)
    if not flavor:
        flavor = compute.create_flavor(name=name, ram=RAM_MIB, vcpus=1,
                                       disk=cloud.DISK_GIB)
        compute.create_flavor_extra_specs(flavor, specs)
    return flavor.id


def _wait(compute, server):
    try:
        compute.wait_for_server(server, wait=LIMIT)
    except openstack_exceptions.SDKException as error:
        fault = compute.get_server(server).fault or {}
        raise errors.LabError('%s does not start: %s' % (
            server.name, fault.get('message', error))) from error
