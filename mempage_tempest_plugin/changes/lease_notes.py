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

"""Notes of who has and who wants leases, for those who wait for them.

A note is a file that its process keeps locked: an unlocked one was left by a
process that was killed, and tells nothing.
"""

import contextlib
import glob
import os

import fasteners
from tempest.lib.common.utils import data_utils


class Note:
    """What one process has leases of; there while the context is entered."""

    def __init__(self, lock_path, holder):
        """Keep what to note.

        :param lock_path: directory of all notes
        :param holder: a line that names the process
        """
        self._holder = holder
        name = data_utils.rand_uuid_hex()
        #: Where it is.
        self.path = _path(lock_path, name)
        # Where it is begun: nobody may find it before it is locked.
        self._draft = os.path.join(lock_path, 'mempage-new-note-' + name)
        self._lock = fasteners.InterProcessReaderWriterLock(self._draft)

    def __enter__(self):
        self._lock.acquire_write_lock()
        self._write(self._holder)
        os.rename(self._draft, self.path)
        return self

    def __exit__(self, *error):
        try:
            os.unlink(self.path)
        finally:
            self._lock.release_write_lock()

    def add(self, state, kind, resource):
        """Note the state of a lease; the last one counts.

        :param state: 'wanted' or 'held'
        :param kind: 'shared' or 'exclusive'
        :param resource: its name
        """
        self._write('%s %s %s' % (state, kind, resource))

    def _write(self, line):
        # To open the file once more, and to close it, would unlock it.
        self._lock.lockfile.write(line + '\n')
        self._lock.lockfile.flush()


def tell(lock_path, resource, own):
    """Tell who has leases of a resource, and who else wants one.

    :param lock_path: directory of all notes
    :param resource: its name
    :param own: the Note of this process, which is left out
    :returns: text for people
    """
    who = {'held': [], 'wanted': []}
    for path in sorted(glob.glob(_path(glob.escape(lock_path), '*'))):
        if path != own.path and _is_kept(path):
            holder, leases = _read(path)
            if resource in leases:
                state, kind = leases[resource]
                who[state].append('%s [%s]' % (holder, kind))
    return ', '.join(
        '%s by %s' % (state, ', '.join(holders))
        for state, holders in who.items() if holders) or (
            'held by nobody any more')


def _path(lock_path, name):
    return os.path.join(lock_path, 'mempage-note-' + name)


def _is_kept(path):
    """Tell whether the process of a note lives; remove the note if not.

    :param path: of somebody else's note
    """
    lock = fasteners.InterProcessReaderWriterLock(path)
    try:
        if not lock.acquire_read_lock(blocking=False):
            return True
        # Another one who waits may have removed it.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return False
    finally:
        # This closes the file in any case.
        lock.release_read_lock()


def _read(path):
    """Read a note.

    :param path: of the note
    :returns: its holder, and a dict of (state, kind) by resource
    """
    try:
        with open(path, encoding='utf-8') as note:
            lines = note.read().splitlines()
    except FileNotFoundError:
        lines = []
    # It may be gone by now, or be made anew by one who looks for its lock.
    holder, *leases = lines or ['']
    return holder, {resource: (state, kind) for state, kind, resource in (
        lease.split(' ', 2) for lease in leases)}
