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

"""What test classes lease, so that others may run beside them."""

import contextlib
import dataclasses
import functools
import os

from oslo_concurrency import lockutils
from oslo_log import log as logging
from tempest import clients
from tempest.common import credentials_factory
from tempest import config

from mempage_tempest_plugin.changes import leases
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import several
from mempage_tempest_plugin.tests.bases import joined

CONF = config.CONF
LOG = logging.getLogger(__name__)

#: Pools: servers have pages of them, whatever others have.
TAKES = 'takes'
#: Pools: the pages of servers are counted. Hosts that are containers of one
#: machine have its pools in common.
COUNTS = 'counts'
#: Pools: the same, and they are given more pages or fewer meanwhile.
CHANGES = 'changes'
_COUNT = (COUNTS, CHANGES)
# What allows to restart nova-compute, which looks at the pools of its kernel
# then, and never again.
_RESTART = {'reconfigure_hosts', 'fault_injection'}
# MiB of a store or a pool that one lease of a part of it is for, at least, and
# how many parts there are, at most: each is an open file of who has it.
_PART_MIB = 64
_MOST_PARTS = 64


@dataclasses.dataclass(frozen=True)
class Room:
    """For which servers stores and pools have to have room at the same time.

    :ivar in_files: how many there are on a host whose memory is in files; as
        many as on others if None
    :ivar with_pages: how many there are that have large pages
    :ivar ram_mib: their RAM; that of the class's flavor if None
    """

    in_files: int | None = None
    with_pages: int = 1
    ram_mib: int | None = None


def take(cls):
    """Lease what a class needs, or wait for it.

    :param cls: the test class
    :returns: a leases.Leases, to be released when the class is done
    """
    taken = _leases(cls)
    if will_run(cls):
        taken.take(_wish(cls))
    return taken


def would_wait(cls):
    """Tell whether a class had to wait for its leases now.

    :param cls: the test class
    """
    if not will_run(cls):
        return False
    try:
        with _leases(cls) as taken:
            taken.take(_wish(cls), timeout=0)
    except exceptions.LeaseTimeout:
        return True
    except Exception:
        # What cannot be asked now is a failure of the class when it begins.
        LOG.exception('Whether %s had to wait is not known', cls.__name__)
    return False


def take_others(cls, avoided):
    """Lease hosts in the place of some, if others suit that are not leased.

    :param cls: the test class, which has its leases
    :param avoided: names of hosts
    :returns: whether there are others; the class knows and has them then
    """
    before, known = cls.avoided, cls.declared
    cls.avoided = before.union(avoided)
    if will_run(cls) and not set(cls.declared) <= set(known):
        # Who has everything keeps it: it has Tempest's lock, too, for which
        # others wait that have leases.
        if not is_alone_in_the_cloud(cls):
            cls._leases.release()
            cls._leases = take(cls)
        return True
    cls.avoided, cls.declared = before, known
    return False


def _leases(cls):
    return leases.Leases(lockutils.get_lock_path(CONF), '%s (process %d)' % (
        cls.__name__, os.getpid()))


def will_run(cls):
    """Tell whether a class finds the hosts that it needs.

    If not, Tempest is about to learn why, and to skip it.

    :param cls: the test class, which knows its hosts then
    """
    try:
        joined.skip_unless_promised(cls)
        joined.choose_hosts(cls)
    except (cls.skipException, exceptions.InventoryError):
        return False
    return True


def _wish(cls):
    if is_alone_in_the_cloud(cls):
        return leases.EVERYTHING
    used = cls.declared if cls.needs_hosts else []
    names = {host.name for host in used}
    if cls.anywhere:
        names.update(cls.inventory.hosts)
    shared = {leases.host(name) for name in names}
    alone = {host.name for host in alone_on(cls)}
    exclusive = {leases.host(name) for name in alone}
    restarts = not _RESTART.isdisjoint(joined.united(cls, 'promises'))
    kernels = _kernels(used) if cls.pools or restarts else set()
    if cls.pools:
        (exclusive if cls.pools in _COUNT else shared).update(
            map(leases.kernel, kernels))
    if cls.pools == CHANGES or restarts:
        (exclusive if cls.pools == CHANGES else shared).update(
            map(leases.pool_sizes, kernels))
    return leases.Wish(frozenset(shared), frozenset(exclusive),
                       _in_common(cls, names - alone))


def _in_common(cls, names):
    """Tell how much a class needs of stores and pools that others use, too.

    :param cls: the test class
    :param names: of its hosts
    :returns: dict of leases.Parts by resource
    """
    parts = {}
    for name in names:
        host = cls.inventory.hosts[name]
        if host.file_backed:
            parts[leases.store(name)] = _parts(
                _in_files_mib(cls), host.file_backed.capacity_mib)
        elif cls.pools == TAKES and page_sizes.large(host):
            ram_mib = page_sizes.whole_ram(cls.declared, _ram_mib(cls))
            size = page_sizes.granted(host, page_sizes.LARGE, ram_mib)
            if size:
                parts[leases.pool(name, size)] = _parts(
                    cls.room.with_pages * ram_mib, _pool_mib(host, size))
    return {resource: each for resource, each in parts.items() if each.wanted}


def _in_files_mib(cls):
    """Tell how much a class needs of each store; math.inf if nobody knows."""
    servers = cls.room.in_files
    if servers is None:
        servers = cls.servers_on_host
    return servers * _ram_mib(cls)


def _ram_mib(cls):
    return (cls.room.ram_mib or cls.flavor_ram_mib
            or _configured_ram(cls.flavor_option))


def _pool_mib(host, size_kib):
    """Tell how much RAM guests can have in pages of a size, in any case.

    A guest has all pages on one NUMA node: what is left of several may be too
    little on each of them.
    """
    return max(host.node_pages(size_kib).values()) * size_kib // 1024


def _parts(needed_mib, mib):
    """Divide a store or a pool.

    :param needed_mib: what a class needs of it; math.inf if nobody knows
    :param mib: what there is
    :returns: leases.Parts
    """
    of = min(_MOST_PARTS, max(1, mib // _PART_MIB))
    # One that needs more than there is learns so when it is alone.
    return leases.Parts(-(-min(needed_mib, mib) * of // mib), of)


@functools.cache
def _configured_ram(option):
    """Ask for the RAM of a configured flavor.

    :param option: of [compute], which names it
    :returns: MiB
    """
    with contextlib.ExitStack() as stack:
        client = clients.Manager(_administrator(stack)).flavors_client
        return client.show_flavor(CONF.compute[option])['flavor']['ram']


def _administrator(stack):
    """Get credentials before Tempest has some for the class.

    :param stack: contextlib.ExitStack that gives them back
    """
    if CONF.auth.use_dynamic_credentials:
        return credentials_factory.get_configured_admin_credentials()
    provider = credentials_factory.get_credentials_provider('mempage-leases')
    stack.callback(provider.clear_creds)
    return provider.get_admin_creds().credentials


def _kernels(declared):
    """List the boot IDs of the kernels of hosts.

    :param declared: declarations (inventory.Host)
    :raises HostError: if a host cannot be asked
    """
    hosts = [compute_host.get(host, CONF.mempage.host_timeout)
             for host in declared]
    return {kernel for _, kernel in several.ask(
        hosts, lambda host: host.kernel, CONF.mempage.parallel_hosts)}


def alone_on(cls):
    """List the hosts that a class leases for itself alone.

    :param cls: the test class, which knows its hosts
    :returns: list of declarations (inventory.Host)
    """
    if cls.alone_on is None or not cls.needs_hosts:
        return []
    return cls.alone_on(cls.declared)


def is_alone_in_the_cloud(cls):
    """Tell whether tests of other plugins must not run at the same time.

    They know nothing of leases.

    :param cls: the test class
    """
    alone = cls.alone_on is not None or cls.pools in _COUNT
    return alone and not CONF.mempage.runs_alone
