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

Expectations come from here, never from the system under test.
"""

import dataclasses
import enum
import os

import jsonschema
import yaml

from mempage_tempest_plugin import exceptions

SCHEMA = os.path.join(os.path.dirname(__file__), 'inventory_schema.yaml')


class Kind(enum.Enum):
    """What a host gives to guests that ask for nothing in particular."""

    FILE_BACKED = 'file-backed'
    LARGE_PAGE = 'large-page'
    PLAIN = 'plain'


@dataclasses.dataclass(frozen=True)
class Ssh:
    """How to log in on a host."""

    user: str
    key: str
    port: int = 22
    known_hosts: str = '~/.ssh/known_hosts'


@dataclasses.dataclass(frozen=True)
class FileBacked:
    """The declared backing store of a host; capacity in MiB."""

    capacity_mib: int
    directory: str
    mount: str
    filesystem: str | None = None


@dataclasses.dataclass(frozen=True)
class Pool:
    """A declared hugepage pool; page size in KiB."""

    size_kib: int
    pages: int


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
class Host:
    """The declaration of one compute host."""

    name: str
    address: str
    ssh: Ssh
    libvirt_uri: str
    file_backed: FileBacked | None = None
    pools: tuple = ()
    small_page_kib: int = 4
    allowed_page_sizes: tuple = ('any',)
    compute_log: Log | None = None
    compute_service: Service | None = None
    libvirt_restart: str | None = None

    @property
    def kind(self):
        """The :class:`Kind` of this host."""
        if self.file_backed:
            return Kind.FILE_BACKED
        if any(pool.pages for pool in self.pools):
            return Kind.LARGE_PAGE
        return Kind.PLAIN

    def allows(self, size_kib):
        """Tell whether guests may be given pages of a size.

        :param size_kib: the size in KiB
        """
        word = 'small' if size_kib == self.small_page_kib else 'large'
        return not {'any', word, size_kib}.isdisjoint(
            self.allowed_page_sizes)


@dataclasses.dataclass(frozen=True)
class Inventory:
    """All declared hosts, by the name that nova reports."""

    path: str
    hosts: dict


def load(path):
    """Read a host inventory.

    :param path: path of the YAML file
    :returns: an :class:`Inventory`
    :raises InventoryError: naming the file and the keys that are wrong
    """
    try:
        with open(path, encoding='utf-8') as stream:
            document = yaml.safe_load(stream)
    except (OSError, UnicodeDecodeError) as error:
        raise exceptions.InventoryError(
            path, ['cannot be read: %s' % error]) from error
    except yaml.YAMLError as error:
        raise exceptions.InventoryError(
            path, ['is not YAML: %s' % error]) from error
    problems = _problems(document)
    if problems:
        raise exceptions.InventoryError(path, problems)
    return Inventory(path, {name: _host(name, declared) for name, declared
                            in document['hosts'].items()})


def _problems(document):
    with open(SCHEMA, encoding='utf-8') as stream:
        validator = jsonschema.Draft202012Validator(yaml.safe_load(stream))
    problems = []
    for error in sorted(validator.iter_errors(document),
                        key=lambda error: [str(key) for key in error.path]):
        key = '.'.join(str(part) for part in error.path) or 'top level'
        problems.append('%s: %s' % (key, error.message))
    return problems


def _host(name, declared):
    services = declared.get('services', {})
    compute = services.get('nova-compute')
    return Host(
        name=name,
        address=declared['address'],
        ssh=Ssh(**declared['ssh']),
        libvirt_uri=declared['libvirt_uri'],
        file_backed=_file_backed(declared.get('file_backed')),
        pools=tuple(Pool(**pool) for pool in declared.get('pools', ())),
        small_page_kib=declared.get('small_page_kib', 4),
        allowed_page_sizes=tuple(
            declared.get('allowed_page_sizes', ['any'])),
        compute_log=_log(compute),
        compute_service=_service(compute),
        libvirt_restart=services.get('libvirt', {}).get('restart'))


def _file_backed(declared):
    if declared is None:
        return None
    return FileBacked(**dict({'mount': declared['directory']}, **declared))


def _log(declared):
    if declared is None:
        return None
    return Log(file=declared.get('log'), unit=declared.get('journal'))


def _service(declared):
    if declared is None or 'config' not in declared:
        return None
    return Service(config=declared['config'], restart=declared['restart'])
