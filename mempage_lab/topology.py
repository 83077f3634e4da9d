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

"""The lab's hosts, as a user declares them in a YAML file."""

import dataclasses
import ipaddress
import pathlib

import yaml

from mempage_lab import errors
from mempage_lab import paths
from mempage_tempest_plugin.declared import documents
from mempage_tempest_plugin.declared import inventory

SHIPPED = paths.PACKAGE / 'topologies'
DEFAULT = SHIPPED / 'default.yaml'
#: Reserved for benchmarking networks (RFC 2544): seldom in use.
FREE_RANGES = ipaddress.ip_network('198.18.0.0/15')


@dataclasses.dataclass(frozen=True)
class LabStore(inventory.FileBacked):
    """A backing store to build; sizes in MiB."""
    directory: str = '/var/lib/libvirt/memory'
    size_mib: int = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class LabPool(inventory.DeclaredPool):
    """A pool of large pages to build."""
    #: Whether the host may do without, if the machine cannot give the pages.
    optional: bool = False


@dataclasses.dataclass(frozen=True)
class LabPolicy(inventory.Policy):
    """What a host is built as, and declared as to the tests."""
    file_backed: LabStore | None = None
    pools: tuple[LabPool, ...] = ()


@dataclasses.dataclass(frozen=True)
class LabHost:
    """One compute host."""
    name: str
    index: int
    policy: LabPolicy = LabPolicy()


@dataclasses.dataclass(frozen=True)
class Topology:
    """All hosts, and the addresses of the lab's two networks."""
    network: ipaddress.IPv4Network
    hosts: tuple

    @property
    def management(self):
        """The network of the services, a /24."""
        return list(self.network.subnets(new_prefix=24))[0]

    @property
    def external(self):
        """The network that guests are reached through, a /24."""
        return list(self.network.subnets(new_prefix=24))[1]

    @property
    def gateway(self):
        """The machine's own address on the management network."""
        return str(self.management[1])

    @property
    def controller(self):
        """The controller's address."""
        return str(self.management[2])

    def address(self, host):
        """Return a compute host's address on the management network."""
        return str(self.management[10 + host.index])

    @property
    def pools(self):
        """The pools of all hosts."""
        return [pool for host in self.hosts for pool in host.policy.pools]

    def pages(self, size_kib):
        """Return how many pages of a size all hosts' pools have together."""
        return sum(pool.pages + pool.reserved for pool in self.pools
                   if pool.size_kib == size_kib)

    @property
    def page_sizes(self):
        """All page sizes in KiB that some host has a pool of."""
        return sorted({pool.size_kib for pool in self.pools})

    @property
    def optional_sizes(self):
        """All page sizes in KiB that some host has an optional pool of."""
        return sorted({pool.size_kib for pool in self.pools if pool.optional})

    def without_optional(self, sizes):
        """Return the topology without its optional pools of some sizes.

        :param sizes: page sizes in KiB
        """
        return dataclasses.replace(self, hosts=tuple(
            _without_optional(host, sizes) for host in self.hosts))


def _without_optional(host, sizes):
    return dataclasses.replace(host, policy=dataclasses.replace(
        host.policy, pools=tuple(
            pool for pool in host.policy.pools
            if not (pool.optional and pool.size_kib in sizes))))


def find(name):
    """Find the topology that a user names.

    :param name: path of a file, or the name of a topology that is shipped
    :returns: a :class:`pathlib.Path`
    :raises LabError: if there is neither; naming those that are shipped
    """
    shipped = {path.stem: path for path in sorted(SHIPPED.glob('*.yaml'))}
    path = pathlib.Path(name)
    if path.exists() or (path.suffix and name not in shipped):
        return path
    if name in shipped:
        return shipped[name]
    raise errors.LabError('no topology %s: name a file, or one of %s' % (
        name, ', '.join(shipped)))


def load(path, used_networks):
    """Read and check a topology file.

    :param path: a :class:`pathlib.Path`
    :param used_networks: the networks that the machine has routes to
    :returns: a :class:`Topology`
    :raises LabError: naming the file and the key that is wrong
    """
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise errors.LabError('cannot read the topology %s: %s'
                              % (path, error.strerror))
    except yaml.YAMLError as error:
        raise errors.LabError('the topology %s is not YAML: %s'
                              % (path, error))
    _check_schema(path, content)
    hosts = tuple(
        LabHost(name, index, LabPolicy(**documents.fields(declared or {},
                                                          LabPolicy)))
        for index, (name, declared) in enumerate(content['hosts'].items()))
    _check_hosts(path, hosts)
    network = _choose_network(content.get('network', 'auto'), used_networks)
    return Topology(network=network, hosts=hosts)


def save(topology, path):
    """Write a topology, its network chosen, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hosts = {host.name: documents.part(host.policy, LabPolicy)
             for host in topology.hosts}
    path.write_text(yaml.safe_dump(
        {'network': str(topology.network), 'hosts': hosts},
        sort_keys=False))


def _check_schema(path, content):
    own = yaml.safe_load((paths.PACKAGE / 'topology-schema.yaml').read_text())
    defs = documents.extended(inventory.schema()['$defs'], own['$defs'])
    problems = documents.problems(content, {**own, '$defs': defs})
    if problems:
        raise errors.LabError('%s: %s' % (path, '; '.join(problems)))


def _check_hosts(path, hosts):
    for host in hosts:
        store = host.policy.file_backed
        if store and store.capacity_mib > store.size_mib:
            raise errors.LabError(
                '%s: hosts.%s.file_backed.size_mib: %d MiB cannot hold the '
                'declared capacity of %d MiB' % (
                    path, host.name, store.size_mib, store.capacity_mib))


def _choose_network(declared, used_networks):
    free = next((candidate for candidate in
                 FREE_RANGES.subnets(new_prefix=23)
                 if not _clashes(candidate, used_networks)), None)
    if declared == 'auto':
        if free is None:
            raise errors.LabError('no free network in %s: set "network" in '
                                  'the topology' % FREE_RANGES)
        return free
    try:
        network = ipaddress.ip_network(declared)
    except ValueError as error:
        raise errors.LabError('network: %s' % error)
    clash = _clashes(network, used_networks)
    if clash:
        raise errors.LabError(
            'network: %s is in use on this machine (route to %s); %s is free'
            % (network, clash, free))
    return network


def _clashes(candidate, used_networks):
    return next((used for used in used_networks
                 if used.overlaps(candidate)), None)
