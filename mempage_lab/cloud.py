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

"""What a new cloud needs before anyone can use it.

Every function finds what is there and makes what is missing, so that an
``up`` that was interrupted can go on.
"""

import dataclasses

import openstack

from mempage_lab import apis
from mempage_lab import secrets

#: Service user, catalogue type and path of each API.
SERVICES = {
    'glance': ('image', ''),
    'placement': ('placement', ''),
    'nova': ('compute', '/v2.1'),
    'neutron': ('network', ''),
}
#: RAM in MiB of the flavors that stock tests use.
FLAVORS = {'m1.mempage': 192, 'm1.mempage-alt': 256}
DISK_GIB = 1
#: The images: the guest image, twice.
IMAGE = 'mempage'
GUEST_NETWORK = 'mempage'
GUEST_ADDRESSES = '10.99.0.0/20'


@dataclasses.dataclass(frozen=True)
class Resources:
    """The ids that a Tempest configuration names."""
    image: str
    alt_image: str
    flavor: str
    alt_flavor: str
    public_network: str
    guest_network: str
    network_extensions: tuple


def connect(controller, project='admin'):
    """Return a connection to the cloud as its administrator.

    :param controller: the controller's address
    :param project: name of the project that what is made belongs to
    :returns: an :class:`openstack.connection.Connection`
    """
    return openstack.connect(
        load_yaml_config=False, load_envvars=False, region_name='RegionOne',
        auth=credentials(controller, project))


def credentials(controller, project='admin'):
    """Return the administrator's credentials, as clouds.yaml has them."""
    return {'auth_url': apis.url(controller, 'keystone', '/v3'),
            'username': 'admin', 'password': secrets.load()['admin'],
            'project_name': project, 'user_domain_id': 'default',
            'project_domain_id': 'default'}


def register_services(cloud, controller):
    """Make the services' users and the catalogue."""
    for user, (kind, path) in SERVICES.items():
        register_service(cloud, user, kind, apis.url(controller, user, path))


def register_service(cloud, user, kind, url):
    """Make a service's user and its entry in the catalogue.

    :param user: its name, and that of the service
    :param kind: the type of the service
    :param url: where its API is
    """
    identity = cloud.identity
    project = identity.find_project('service') or identity.create_project(
        name='service', domain_id='default')
    account = identity.find_user(user) or identity.create_user(
        name=user, password=secrets.load()[user], domain_id='default')
    for role in ('admin', 'service'):
        identity.assign_project_role_to_user(project, account,
                                             _role(identity, role))
    service = identity.find_service(user) or identity.create_service(
        name=user, type=kind)
    if not any(identity.endpoints(service_id=service.id)):
        for interface in ('public', 'internal', 'admin'):
            identity.create_endpoint(
                service_id=service.id, interface=interface, url=url,
                region_id='RegionOne')


def _role(identity, name):
    return identity.find_role(name) or identity.create_role(name=name)


def hosts_up(cloud):
    """Return the names of the compute hosts that can take a server."""
    services = {service.host for service in
                cloud.compute.services(binary='nova-compute')
                if service.state == 'up'}
    # They may be called by other names than their services.
    hypervisors = {hypervisor.service_details['host'] for hypervisor in
                   cloud.compute.hypervisors(details=True)}
    agents = {agent.host for agent in cloud.network.agents()
              if agent.is_alive}
    return services & hypervisors & agents


def create_images(cloud, path):
    """Upload the guest image twice: Tempest wants an alternative.

    :param path: the image's :class:`pathlib.Path`
    :returns: the two images' ids
    """
    return [_image(cloud, name, path)
            for name in (IMAGE, IMAGE + '-alt')]


def _image(cloud, name, path):
    found = cloud.image.find_image(name)
    if found and found.status == 'active':
        return found.id
    if found:
        cloud.image.delete_image(found)
    created = cloud.image.create_image(
        name=name, disk_format='raw', container_format='bare',
        visibility='public', allow_duplicates=True, filename=str(path),
        # Without it a guest waits for randomness when it boots.
        hw_rng_model='virtio', img_config_drive='mandatory')
    return created.id


def create_flavors(cloud):
    """Make the flavors that stock tests use.

    :returns: the flavors' ids
    """
    compute = cloud.compute
    return [(compute.find_flavor(name) or compute.create_flavor(
        name=name, ram=ram, vcpus=1, disk=DISK_GIB)).id
        for name, ram in FLAVORS.items()]


def create_public_network(cloud, topology):
    """Make the network that guests are reached through.

    :returns: its id
    """
    network = cloud.network.find_network('public')
    if not network:
        network = cloud.network.create_network(
            name='public', is_router_external=True, is_shared=True,
            provider_network_type='flat', provider_physical_network='public')
    if not any(cloud.network.subnets(network_id=network.id)):
        addresses = topology.external
        cloud.network.create_subnet(
            name='public', network_id=network.id, ip_version=4,
            cidr=str(addresses), gateway_ip=str(addresses[1]),
            is_dhcp_enabled=True, allocation_pools=[
                {'start': str(addresses[20]), 'end': str(addresses[250])}])
    return network.id


def create_guest_network(cloud, public):
    """Make the network that the guests of all projects share.

    A network and a router for each test class, as Tempest makes them, take
    longer than many a test.

    :param public: id of the network that they are reached through
    :returns: its name
    """
    network = (cloud.network.find_network(GUEST_NETWORK)
               or cloud.network.create_network(name=GUEST_NETWORK,
                                               is_shared=True))
    subnet = next(cloud.network.subnets(network_id=network.id), None)
    if not subnet:
        subnet = cloud.network.create_subnet(
            name=GUEST_NETWORK, network_id=network.id, ip_version=4,
            cidr=GUEST_ADDRESSES)
    router = (cloud.network.find_router(GUEST_NETWORK)
              or cloud.network.create_router(
                  name=GUEST_NETWORK,
                  external_gateway_info={'network_id': public}))
    if not any(cloud.network.ports(device_id=router.id,
                                   network_id=network.id)):
        cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    return network.name


def create_aggregates(cloud, topology):
    """Tell AggregateMemoryBackingFilter what hosts allow.

    As an operator would: an aggregate for each list of page sizes.
    """
    existing = {found.name: found for found in cloud.compute.aggregates()}
    hosts = {}
    for host in topology.hosts:
        if not host.policy.allows_all:
            sizes = ','.join(map(str, host.policy.allowed_page_sizes))
            hosts.setdefault(sizes, []).append(host.name)
    for sizes, names in hosts.items():
        name = 'mempage-' + sizes.replace(',', '-')
        found = (existing.get(name)
                 or cloud.compute.create_aggregate(name=name))
        cloud.compute.set_aggregate_metadata(found,
                                             {'MemoryBacking': sizes})
        for host in set(names) - set(found.hosts or ()):
            cloud.compute.add_host_to_aggregate(found, host)


def create_resources(cloud, topology, image_path):
    """Make all that a Tempest configuration names.

    :returns: :class:`Resources`
    """
    images = create_images(cloud, image_path)
    public = create_public_network(cloud, topology)
    return Resources(*images, *create_flavors(cloud), public,
                     create_guest_network(cloud, public),
                     tuple(sorted(extension.alias for extension
                                  in cloud.network.extensions())))
