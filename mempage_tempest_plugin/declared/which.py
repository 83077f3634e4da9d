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

"""Which hosts a test is about: conditions on their declarations.

Conditions combine with ``&``, ``|`` and ``~``, and their text is what a skip
says. A :class:`Choice` takes some of the hosts that a condition leaves.
"""

import dataclasses
import functools
from typing import Callable

from mempage_tempest_plugin.declared import node_pools
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin import exceptions

# File systems that have no device below: what is pushed out goes to swap.
IN_MEMORY = ('tmpfs', 'ramfs', 'hugetlbfs')


@dataclasses.dataclass(frozen=True)
class Condition:
    """Something that a host is declared to be, or not.

    Its text is a noun: "file-backed host whose nova-compute can be
    reconfigured".

    :ivar holds: function of a declaration (inventory.Host), and of that of
        the host where a server starts, or None
    :ivar before: words before "host"
    :ivar after: words after it
    :ivar contrary: words after "host" if it does not hold
    """

    holds: Callable
    before: tuple = ()
    after: tuple = ()
    contrary: str = ''

    def __call__(self, host, start=None):
        """Tell whether it holds.

        :param host: the declaration of a host (inventory.Host)
        :param start: the declaration of the host where a server starts, for
            conditions on two hosts
        """
        return bool(self.holds(host, start))

    def __and__(self, other):
        return Condition(
            lambda host, start: self(host, start) and other(host, start),
            self.before + other.before, self.after + other.after)

    def __or__(self, other):
        return Condition(
            lambda host, start: self(host, start) or other(host, start),
            after=('that is a %s or a %s' % (self, other),))

    def __invert__(self):
        return Condition(
            lambda host, start: not self(host, start),
            after=(self.contrary or 'that is not a %s' % self,))

    def __str__(self):
        return ' '.join([*self.before, 'host', ' and '.join(self.after)]
                        ).strip()


def _after(words, contrary='', two=False):
    """Make a condition of a function of one declaration, or of two."""
    def make(holds):
        return Condition(holds if two else lambda host, start: holds(host),
                         after=(words,), contrary=contrary)
    return make


def _before(words, contrary):
    def make(holds):
        return Condition(lambda host, start: holds(host), before=(words,),
                         contrary=contrary)
    return make


any_host = Condition(lambda host, start: True)


@_before('file-backed', 'that is not file-backed')
def file_backed(host):
    """Guests without page size have their memory in files."""
    return host.file_backed


@_before('plain', 'with a backing store or a pool')
def plain(host):
    """Neither backing store nor pool."""
    return not host.file_backed and not _pools(host)


@_after('with a pool of large pages', 'without pool of large pages')
def with_pool(host):
    """Whether guests may have its pages or not."""
    return _pools(host)


def _pools(host):
    return [pool for pool in host.pools if pool.pages]


@_after('with a pool of a page size that is not allowed')
def with_withheld_pool(host):
    """It has pages that no guest may have."""
    return [pool for pool in _pools(host) if not host.allows(pool.size_kib)]


@_after('that keeps the memory of its pools back (memory_mb_without_pools)',
        'that does not keep the memory of its pools back '
        '(memory_mb_without_pools)')
def pools_kept_back(host):
    """Ordinary guests are not promised what pools have."""
    return host.memory_mb_without_pools


@_after('with large pages for guests', 'without large pages for guests')
def large_pages(host):
    """Guests that ask for large pages get some."""
    return page_sizes.large(host)


@_after('with small pages for guests that ask for them',
        'without small pages for guests that ask for them')
def small_pages(host):
    """Guests that ask for small pages get some."""
    return host.small_page_kib in page_sizes.available(host)


@_after('with large pages for guests on several NUMA nodes (pools[].node)')
def pages_on_nodes(host):
    """A guest has its pages on one of several nodes."""
    return node_pools.of_host(host)


@_after('with more of them on one node than on another')
def uneven_nodes(host):
    """There are guests for which it matters which node they get."""
    return [pools for pools in node_pools.of_host(host) if pools.uneven]


@_after('with some on the largest of these nodes that guests may not have '
        '(pools[].reserved)')
def reserved_on_node(host):
    """A guest would find pages there that it may not have."""
    return [pools for pools in node_pools.of_host(host)
            if pools.reserved_node is not None]


shared_memory = dataclasses.replace(
    file_backed | large_pages,
    after=('with memory for guests that others can map (files, or large '
           'pages)',))
some_page_size = dataclasses.replace(
    large_pages | small_pages,
    after=('with pages for guests that ask for a page size',))


@_after('that takes guests without page size',
        'that refuses guests without page size')
def no_page_size(host):
    """Guests that ask for no page size may be there."""
    return host.allows(host.small_page_kib)


@_after('whose nova-compute can be reconfigured '
        '(services.nova-compute.config and .restart)')
def reconfigurable(host):
    """The inventory says how to reconfigure nova-compute."""
    return host.compute_service


@_after('whose nova-compute logs to a known place '
        '(services.nova-compute.log or .journal)')
def logs(host):
    """The inventory says where nova-compute logs to."""
    return host.compute_log


@_after('whose libvirt can be restarted (services.libvirt.restart)')
def libvirt_restartable(host):
    """The inventory says how to restart libvirt."""
    return host.libvirt_restart


@_after('whose switch has vhost-user ports (services.switch)',
        'whose switch has no vhost-user ports (services.switch)')
def vhost_user(host):
    """Guests have vhost-user ports there."""
    return host.switch


@_after('whose switch can be restarted (services.switch.restart)')
def switch_restartable(host):
    """The inventory says how to restart the switch."""
    return host.switch and host.switch.restart


@_after('that can be rebooted (power.reboot)')
def rebootable(host):
    """The inventory says how to boot it again in order."""
    return host.power.reboot


@_after('whose power can be cut (power.cut)')
def power_can_be_cut(host):
    """The inventory says how to cut its power, and boot it."""
    return host.power.cut


@_after('whose store is a device (file_backed.filesystem is declared, and is '
        'none of %s)' % ', '.join(IN_MEMORY))
def on_a_device(host):
    """What is pushed out of the page cache is in the backing file."""
    return (host.file_backed and host.file_backed.filesystem
            and host.file_backed.filesystem not in IN_MEMORY)


@_after('with a size of large pages for guests in common', two=True)
def common_large_pages(host, start):
    """Guests with large pages may go from one to the other."""
    return page_sizes.large(host) & page_sizes.large(start)


@_after('with a size of them on several of its nodes, too', two=True)
def common_nodes(host, start):
    """Where guests go, several nodes can take them."""
    return node_pools.in_common(start, host)


@_after('with the same kind of memory', 'with another kind of memory',
        two=True)
def alike(host, start):
    """Both are file-backed, or neither is."""
    return bool(host.file_backed) == bool(start.file_backed)


#: What guests are given by their request: small, large, or None for none.
TAKES = {None: no_page_size, page_sizes.SMALL: small_pages,
         page_sizes.LARGE: large_pages}


def allowing(*sizes):
    """Make the condition that just these page sizes are allowed.

    :param sizes: words and sizes, as in inventory.Host.allowed_page_sizes
    """
    return _after('with allowed_page_sizes: [%s]' % ', '.join(
        str(size) for size in sizes))(
            lambda host: host.allowed_page_sizes == sizes)


@dataclasses.dataclass(frozen=True)
class Choice:
    """Some of the hosts that a test could be about, or go to.

    :ivar choose: function of a list of declarations, and of that of the host
        where a server starts, or None, that returns a list
    """

    choose: Callable

    def __call__(self, hosts, start=None):
        """Choose.

        :param hosts: declarations (inventory.Host)
        :param start: that of the host where a server starts, if one moves
        :returns: a list of them
        """
        return list(self.choose(list(hosts), start))

    def __add__(self, other):
        return Choice(lambda hosts, start: self(hosts, start) + [
            host for host in other(hosts, start)
            if host not in self(hosts, start)])


def among(condition, choice):
    """Choose among those only for which a condition holds.

    :param condition: a :class:`Condition`
    :param choice: a :class:`Choice`
    """
    return Choice(lambda hosts, start: choice(
        [host for host in hosts if condition(host, start)], start))


def _one_of_each(key):
    """Choose the first host of each kind, by a function of declarations."""
    def choose(hosts, start):
        chosen = {}
        for host in hosts:
            chosen.setdefault(key(host), host)
        return list(chosen.values())
    return Choice(choose)


def _policy(host):
    # Where a store is and how large does not matter, nor does any order.
    return dataclasses.replace(
        host.policy, file_backed=bool(host.file_backed),
        pools=frozenset(_pools(host)),
        allowed_page_sizes=frozenset(host.allowed_page_sizes))


def _filesystem(host):
    return host.file_backed.filesystem


#: All of them.
each = Choice(lambda hosts, start: hosts)
#: One: all have the same code, or it takes long.
first = Choice(lambda hosts, start: hosts[:1])
#: One as well, but of those that tests seldom begin with.
last = Choice(lambda hosts, start: hosts[-1:])
#: A test would learn nothing from another one with the same policy.
one_of_each_policy = _one_of_each(_policy)
#: A test would learn nothing from another store of the same type.
one_of_each_file_system = _one_of_each(_filesystem)


@Choice
def most_large_pages(hosts, start):
    """Choose one host, of those with most sizes of large pages for guests."""
    return sorted(hosts, key=lambda host: -len(page_sizes.large(host)))[:1]


@Choice
def another_file_system(hosts, start):
    """Choose one store, of another type than where the server starts."""
    return sorted(hosts, key=lambda host: _filesystem(host)
                  == _filesystem(start))[:1]


def pair(sources, others, start, go_to, take):
    """Choose where a server starts, and where it can go in that group.

    :param sources: declarations (inventory.Host) of where it may start
    :param others: declarations of where else it may go
    :param start: a :class:`Condition`
    :param go_to: a :class:`Condition`
    :param take: the :class:`Choice` of those to go to
    :returns: list of declarations: the host that suits and has most to go to,
        the first one of several, and those to go to; empty if there is none
    """
    found = []
    for source in filter(start, sources):
        destinations = take([
            host for host in [*sources, *others]
            if host is not source and host.group == source.group
            and go_to(host, source)], source)
        if len(destinations) > len(found[1:]):
            found = [source, *destinations]
    return found


def all_of(conditions):
    """Combine conditions with ``&``; each counts once.

    :param conditions: iterable of :class:`Condition`
    """
    return functools.reduce(Condition.__and__, dict.fromkeys(conditions),
                            any_host)


def selected(inventory, hosts, peers):
    """Split an inventory as a run wants it.

    :param inventory: the inventory.Inventory
    :param hosts: names of the hosts that the run is about; empty for all
    :param peers: names of hosts that servers may go to besides
    :returns: two lists of declarations
    :raises InventoryError: if it does not declare one of them
    """
    unknown = [name for name in [*hosts, *peers]
               if name not in inventory.hosts]
    if unknown:
        raise exceptions.InventoryError(inventory.path, [
            'declares no %s, which [mempage] hosts or peers names'
            % ', '.join(unknown)])
    chosen = hosts or inventory.hosts
    return ([inventory.hosts[name] for name in chosen],
            [inventory.hosts[name] for name in peers if name not in chosen])
