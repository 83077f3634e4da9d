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

"""A backing store on a host that can be broken on purpose."""

import dataclasses
import posixpath
import re

import fixtures

from mempage_tempest_plugin.hosts import libvirt_root

SCRIPT = 'faulty_store.sh'
#: What it makes, whatever the host's own store has: xfs needs 300 MiB, and
#: stops altogether when a write fails.
FILE_SYSTEM = 'ext4'
# Prints seconds.
_TIME_WRITING = (
    'LC_ALL=C; TIMEFORMAT=%R; { time dd if=/dev/zero of="$1" bs=4096 count=1 '
    'conv=fsync status=none; } 2>&1 && rm "$1"')
_STAMP = re.compile(r'^\[\s*(\d+\.\d+)\] ')


class FaultyStore(fixtures.Fixture):
    """Replace the backing store of a host that has no guests.

    The real one is below it all the time, and comes back in the end. What a
    killed run has left is removed by the next one.

    :param host: a compute_host.ComputeHost
    :param size_mib: the size that the store claims to have
    :param room_mib: what it can really keep
    """

    #: What the host's device mapper must be able to make of a device.
    TARGETS = ()
    # How the device mapper stands between the file system and its file.
    _mapped = ''

    def __init__(self, host, size_mib, room_mib):
        super().__init__()
        self._host = host
        self._size = size_mib
        self._room = room_mib
        self._since = 0.0

    def _setUp(self):
        self.addCleanup(self._run, 'down')
        self._since = float(self._run('up'))

    @property
    def declared(self):
        """The host's declaration, with this store in place of its own."""
        own = self._host.declared.file_backed
        return dataclasses.replace(
            self._host.declared, file_backed=dataclasses.replace(
                own, filesystem=FILE_SYSTEM, mount=own.directory))

    def break_reading(self):
        """Have reads fail that the page cache cannot answer."""
        self._run('read-errors')

    def make_read_only(self):
        """Remount it as an administrator, or the kernel, would."""
        self._run('read-only')

    def complaints(self):
        """Get what the kernel has logged about the store.

        :returns: list of lines
        """
        return after(self._run('log'), self._since)

    def _run(self, action, **values):
        return _run(self._host, action, size=str(self._size),
                    room=str(self._room), mapped=self._mapped, **values)


class MappedStore(FaultyStore):
    """One that the device mapper makes fail, or slow, as a device does.

    :param host: a compute_host.ComputeHost
    :param size_mib: its size, which it takes of the host's memory
    """

    TARGETS = ('linear', 'flakey', 'delay', 'error')
    _mapped = 'linear'

    def __init__(self, host, size_mib):
        # A ramdisk has something of its own.
        super().__init__(host, size_mib, size_mib + 1)

    def break_writing(self):
        """Have all writes fail; what was written can be read."""
        self._run('write-errors')

    def break_reading(self):
        """Have reads fail, and writes, as of a device that was pulled."""
        self._run('errors')

    def delay_writing(self, milliseconds):
        """Have each write take a time.

        :param milliseconds: how long
        """
        self._run('delay', delay=str(milliseconds))

    def time_writing(self):
        """Write something, and tell how long that takes.

        :returns: milliseconds, by the host's own clock
        :raises HostError: if nothing can be written
        """
        path = posixpath.join(self._host.real(
            self.declared.file_backed.directory), 'mempage-written')
        return round(1000 * float(libvirt_root.execute(
            self._host.ssh, ['bash', '-c', _TIME_WRITING, 'bash', path]
        ).stdout))


class ThinStore(FaultyStore):
    """One on a thin device, whose pool is smaller than what it promises."""

    TARGETS = ('thin', 'thin-pool')
    _mapped = 'thin'


def missing_targets(host, store):
    """Tell what the host's device mapper cannot do.

    :param host: a compute_host.ComputeHost that is file-backed
    :param store: :class:`FaultyStore`, or one of those made of it
    :returns: list of those of its TARGETS that the host has not
    """
    known = _run(host, 'targets').split()
    return [target for target in store.TARGETS if target not in known]


def is_left(host):
    """Tell whether a killed run has left such a store.

    :param host: a compute_host.ComputeHost that is file-backed
    """
    return bool(_run(host, 'is-left'))


def remove_left(host):
    """Remove what a killed run has left.

    :param host: a compute_host.ComputeHost that is file-backed
    """
    _run(host, 'down')


def _run(host, action, **values):
    return libvirt_root.run(
        host.ssh, SCRIPT, action=action,
        directory=host.real(host.declared.file_backed.directory), **values)


def after(text, uptime):
    """Choose the lines of the kernel's log since some time.

    :param text: the output of dmesg
    :param uptime: seconds since the machine started
    :returns: list of lines
    """
    # The two clocks are not quite the same.
    return [line for line in text.splitlines()
            if (found := _STAMP.match(line))
            and float(found[1]) > uptime - 1]
