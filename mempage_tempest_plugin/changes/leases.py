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

"""Leases of what tests share: hosts, and kernels that several hosts share.

Whoever wants something for itself alone takes an exclusive lease of it, all
others a shared one. Of what is limited, as stores and pools of large pages
are, they take as many parts as they need. A lease is a lock of a file below
``lock_path``, between processes; that of a process that is killed is free at
once.

The locks are POSIX record locks, which belong to a process: its threads do
not exclude each other, those that it starts do not inherit them, and a lock
is lost when the process closes *any* descriptor of its file. So a process
has leases below a path only once at a time.
"""

import contextlib
import dataclasses
import functools
import os
import time
import typing
import urllib.parse

import fasteners
from oslo_log import log as logging
from oslo_utils import timeutils

from mempage_tempest_plugin.changes import lease_notes
from mempage_tempest_plugin import exceptions

LOG = logging.getLogger(__name__)

# Shared by all who have any lease, so that it stands for those of all hosts,
# of unknown ones, too.
_ALL = 'all'
# Seconds after which one who waits says so, and says it again.
_PATIENCE = 10
# Below which lock paths a process has leases, as (its id, path): a copy of
# the process has this set, but none of the leases.
_IN_USE = set()


def host(name):
    """Name the resource that is a compute host.

    :param name: of the host
    """
    return 'host-' + name


def kernel(boot_id):
    """Name the resource that is a kernel, which several hosts may share.

    :param boot_id: of the kernel
    """
    return 'kernel-' + boot_id


def pool_sizes(boot_id):
    """Name the resource that is how many large pages a kernel has.

    :param boot_id: of the kernel
    """
    return 'pool-sizes-' + boot_id


def store(name):
    """Name the resource that is the memory of a backing store.

    :param name: of its host
    """
    return 'store-' + name


def pool(name, size_kib):
    """Name the resource that is a host's large pages of one size.

    :param name: of the host
    :param size_kib: the page size
    """
    return 'pool-%s-%d' % (name, size_kib)


class Parts(typing.NamedTuple):
    """How many parts are wanted of a resource."""

    wanted: int
    #: How many there are.
    of: int


@dataclasses.dataclass(frozen=True)
class Wish:
    """What somebody wants leases of.

    A resource that is named in both sets is wanted exclusively.
    """

    #: Names of resources that others may use, too.
    shared: frozenset = frozenset()
    #: Names of resources that nobody else may use.
    exclusive: frozenset = frozenset()
    #: Parts by names of resources. They are taken after all others.
    parts: dict = dataclasses.field(default_factory=dict)

    def in_order(self):
        """List the whole resources in the one order in which they are taken.

        :returns: list of (name, whether it is wanted exclusively)
        """
        names = {*self.shared, *self.exclusive} - {_ALL}
        return [(name, name in self.exclusive)
                for name in [_ALL, *sorted(names)]]


#: All there is, while nobody else has anything.
EVERYTHING = Wish(exclusive=frozenset([_ALL]))


class Leases:
    """The leases that one process holds at the same time.

    As a context manager, it releases them at the end.
    """

    def __init__(self, lock_path, holder, say=LOG.info, poll=0.1):
        """Name the holder; nothing is taken before :meth:`take`.

        :param lock_path: directory that all share who must respect each
            other's leases
        :param holder: a line that tells others who holds them
        :param say: function that is told each ten seconds who is waited for
        :param poll: seconds between two attempts to get a lock
        """
        self._lock_path = os.path.abspath(lock_path)
        self._holder = holder
        self._say = say
        self._poll = poll
        self._taken = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.release()

    def take(self, wish, timeout=None):
        """Take leases of all that is wished for, or wait.

        :param wish: a Wish
        :param timeout: seconds to wait for all of them together; without
            limit if None
        :raises LeaseTimeout: if one cannot be had; none is held then
        :raises RuntimeError: if this process has leases already
        """
        use = (os.getpid(), self._lock_path)
        if use in _IN_USE:
            # Further ones could not be taken in order, and the same ones
            # would be lost with the first that is released.
            raise RuntimeError('%s: this process has leases below %s already'
                               % (self._holder, self._lock_path))
        limit = timeutils.StopWatch(timeout).start()
        with contextlib.ExitStack() as stack:
            _IN_USE.add(use)
            stack.callback(_IN_USE.discard, use)
            self._note = stack.enter_context(
                lease_notes.Note(self._lock_path, self._holder))
            # Who waits for a lease keeps those that come before it, and waits
            # for those only who have it or wait for one that comes after it:
            # nobody waits for himself in the end. A host may be idle
            # meanwhile; but if it were given back, whoever wants many would
            # be overtaken for ever.
            for resource, exclusive in wish.in_order():
                kind = 'exclusive' if exclusive else 'shared'
                self._take_one(stack, resource, kind, limit,
                               self._whole(stack, resource, exclusive))
            for resource, parts in sorted(wish.parts.items()):
                self._take_one(stack, resource, '%d-of-%d' % parts, limit,
                               self._parts(stack, resource, parts))
            self._taken = stack.pop_all()

    def release(self):
        """Release all leases, the last one first; without any, do nothing."""
        self._taken.close()

    def _take_one(self, stack, resource, kind, limit, acquire):
        self._note.add('wanted', kind, resource)
        wait = functools.partial(self._wait, resource, kind, limit,
                                 timeutils.StopWatch().start())
        # Sharers who follow each other would keep the lock shared for ever.
        # At this gate they wait behind him who wants it for himself alone,
        # and so do those who want few parts behind him who wants many.
        gate = self._lock('gate', resource)
        try:
            wait(gate.acquire_write_lock)
            wait(acquire)
        finally:
            _let_go(gate)
        self._note.add('held', kind, resource)

    def _whole(self, stack, resource, exclusive):
        lock = self._lock('lease', resource)
        stack.callback(_let_go, lock)
        return lock.acquire_write_lock if exclusive else lock.acquire_read_lock

    def _parts(self, stack, resource, parts):
        """Prepare to lock some of many parts, whichever are free.

        :returns: function with the parameters of a lock's acquire
        """
        had = set()

        def acquire(delay, max_delay, timeout):
            limit = timeutils.StopWatch(timeout).start()
            while True:
                for number in set(range(parts.of)) - had:
                    if len(had) < parts.wanted and self._take_part(
                            stack, '%s-%d' % (resource, number)):
                        had.add(number)
                if len(had) == parts.wanted or limit.expired():
                    return len(had) == parts.wanted
                time.sleep(delay)

        return acquire

    def _take_part(self, stack, part):
        lock = self._lock('lease', part)
        if lock.acquire_write_lock(blocking=False):
            stack.callback(_let_go, lock)
            return True
        _let_go(lock)
        return False

    def _lock(self, what, resource):
        return fasteners.InterProcessReaderWriterLock(os.path.join(
            self._lock_path,
            'mempage-%s-%s' % (what, urllib.parse.quote(resource, safe=''))))

    def _wait(self, resource, kind, limit, waited, acquire):
        """Wait for a lock, and say who has it.

        :param kind: of the lease, in words
        :param limit: StopWatch of all that is to be taken
        :param waited: StopWatch of this resource
        :param acquire: how to get the lock
        """
        while not acquire(delay=self._poll, max_delay=self._poll,
                          timeout=_patience(limit, waited)):
            who = lease_notes.tell(self._lock_path, resource, self._note)
            if limit.expired():
                raise exceptions.LeaseTimeout(resource, kind, who,
                                              limit.elapsed())
            self._say('%s waits for %s (%s), %s, for %d s' % (
                self._holder, resource, kind, who, waited.elapsed()))


def _patience(limit, waited):
    """Tell how many seconds to wait silently."""
    patience = _PATIENCE - waited.elapsed() % _PATIENCE
    left = limit.leftover(return_none=True)
    return patience if left is None else min(patience, left)


def _let_go(lock):
    """Release a lock, and close its file even if it was never had.

    Whenever that is closed later, the process loses the lock of that file
    that it may have by then.
    """
    if lock.lockfile is not None:
        lock.release_write_lock()
