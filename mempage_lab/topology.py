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
import functools
import ipaddress
import pathlib

import yaml

from mempage_lab import errors
from mempage_lab import host_checks
from mempage_lab import installation
from mempage_lab.machines import qemu
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import switch
from mempage_lab import systems
from mempage_tempest_plugin.declared import documents
from mempage_tempest_plugin.declared import inventory

SHIPPED = paths.PACKAGE / 'topologies'
DEFAULT = SHIPPED / 'default.yaml'
#: Reserved for benchmarking networks (RFC 2544): seldom in use.
FREE_RANGES = ipaddress.ip_network('198.18.0.0/15')


@dataclasses.dataclass(frozen=True)
class LabStore(inventory.FileBacked):
    """A backing store to build; sizes in MiB.

    :ivar disk: serial number of the disk that it is on; a file otherwise
    :ivar link: a symbolic link to the directory, which libvirt is told of
        instead; None for none
    """
    directory: str = '/var/lib/libvirt/memory'
    size_mib: int = dataclasses.field(kw_only=True)
    disk: str | None = None
    link: str | None = dataclasses.field(default=None, kw_only=True)


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
class LabMachine:
    """The virtual machine that a host is; see :mod:`mempage_lab.machines`.

    :ivar numa: its :class:`mempage_lab.machines.qemu.Numa` nodes
    :ivar disks: its :class:`mempage_lab.machines.qemu.Nvme` disks
    """
    numa: tuple[qemu.Numa, ...]
    disks: tuple[qemu.Nvme, ...] = ()

    @property
    def memory_mib(self):
        """The memory of all nodes."""
        return sum(node.memory_mib for node in self.numa)


@dataclasses.dataclass(frozen=True)
class Shape:
    """What is unusual of a host, besides where guests have their memory.

    :ivar contained: whether libvirt and nova-compute each run in a mount
        namespace of their own, as with kolla
    :ivar domain: the one that libvirt says the host is in, and nothing else
    :ivar jump: the host that the tests have to log in through
    :ivar tenant_guests: how many guests of a project that is not the tests'
    :ivar switch: which Open vSwitch: see :mod:`mempage_lab.switch`
    """
    contained: bool = False
    domain: str | None = None
    jump: str | None = None
    tenant_guests: int = 0
    switch: str | None = None


@dataclasses.dataclass(frozen=True)
class LabHost:
    """One compute host.

    :ivar system: the Debian that it runs; None: that of the controller
    :ivar machine: the :class:`LabMachine` that it is; None: a namespace
    """
    name: str
    index: int
    policy: LabPolicy = LabPolicy()
    system: str | None = None
    machine: LabMachine | None = None
    shape: Shape = Shape()

    @property
    def hypervisor(self):
        """What Nova calls its hypervisor; the service has its name."""
        domain = self.shape.domain
        return '%s.%s' % (self.name, domain) if domain else self.name


@dataclasses.dataclass(frozen=True)
class Topology:
    """All hosts, the addresses of the lab's two networks, and OpenStack.

    :ivar stock: whether Nova is without the project's extension
    :ivar system: the Debian of all nodes that name no other; None: that of
        the machine, or if its Python is none of the release's, another one
    :ivar shares: whether there is a shared file system service
    """
    network: ipaddress.IPv4Network
    hosts: tuple
    release: releases.Release = releases.NEWEST
    stock: bool = False
    system: str | None = None
    shares: bool = False

    def installation(self, host=None):
        """Return the OpenStack that a node runs.

        :param host: a :class:`LabHost`; None: the controller
        :returns: a :class:`mempage_lab.installation.Installation`
        """
        name = (host and host.system) or self.system or self._default_system
        return self._installation(name)

    @functools.cached_property
    def installations(self):
        """All that its nodes run, the controller's first."""
        found = [self.installation(), *map(self.installation, self.hosts)]
        return list(dict.fromkeys(found))

    @functools.cached_property
    def _installation(self):
        return functools.cache(lambda name: installation.Installation(
            self.release, self.stock, self.system_named(name)))

    def system_named(self, name):
        """Return a Debian with all packages that nodes of it have.

        :param name: one of :data:`mempage_lab.systems.DEBIANS`
        :returns: a :class:`mempage_lab.systems.System`
        """
        wanted = ((self.switched or self.shares)
                  and name == switch.SYSTEM)
        return systems.System(name, packages.CONSUMERS if wanted else ())

    @functools.cached_property
    def _default_system(self):
        machine = systems.machine_name()
        return next((name for name in (machine, *systems.DEBIANS)
                     if name in systems.DEBIANS
                     and self.release.runs_on(systems.System(name))), machine)

    @property
    def openstack(self):
        """Its OpenStack in words."""
        return '%s on %s%s' % (
            self.release.name, self.installation().system.name,
            ', stock Nova' if self.stock else '')

    @property
    def management(self):
        """The network of the services, a /24."""
        return list(self.network.subnets(new_prefix=24))[0]

    @property
    def external(self):
        """The network that guests are reached through, a /24."""
        return list(self.network.subnets(new_prefix=24))[1]

    @property
    def controller(self):
        """The controller's address."""
        return str(self.management[2])

    def address(self, host):
        """Return a compute host's address on the management network."""
        return str(self.management[10 + host.index])

    def jump(self, host):
        """Return the host that the tests log in on another one through.

        :param host: a :class:`LabHost`
        :returns: a :class:`LabHost`; None if they need none
        """
        return next((other for other in self.hosts
                     if other.name == host.shape.jump), None)

    @property
    def pools(self):
        """The pools of all hosts that share the kernel's."""
        return [pool for host in self.hosts if not host.machine
                for pool in host.policy.pools]

    @property
    def switched(self):
        """The hosts whose guests have vhost-user ports."""
        return [host for host in self.hosts if host.shape.switch]

    @property
    def machines(self):
        """The hosts that are virtual machines."""
        return [host for host in self.hosts if host.machine]

    def pages(self, size_kib):
        """Return how many pages of a size the lab adds to the machine's.

        Those of all hosts' pools, and their switches' own.
        """
        return (sum(pool.pages + pool.reserved for pool in self.pools
                    if pool.size_kib == size_kib)
                + sum(switch.pages(host.shape.switch, size_kib)
                      for host in self.hosts))

    @property
    def page_sizes(self):
        """All page sizes in KiB that some host or its switch has."""
        return sorted({pool.size_kib for pool in self.pools}
                      | {switch.PAGE_KIB for _ in self.switched})

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

    @property
    def restricting(self):
        """The names of the hosts that do not allow all page sizes."""
        return [host.name for host in self.hosts
                if not host.policy.allows_all]

    def made_of(self, release, stock, system):
        """Return the topology of another OpenStack.

        Without the extension of Nova no host can restrict page sizes: all
        allow all of them then, and pools whose pages no guest was to have
        are left out.

        :param release: a :class:`mempage_lab.releases.Release`
        :param stock: whether Nova is without the project's extension
        :param system: the Debian of all nodes that name no other, or None
        :raises LabError: if the release does not run on a node's system
        """
        hosts = tuple(map(_unrestricted, self.hosts)) if stock else self.hosts
        result = dataclasses.replace(self, hosts=hosts, release=release,
                                     stock=stock, system=system)
        _check_systems(result)
        return result


def _unrestricted(host):
    pools = tuple(pool for pool in host.policy.pools
                  if host.policy.allows(pool.size_kib))
    return dataclasses.replace(host, policy=dataclasses.replace(
        host.policy, pools=pools, allowed_page_sizes=('any',)))


def _without_optional(host, sizes):
    if host.machine:
        # Its pools take nothing of those that are short of pages.
        return host
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
        content = documents.read(path)
    except OSError as error:
        raise errors.LabError('cannot read the topology %s: %s'
                              % (path, error.strerror))
    except ValueError as error:
        raise errors.LabError('the topology %s: %s' % (path, error))
    if isinstance(content, dict) and isinstance(content.get('release'), float):
        # So YAML takes 2025.1 without quotes.
        content['release'] = str(content['release'])
    _check_schema(path, content)
    hosts = tuple(
        _host(name, index, dict(declared or {}))
        for index, (name, declared) in enumerate(content['hosts'].items()))
    host_checks.check(path, hosts)
    network = _choose_network(content.get('network', 'auto'), used_networks)
    release = releases.RELEASES[content.get('release', releases.NEWEST.name)]
    result = Topology(network, hosts, release, content.get('stock', False),
                      content.get('system'), content.get('shares', False))
    _check_systems(result, '%s: ' % path)
    if result.stock and result.restricting:
        raise errors.LabError(
            '%s: stock: a stock Nova hands out all page sizes, and '
            'allowed_page_sizes of %s says otherwise' % (
                path, ', '.join(result.restricting)))
    return result


def _host(name, index, declared):
    machine = _machine(declared.pop('machine', None))
    system = declared.pop('system', machine and host_checks.MACHINE_SYSTEM)
    shape = {field.name: declared.pop(field.name)
             for field in dataclasses.fields(Shape) if field.name in declared}
    policy = LabPolicy(**documents.fields(declared, LabPolicy))
    return LabHost(name, index, policy, system, machine, Shape(**shape))


def _machine(declared):
    if declared is None:
        return None
    if 'numa' not in declared:
        node = {key: declared[key] for key in ('memory_mib', 'cpus')
                if key in declared}
        declared = {'numa': [node], 'disks': declared.get('disks', [])}
    return LabMachine(**documents.fields(declared, LabMachine))


def save(topology, path):
    """Write a topology, its network chosen, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hosts = {host.name: dict(
        documents.part(host.policy, LabPolicy),
        **documents.part(host.shape, Shape),
        **_named(system=host.system,
                 machine=host.machine and documents.part(
                     host.machine, LabMachine)))
             for host in topology.hosts}
    path.write_text(yaml.safe_dump(
        {'network': str(topology.network), 'release': topology.release.name,
         'stock': topology.stock, 'shares': topology.shares,
         **_named(system=topology.system),
         'hosts': hosts}, sort_keys=False))


def _named(**values):
    return {key: value for key, value in values.items() if value is not None}


def _check_schema(path, content):
    own = yaml.safe_load((paths.PACKAGE / 'topology-schema.yaml').read_text())
    own['properties']['release'] = {'enum': list(releases.RELEASES)}
    own['$defs']['system'] = {'enum': list(systems.DEBIANS)}
    defs = documents.extended(inventory.schema()['$defs'], own['$defs'])
    problems = documents.problems(content, {**own, '$defs': defs})
    if problems:
        raise errors.LabError('%s: %s' % (path, '; '.join(problems)))


def _check_systems(topology, where=''):
    """Refuse systems whose Python is none of the release's."""
    for found in topology.installations:
        release, system = found.release, found.system
        if not release.runs_on(system):
            raise errors.LabError(
                '%sOpenStack %s runs on Python 3.%d to 3.%d, and %s has '
                '3.%d: choose another release or system' % (
                    where, release.name, *release.python, system.name,
                    system.python))
    for host in topology.hosts:
        wanted = _wants(topology, host)
        name = topology.installation(host).system.name
        if wanted and (host.machine or name != switch.SYSTEM):
            raise errors.LabError(
                '%s%s takes a host with system: %s that is no machine; %s is '
                '%s' % (where, wanted, switch.SYSTEM, host.name,
                        'a machine' if host.machine else 'of ' + name))


def _wants(topology, host):
    """Tell what of a host there is on one Debian only; '' for nothing."""
    if host.shape.switch:
        return 'hosts.%s.switch: %s' % (host.name, host.shape.switch)
    return 'shares: true' if topology.shares else ''


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
    first = network.network_address
    if (first.is_loopback or first.is_multicast or first.is_reserved
            or first.is_link_local or first.is_unspecified):
        raise errors.LabError('network: %s is none of ordinary machines; %s '
                              'is free' % (network, free))
    clash = _clashes(network, used_networks)
    if clash:
        raise errors.LabError(
            'network: %s is in use on this machine (route to %s); %s is free'
            % (network, clash, free))
    return network


def _clashes(candidate, used_networks):
    return next((used for used in used_networks
                 if used.overlaps(candidate)), None)
