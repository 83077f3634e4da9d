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

"""Services of a compute host as kolla runs them: each in a container.

Of a container only that is made which decides what a service and what
somebody who logs in on the host see: a mount namespace. kolla's own volumes
were the model: both containers have the host's /run, /dev and /var/lib/nova,
and one /var/lib/libvirt that the host has under another path only, with a
backing store in it; each copies its configuration from /etc/kolla when it
starts; processes are the host's. What is mounted on the host later is not seen
inside.
"""

import dataclasses
import pathlib

#: What makes a service's mount namespace and runs it there.
SCRIPT = '/etc/mempage-lab/contained'
#: What the containers have for themselves, as the host sees it.
VOLUMES = pathlib.PurePath('/var/lib/docker/volumes')
#: The directory of the one that they share, as they see it.
STATE = '/var/lib/libvirt'


@dataclasses.dataclass(frozen=True)
class Service:
    """One of the two services that may be contained.

    :ivar program: what the host's supervisor calls it
    :ivar configuration: the directory of its configuration, for whoever logs
        in on the host
    :ivar etc: the directory that it reads itself
    :ivar options: of its options, the file that wins
    """
    program: str
    configuration: str
    etc: str
    options: str = ''

    def run(self, command):
        """Return the command line of it.

        :param command: what it is outside of a container
        """
        if self.configuration == self.etc:
            return command
        return 'unshare --mount --propagation private %s %s %s %s %s' % (
            SCRIPT, self.program, self.configuration, self.etc, command)


def outside(host, path):
    """Return where a host itself sees a path of its libvirt's.

    :param host: a :class:`mempage_lab.topology.LabHost`
    :param path: an absolute path
    """
    inner = pathlib.PurePath(path)
    if host.shape.contained and inner.is_relative_to(STATE):
        return str(VOLUMES / 'libvirtd' / inner.relative_to(STATE))
    return path


def services(host):
    """Return libvirt and nova-compute as a host runs them.

    :param host: a :class:`mempage_lab.topology.LabHost`
    :returns: two :class:`Service`
    """
    if host.shape.contained:
        return (Service('nova_libvirt', '/etc/kolla/nova-libvirt',
                        '/etc/libvirt'),
                Service('nova_compute', '/etc/kolla/nova-compute',
                        '/etc/nova', 'nova.conf.d/20-memory.conf'))
    return (Service('libvirtd', '/etc/libvirt', '/etc/libvirt'),
            Service('nova-compute', '/etc/nova', '/etc/nova', 'nova.conf'))
