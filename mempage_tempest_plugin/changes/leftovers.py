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

"""What killed runs have left in a cloud, known by its name."""

import dataclasses
import functools
from typing import Callable

from tempest.common import waiters
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.changes import faulty_store
from mempage_tempest_plugin.changes import forced_down
from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.changes import nova_compute
from mempage_tempest_plugin.changes import quotas
from mempage_tempest_plugin.cloud import nova_services
from mempage_tempest_plugin.cloud import shares
from mempage_tempest_plugin import exceptions

#: Versions of the APIs that are needed: forcing services down, and traits.
COMPUTE_MICROVERSION = '2.53'
PLACEMENT_MICROVERSION = '1.6'


@dataclasses.dataclass(frozen=True)
class Left:
    """Something that was left.

    :ivar what: what it is, for people
    :ivar remove: function that removes it
    """

    what: str
    remove: Callable


def find(manager, hosts, timeout, lock_path, ask):
    """Find what was left, in an order in which it can be removed.

    :param manager: Tempest's client manager of an administrator
    :param hosts: list of compute_host.ComputeHost
    :param timeout: seconds until nova-compute must count as up again
    :param lock_path: directory that all runs share
    :param ask: several.ask, with the arguments that are the caller's
    :returns: iterator over :class:`Left`
    """
    yield from _services(manager, hosts, timeout)
    yield from _servers(manager.servers_client)
    yield from _shares(manager)
    yield from _images(manager.image_client_v2)
    yield from _flavors(manager.flavors_client)
    yield from _aggregates(manager.aggregates_client)
    yield from _traits(manager)
    yield from _quotas(manager, lock_path)
    yield from _foreign_data(hosts, ask)
    yield from _stores(hosts, ask)


def _is_ours(item):
    return names.is_ours(item['name'])


def _services(manager, hosts, timeout):
    services = nova_services.ComputeServices(manager)
    for provider, traits in _providers_with_traits(manager):
        marks = set(filter(_tells_of_a_service, traits))
        if marks:
            name = provider['name']
            yield Left('forced-down nova-compute on %s' % name,
                       functools.partial(
                           _bring_up, services,
                           [host for host in hosts if host.name == name],
                           name, timeout, functools.partial(
                               _take_traits, manager, provider, marks)))


def _tells_of_a_service(trait):
    return trait.startswith(names.as_trait(names.prefix(forced_down.KIND)))


def _bring_up(services, hosts, name, timeout, forget):
    for host in hosts:
        # Nova insists on that if servers were evacuated.
        if host.declared.compute_service:
            nova_compute.restart(host, services, timeout)
    forced_down.bring_up(services, name, timeout)
    # Not before: nothing else tells of it.
    forget()


def _servers(client):
    # Nova lists a thousand at most.
    found = client.list_servers(detail=True, all_tenants=True,
                                name=names.prefix())['servers']
    for server in filter(_is_ours, found):
        yield Left('server %s' % server['name'],
                   functools.partial(_delete_server, client, server['id']))


def _delete_server(client, uuid):
    client.delete_server(uuid)
    waiters.wait_for_server_termination(client, uuid)


def _shares(manager):
    try:
        client = shares.connect(manager)
        found = client.list_shares(names.prefix())
    except lib_exc.EndpointNotFound:
        return
    except Exception as error:
        # All else can be removed nevertheless.
        yield Left('shares', functools.partial(_not_listed, error))
        return
    for share in filter(_is_ours, found):
        yield Left('share %s' % share['name'], functools.partial(
            shares.remove, client, share['id'],
            # One that could not be deleted.
            lambda: any(_servers(manager.servers_client))))


def _not_listed(error):
    raise exceptions.MempageError('Manila does not list them: %s' % error)


def _images(client):
    query = {'limit': 1000}
    while query:
        page = client.list_images(query)
        for image in filter(_is_ours, page['images']):
            yield Left('image %s' % image['name'],
                       functools.partial(client.delete_image, image['id']))
        query = page.get('next') and {
            'limit': 1000, 'marker': page['images'][-1]['id']}


def _flavors(client):
    found = client.list_flavors(is_public='None')['flavors']
    for flavor in filter(_is_ours, found):
        yield Left('flavor %s' % flavor['name'],
                   functools.partial(client.delete_flavor, flavor['id']))


def _aggregates(client):
    for aggregate in aggregates.left(client):
        yield Left('aggregate %s' % aggregate['name'],
                   functools.partial(aggregates.remove, client, aggregate))


def _traits(manager):
    mark = names.as_trait(names.prefix())
    for provider, traits in _providers_with_traits(manager):
        ours = {trait for trait in traits if trait.startswith(mark)
                and not _tells_of_a_service(trait)}
        if ours:
            yield Left(
                'trait %s of %s' % (', '.join(sorted(ours)),
                                    provider['name']),
                functools.partial(_take_traits, manager, provider, ours))
    # Services that could not be brought up still have theirs.
    needed = {trait for _, traits in _providers_with_traits(manager)
              for trait in filter(_tells_of_a_service, traits)}
    client = manager.placement_client
    for trait in client.list_traits(name='startswith:' + mark)['traits']:
        if trait not in needed:
            yield Left('trait %s' % trait,
                       functools.partial(client.delete_trait, trait))


def _take_traits(manager, provider, traits):
    host_traits.change_traits(
        manager.resource_providers_client, provider['uuid'],
        functools.partial(_without, traits))


def _without(ours, has):
    return has - ours


def _providers_with_traits(manager):
    client = manager.resource_providers_client
    for provider in client.list_resource_providers()['resource_providers']:
        yield provider, client.list_resource_provider_traits(
            provider['uuid'])['traits']


def _quotas(manager, lock_path):
    for left in quotas.left(manager, lock_path):
        yield Left('lifted quotas of project %s' % left.project, left.remove)


def _with_store(hosts):
    return [host for host in hosts if host.declared.file_backed]


def _foreign_data(hosts, ask):
    for host, is_there in ask(_with_store(hosts), foreign_data.is_there):
        if is_there:
            path = foreign_data.path(host.declared.file_backed.mount)
            yield Left('file %s on %s' % (path, host.name),
                       functools.partial(foreign_data.remove, host))


def _stores(hosts, ask):
    for host, is_left in ask(_with_store(hosts), faulty_store.is_left):
        if is_left:
            yield Left('backing store of a test on %s' % host.name,
                       functools.partial(faulty_store.remove_left, host))
