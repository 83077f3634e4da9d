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

"""The hosts of a cloud and their guests, as Nova's databases have them."""

import dataclasses

from nova import context as nova_context
from nova import exception
from nova import objects

from nova_mempage.cmd import errors
from nova_mempage import pages
from nova_mempage import policy
from nova_mempage import report


@dataclasses.dataclass(frozen=True)
class Host:
    """A compute host.

    :ivar name: of the nova-compute service
    :ivar cells: list of nova.objects.NUMACell, as the host reports them
    :ivar instances: list of nova.objects.Instance with numa_topology
    :ivar allowed: pages.Allowed; None if the host has no such driver
    :ivar policy: policy.Policy
    """

    name: str
    cells: list
    instances: list
    allowed: pages.Allowed
    policy: policy.Policy


def _host(context, node):
    topology = node.numa_topology and objects.NUMATopology.obj_from_db_obj(
        node.numa_topology)
    stats = node.stats or {}
    values = stats.get(report.ALLOWED)
    return Host(
        name=node.host,
        cells=topology.cells if topology else [],
        instances=objects.InstanceList.get_by_host(
            context, node.host, expected_attrs=['numa_topology']),
        allowed=values and pages.parse(values.split(',')),
        policy=policy.Policy(
            no_page_size=stats.get(report.REFUSES_NO_PAGE_SIZE) == 'True',
            page_size=stats.get(report.REFUSES_PAGE_SIZE) == 'True'))


def _nova_cells(name):
    """Get contexts of Nova's cells: the one of a host, or all of them."""
    context = nova_context.get_admin_context()
    if name:
        try:
            cells = [objects.HostMapping.get_by_host(
                context, name).cell_mapping]
        except exception.HostMappingNotFound as error:
            raise errors.CommandError(
                "Nova knows no compute host '%s'; `openstack compute service "
                "list` names them" % name) from error
    else:
        cells = objects.CellMappingList.get_all(context)
    for cell in cells:
        with nova_context.target_cell(context, cell) as in_cell:
            yield in_cell


def hosts(name=None):
    """Get the compute hosts of the cloud.

    :param name: of one host (default: all of them)
    :returns: iterator of Host
    :raises: errors.CommandError
    """
    for context in _nova_cells(name):
        if name:
            nodes = objects.ComputeNodeList.get_all_by_host(context, name)
        else:
            nodes = objects.ComputeNodeList.get_all(context)
        for node in nodes:
            yield _host(context, node)


def flavors():
    """Get all flavors.

    :returns: nova.objects.FlavorList
    """
    return objects.FlavorList.get_all(nova_context.get_admin_context())
