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

"""Data of others on a backing store, which leave no space on it."""

import posixpath

import fixtures

from mempage_tempest_plugin.hosts import libvirt_root

NAME = 'mempage-foreign-data'
SCRIPT = 'fill.sh'
_REMOVE = 'date +%s%N; rm -- "$1" || exit; date +%s%N; rm --version'
_NANOSECONDS = 10 ** 9


def path(mount):
    """Tell where foreign data are on a host.

    :param mount: the mount point of its store
    """
    return posixpath.join(mount, NAME)


def is_there(host):
    """Tell whether there are foreign data on a host.

    :param host: a compute_host.ComputeHost
    """
    return not libvirt_root.execute(
        host.ssh, ['test', '-e', path(_mount(host))], check=False).status


def remove(host):
    """Remove what is there, if anything.

    :param host: a compute_host.ComputeHost
    """
    libvirt_root.execute(host.ssh, ['rm', '-f', '--', path(_mount(host))])


def remove_timed(host):
    """Remove what is there, and tell how long it took.

    :param host: a compute_host.ComputeHost
    :returns: seconds, and the version of rm
    :raises HostError: if there is nothing, or it cannot be removed
    """
    found = libvirt_root.execute(
        host.ssh, ['bash', '-c', _REMOVE, 'bash', path(_mount(host))]).stdout
    begin, end, version = found.splitlines()[:3]
    return (int(end) - int(begin)) / _NANOSECONDS, version.split()[-1]


def _mount(host):
    return host.real(host.declared.file_backed.mount)


class ForeignData(fixtures.Fixture):
    """A file that fills the backing store of a host to the brim.

    Where the store is in memory, that has to be there as well: nobody else
    looks.

    :param host: a compute_host.ComputeHost, which is file-backed
    :param leave_mib: how much of the store is left
    """

    def __init__(self, host, leave_mib=0):
        super().__init__()
        self._host = host
        self._leave_mib = leave_mib

    def _setUp(self):
        remove(self._host)
        self.addCleanup(remove, self._host)
        mount = _mount(self._host)
        libvirt_root.run(self._host.ssh, SCRIPT, file=path(mount),
                         directory=mount, leave=str(self._leave_mib))
