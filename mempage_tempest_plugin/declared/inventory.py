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


"""The host inventory: what the operator declares of each compute host.

Expectations come from here, never from the system under test. A key of a
host's policy is written down twice: in inventory_schema.yaml, and here as a
field with its default.
"""

import collections
import dataclasses
import enum
import functools
import os
import posixpath

import yaml

from mempage_tempest_plugin.declared import documents
from mempage_tempest_plugin import exceptions

SCHEMA = os.path.join(os.path.dirname(__file__), 'inventory_schema.yaml')


class Kind(enum.Enum):
    """What a host gives to guests that ask for nothing in particular."""

    FILE_BACKED = 'file-backed'
    LARGE_PAGE = 'large-page'
    PLAIN = 'plain'


@dataclasses.dataclass(frozen=True)
class FileBacked:
    """The declared backing store of a host; capacity in MiB.

    :ivar directory: the backing directory
    :ivar mount: where the file system is mounted; the directory by default
    :ivar filesystem: its type; any by default
    :ivar mappers: names of the programs that map guests' memory, too
    """

    capacity_mib: int
    directory: str
    mount: str | None = None
    filesystem: str | None = None
    mappers: tuple[str, ...] = ()

    def __post_init__(self):
        for name, path in (('directory', self.directory),
                           ('mount', self.mount or self.directory)):
            # What the kernel and QEMU are compared with has no other form.
            object.__setattr__(self, name,
                               '/' + posixpath.normpath(path).lstrip('/'))


@dataclasses.dataclass(frozen=True)
class DeclaredPool:
    """A declared pool of large pages; page size in KiB.

    :ivar pages: how many of them guests may have
    :ivar node: the NUMA node that they are on; None if they are spread over
        all nodes as the kernel divides them
    :ivar reserved: how many more there are, which guests may not have
    """

    size_kib: int
    pages: int
    node: int | None = None
    reserved: int = 0


@dataclasses.dataclass(frozen=True)
class Policy:
    """Where a host takes its guests' memory from.

    :ivar allowed_page_sizes: small, large, any, or sizes in KiB
    :ivar memory_mb_without_pools: whether Nova hands out no more memory than
        there is beside the pools
    """

    file_backed: FileBacked | None = None
    pools: tuple[DeclaredPool, ...] = ()
    small_page_kib: int = 4
    allowed_page_sizes: tuple[str | int, ...] = ('any',)
    memory_mb_without_pools: bool = False

    @property
    def kind(self):
        """The :class:`Kind` of this host."""
        if self.file_backed:
            return Kind.FILE_BACKED
        if any(pool.pages for pool in self.pools):
            return Kind.LARGE_PAGE
        return Kind.PLAIN

    @property
    def allows_all(self):
        """Whether guests may be given pages of every size."""
        return 'any' in self.allowed_page_sizes

    def allows(self, size_kib):
        """Tell whether guests may be given pages of a size.

        :param size_kib: the size in KiB
        """
        word = 'small' if size_kib == self.small_page_kib else 'large'
        return self.allows_all or not {word, size_kib}.isdisjoint(
            self.allowed_page_sizes)

    def node_pages(self, size_kib):
        """Tell how many pages of a size guests may have, and where.

        :param size_kib: the size in KiB
        :returns: dict by NUMA node of pages; the node is None if it is not
            declared
        """
        pages = collections.Counter()
        for pool in self.pools:
            if pool.size_kib == size_kib:
                pages[pool.node] += pool.pages
        return pages


@dataclasses.dataclass(frozen=True)
class Jump:
    """A machine that a host is reached through.

    :ivar user: who logs in there; None: the user of the host
    """

    address: str
    user: str | None = None
    port: int = 22


@dataclasses.dataclass(frozen=True)
class Ssh:
    """How to log in on a host.

    :ivar jump: the machine that it is reached through; its key and its file
        of known hosts are the same
    """

    user: str
    key: str
    port: int = 22
    known_hosts: str = '~/.ssh/known_hosts'
    jump: Jump | None = None


@dataclasses.dataclass(frozen=True)
class Access:
    """How a host is reached."""

    name: str
    address: str
    ssh: Ssh
    libvirt_uri: str


@dataclasses.dataclass(frozen=True)
class Log:
    """Where a service logs to: one of a file and a systemd unit."""

    file: str | None = None
    unit: str | None = None


@dataclasses.dataclass(frozen=True)
class Service:
    """How to reconfigure a service: its file, and a command line for root."""

    config: str
    restart: str


@dataclasses.dataclass(frozen=True)
class Switch:
    """The switch that serves the vhost-user ports of guests.

    :ivar program: its name, as in /proc/PID/comm
    :ivar restart: a command line for root
    """

    program: str
    restart: str | None = None


@dataclasses.dataclass(frozen=True)
class Power:
    """How to boot a host again: command lines for where the tests run.

    :ivar reboot: boots it in order
    :ivar cut: cuts its power, and boots it
    """

    reboot: str | None = None
    cut: str | None = None


@dataclasses.dataclass(frozen=True)
class Host(Policy, Access):
    """The declaration of one compute host.

    :ivar group: the hosts that servers can move to and from, as of a cell, an
        availability zone or a CPU model, have the same; None is one as well
    :ivar slowness: how many times as long as usual things take there
    :ivar drafted: keys of the policy that say what was found there, and that
        nobody has confirmed to be what has to be there
    """

    group: str | None = None
    slowness: float = 1
    power: Power = Power()
    drafted: tuple[str, ...] = ()
    compute_log: Log | None = None
    compute_service: Service | None = None
    libvirt_restart: str | None = None
    switch: Switch | None = None

    def limit(self, seconds):
        """Return how long something may take there.

        :param seconds: how long it may take on other hosts
        """
        return seconds * self.slowness

    @property
    def policy(self):
        """The :class:`Policy` alone."""
        return Policy(**{field.name: getattr(self, field.name)
                         for field in dataclasses.fields(Policy)})


@dataclasses.dataclass(frozen=True)
class Inventory:
    """All declared hosts, by the name that nova reports."""

    path: str
    hosts: dict

    def limit(self, seconds):
        """Return how long something may take on the slowest of them.

        :param seconds: how long it may take on hosts that are not slow
        """
        return max(host.limit(seconds) for host in self.hosts.values())


def schema():
    """Return the JSON schema of inventories, a dict."""
    with open(SCHEMA, encoding='utf-8') as stream:
        return yaml.safe_load(stream)


def load(path):
    """Read a host inventory.

    :param path: path of the YAML file
    :returns: an :class:`Inventory`
    :raises InventoryError: naming the file and the keys that are wrong
    """
    try:
        with open(path, encoding='utf-8') as stream:
            return _parse(path, stream.read())
    except (OSError, UnicodeDecodeError) as error:
        raise exceptions.InventoryError(path, ['cannot be read: %s' % (
            getattr(error, 'strerror', error))]) from error


# Each test class loads it, and a large one takes seconds.
@functools.lru_cache(maxsize=1)
def _parse(path, text):
    try:
        document = documents.parse(text)
    except ValueError as error:
        raise exceptions.InventoryError(path, [str(error)]) from error
    problems = documents.problems(document, schema())
    if problems:
        raise exceptions.InventoryError(path, problems)
    return Inventory(path, {name: _host(name, declared) for name, declared
                            in document['hosts'].items()})


def load_confirmed(path):
    """Read a host inventory whose policies somebody stands for.

    What was drafted from what is there is always true.

    :param path: path of the YAML file
    :returns: an :class:`Inventory`
    :raises InventoryError: as of :func:`load`, or naming what is drafted
    """
    found = load(path)
    drafted = ['hosts.%s.drafted: %s' % (name, ', '.join(host.drafted))
               for name, host in found.hosts.items() if host.drafted]
    if drafted:
        raise exceptions.InventoryError(path, [*drafted, (
            'what was found there would agree with itself. Compare it with '
            'what has to be there, and remove these keys')])
    return found


def dump(inventory):
    """Write a host inventory.

    :param inventory: an :class:`Inventory`
    :returns: the text that :func:`load` reads it from; keys that have their
        default are left out
    """
    return yaml.safe_dump({'hosts': {
        name: _document(host) for name, host in inventory.hosts.items()}},
        sort_keys=False)


def _host(name, declared):
    declared = dict(declared)
    services = declared.pop('services', {})
    compute = services.get('nova-compute')
    return Host(name=name, **documents.fields(declared, Host),
                compute_log=_log(compute), compute_service=_service(compute),
                libvirt_restart=services.get('libvirt', {}).get('restart'),
                switch=_switch(services.get('switch')))


def _document(host):
    document = documents.part(host, Access) | documents.part(host, Policy)
    del document['name']
    if host.group:
        document['group'] = host.group
    if host.slowness != 1:
        document['slowness'] = host.slowness
    power = documents.part(host.power, Power)
    if power:
        document['power'] = power
    if host.drafted:
        document['drafted'] = list(host.drafted)
    services = _services(host)
    if services:
        document['services'] = services
    return document


def _log(declared):
    if declared is None:
        return None
    return Log(file=declared.get('log'), unit=declared.get('journal'))


def _service(declared):
    if declared is None or 'config' not in declared:
        return None
    return Service(config=declared['config'], restart=declared['restart'])


def _switch(declared):
    return Switch(**declared) if declared else None


def _services(host):
    compute = {}
    if host.compute_log:
        compute = {'log': host.compute_log.file,
                   'journal': host.compute_log.unit}
    if host.compute_service:
        compute.update(vars(host.compute_service))
    services = {
        'nova-compute': {key: text for key, text in compute.items() if text},
        'libvirt': host.libvirt_restart and {'restart': host.libvirt_restart},
        'switch': host.switch and documents.part(host.switch, Switch)}
    return {name: told for name, told in services.items() if told}
