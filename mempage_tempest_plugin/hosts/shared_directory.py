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

"""What a host has of a share: its mount, and who serves it to a guest."""

import dataclasses

from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import sections

SCRIPT = 'shared_directory.sh'


@dataclasses.dataclass(frozen=True)
class State:
    """What a host has of a share that may be mounted at a directory.

    :ivar mounts: type and source of each file system mounted there
    :ivar processes: PID and name of each that was told of the directory
    :ivar there: whether the directory is there
    """

    mounts: list
    processes: list
    there: bool


def look(host, directory):
    """Look what a host has of a share.

    :param host: a compute_host.ComputeHost
    :param directory: the source of what libvirt serves
    :returns: a :class:`State`
    :raises HostError: if the host cannot be reached or asked
    """
    return parse(libvirt_root.run(host.ssh, SCRIPT, directory=directory))


def parse(text):
    """Read what the script printed.

    :param text: the output
    :returns: a :class:`State`
    """
    found = sections.split(text)
    return State(*(list(filter(None, found[name].split('\n')))
                   for name in ('mounts', 'processes')),
                 there=bool(found['there'].strip()))


def digest(host, path):
    """Compute the MD5 digest of a file of the host.

    :param host: a compute_host.ComputeHost
    :param path: the file
    :returns: hexadecimal digits
    """
    return libvirt_root.execute(
        host.ssh, ['md5sum', '--', path]).stdout.split()[0]


def write(host, path, text):
    """Write a file that all may read.

    :param host: a compute_host.ComputeHost
    :param path: the file
    :param text: what is written
    """
    libvirt_root.execute(
        host.ssh, ['sh', '-c', 'umask 022; cat > "$0"', path], stdin=text)
