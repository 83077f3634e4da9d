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

"""Hosts that turn out not to be what tests need, though declared so far."""

from oslo_log import log as logging
from tempest import config

from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import several
from mempage_tempest_plugin.tests.bases import leased

CONF = config.CONF
LOG = logging.getLogger(__name__)

# Reasons to skip that nobody can foretell from the inventory and the options.
# Classes name those that they may have in may_skip.
OCCUPIED = 'guests of others would come to harm'
UNDECLARED = 'servers may land on hosts that are not declared'
IN_AGGREGATES = 'hosts are in aggregates with MemoryBacking'
NO_TRAIT = 'Nova does not report the trait of file-backed hosts'
NOT_CONFINED = 'AppArmor confines no guests'
NO_MORE_PAGES = 'the kernel has no more large pages'
NO_TARGET = 'the device mapper lacks a target'
NO_DISK_COUNT = 'no NVMe disk counts what is written to the store'
STORE_TOO_SMALL = 'the store is too small for more than the host\'s memory'
NOT_GIVEN_BACK = 'Nova does not have guests give back free memory'
NO_LOG = 'nobody says where nova-compute logs to'
NO_LOCAL_DISKS = 'Nova boots no servers from images'
CANNOT_EVICT = 'files cannot be pushed out of the page cache'
POLLED = 'others than QEMU have mapped the guest\'s memory'
STORE_IN_MEMORY = 'the store could take memory that everything else needs'
HELD = 'placement holds memory for others'
ON_SEVERAL_NODES = 'a pool has pages on several NUMA nodes'
NOT_PROMISED = 'nobody says that Nova hands out no memory of pools'
NOT_IN_POOLS = 'the largest NUMA node has no pool'
NO_TOOLS = 'what measures is not installed'
SHARED = 'guests need memory that others can map'
NO_ROOM = 'placement would refuse before a NUMA node is looked at'
OTHER_QEMU = 'Nova moves no running guest to an older QEMU'


def skip(test, reason, details):
    """Skip what the cloud turns out not to have.

    :param test: a test, or its class, whose may_skip has the reason
    :param reason: one of the above
    :param details: what was seen, and where
    :raises SkipException: always
    """
    raise test.skipException('%s: %s' % (reason, details))


def leave_out(cls, reason, ask):
    """Leave out hosts of a class for what only the hosts themselves tell.

    :param cls: a base.BaseMemoryTest, whose hosts are known
    :param reason: one of the above
    :param ask: function of a compute_host.ComputeHost that returns why it
        is left out; None if it is not
    :raises SkipException: if no host is left, or one that is needed, with
        all that was found
    """
    answers = several.ask(cls.hosts, ask, CONF.mempage.parallel_hosts)
    _leave_out(cls, reason, {
        host.name: found for host, found in answers if found is not None},
        len(cls.hosts) if cls.needs_all_hosts else 1)


def leave_out_other_qemu(cls):
    """Leave out destinations whose QEMU is another than that of the source.

    Nova does not look at one that is older: "No valid host", as of a host that
    is full. A guest that has been on a newer one cannot come back.

    :param cls: a base.BaseMoveTest, whose hosts are known, the source first
    :raises SkipException: if no destination is left
    """
    source, *destinations = cls.hosts
    version = cls.services.version_of(source.name)
    found = {host.name: 'it has QEMU %s, and %s has %s' % (
        there, source.name, version) for host in destinations
        if (there := cls.services.version_of(host.name)) != version}
    _leave_out(cls, OTHER_QEMU, found, 2)


def _leave_out(cls, reason, found, least):
    """Leave out hosts, or skip a class that has less than it needs then.

    :param cls: a base.BaseMemoryTest, whose hosts are known
    :param reason: one of the above
    :param found: dict of what was found, by the names of the hosts
    :param least: how many hosts it needs
    :raises SkipException: if so many are not left, with all that was found
    """
    cls.hosts = [host for host in cls.hosts if host.name not in found]
    if found and len(cls.hosts) < least:
        skip(cls, reason, _of_hosts(found))
    _note_left_out(cls, reason, found)


def skip_left_out(test, reason):
    """Skip a test that has no hosts, if its class has left out some.

    :param test: a base.BaseMemoryTest, whose may_skip has the reason
    :param reason: one of the above
    :raises SkipException: if its class has left out hosts for that
    """
    found = {name: text.removeprefix(reason + ': ')
             for name, text in test.left_out.items()
             if text.startswith(reason)}
    if found:
        skip(test, reason, _of_hosts(found))


def _of_hosts(found):
    return '; '.join('host %s: %s' % item for item in found.items())


def _note_left_out(cls, reason, found):
    for name, text in found.items():
        LOG.warning('%s leaves out host %s: %s: %s', cls.__name__, name,
                    reason, text)
    # Each test keeps that in its results.
    cls.left_out = {**cls.left_out, **{
        name: '%s: %s' % (reason, text) for name, text in found.items()}}


def take_unoccupied(cls):
    """Have a class take other hosts than some with guests of others.

    It takes those that suit as well, if there are any. Whatever nobody can
    take the place of is left to :func:`leave_out_occupied`.

    :param cls: a base.BaseMemoryTest, whose hosts are chosen and leased
    """
    found = True
    while found:
        hosts = [compute_host.get(declared, CONF.mempage.host_timeout)
                 for declared in leased.alone_on(cls)]
        found = {host.name: told for host, told in several.ask(
            hosts, lambda host: _told(_guests(cls, host)),
            CONF.mempage.parallel_hosts) if told}
        if not leased.take_others(cls, found):
            return
        _note_left_out(cls, OCCUPIED, found)


def leave_out_occupied(cls):
    """Leave out hosts with guests that would come to harm.

    Those that are shut off or being built may run before the class ends.
    The class has leased those that it harms: no other test has a guest there.

    :param cls: a base.BaseMemoryTest, whose hosts are known
    :raises SkipException: as of :func:`leave_out`
    """
    alone = leased.alone_on(cls)

    def count(host):
        return _told(_guests(cls, host) if host.declared in alone else ())

    leave_out(cls, OCCUPIED, count)


def skip_if_occupied(test, host):
    """Skip a test whose host has got guests of others since it began.

    They would come to harm now.

    :param test: a base.BaseMemoryTest, which is harmful
    :param host: the compute_host.ComputeHost
    :raises SkipException: if there are any
    """
    told = _told([uuid for uuid, name in _guests(test, host).items()
                  if not names.is_ours(name)])
    if told:
        skip(test, OCCUPIED, 'host %s: %s' % (host.name, told))


def _guests(test, host):
    """List all guests that a host has, running or not.

    :returns: dict by UUID of their names, or of those of domains that Nova
        does not know
    """
    # In this order: who is deleted meanwhile is in neither.
    known = test.nova.on_host(host.name)
    return {**host.libvirt.running(), **known}


def _told(guests):
    return ('%d are there, running or not, that are no test\'s' % len(guests)
            if guests else None)
