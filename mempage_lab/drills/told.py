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

"""Faults that the cloud's own APIs are told of a host."""

import dataclasses
import functools

from mempage_lab.drills import faults
from mempage_lab import lab

#: A consumer of memory that is no server.
NOBODY = '00000000-dead-4000-8000-000000004711'
# Consumers have generations.
_PLACEMENT = {'microversion': '1.28'}


@dataclasses.dataclass(frozen=True)
class Told(faults.Fault):
    """What an administrator says by mistake.

    :ivar breaking: a function of a connection to the cloud, and the name of
        the node's host
    :ivar mending: another one, which takes it back
    """

    breaking: object
    mending: object
    programs: tuple = ()

    def put_in(self, node):
        self.breaking(lab.load().cloud, node.name)

    def put_back(self, node):
        self.mending(lab.load().cloud, node.name)


@dataclasses.dataclass(frozen=True)
class Leak(faults.Source):
    """Source with which a node's services give memory to :data:`NOBODY`.

    Placement keeps it when the source is as before.
    """

    def put_back(self, node):
        super().put_back(node)
        free(lab.load().cloud)


def disable(cloud, host):
    """Let the scheduler send nothing to a host."""
    _set_service(cloud, host, 'disable')


def enable(cloud, host):
    """Let the scheduler send servers to a host."""
    _set_service(cloud, host, 'enable')


def _set_service(cloud, host, verb):
    _checked(cloud.compute.put(
        '/os-services/' + verb, microversion='2.1',
        json={'host': host, 'binary': 'nova-compute'}))


def inventory(**changes):
    """Make a function that changes what placement hands out of a host.

    :param changes: fields of the inventory of MEMORY_MB
    """
    def change(cloud, host):
        path = ('/resource_providers/%s/inventories/MEMORY_MB'
                % _provider(cloud, host))
        found = _checked(cloud.placement.get(path, **_PLACEMENT)).json()
        _checked(cloud.placement.put(path, json={**found, **changes},
                                     **_PLACEMENT))
    return change


def trait(name):
    """Make two functions, of which one gives a host a trait.

    :param name: the trait
    :returns: that function, and the one that takes it away
    """
    def change(wanted, cloud, host):
        path = '/resource_providers/%s/traits' % _provider(cloud, host)
        _checked(cloud.placement.put('/traits/' + name, **_PLACEMENT))
        found = _checked(cloud.placement.get(path, **_PLACEMENT)).json()
        found['traits'] = [*{*found['traits']} - {name},
                           *[name] * wanted]
        _checked(cloud.placement.put(path, json=found, **_PLACEMENT))

    return functools.partial(change, True), functools.partial(change, False)


def free(cloud):
    """Take back what :data:`NOBODY` has."""
    found = cloud.placement.delete('/allocations/' + NOBODY, **_PLACEMENT)
    if found.status_code != 404:
        _checked(found)


def _provider(cloud, host):
    found = _checked(cloud.placement.get(
        '/resource_providers', params={'name': host}, **_PLACEMENT)).json()
    return found['resource_providers'][0]['uuid']


def _checked(response):
    response.raise_for_status()
    return response
