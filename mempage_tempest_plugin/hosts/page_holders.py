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


"""Which processes on a host have large pages mapped."""

import dataclasses

from mempage_tempest_plugin.hosts import libvirt_root

SCRIPT = 'page_holders.sh'


@dataclasses.dataclass(frozen=True)
class Holder:
    """A process that has large pages mapped, whether it uses them or not."""

    pid: int
    program: str


def find(host):
    """Find the processes of a host that have large pages mapped.

    :param host: a compute_host.ComputeHost
    :returns: list of :class:`Holder`
    :raises HostError: if the host cannot be reached or asked
    """
    return parse(libvirt_root.run(host.ssh, SCRIPT))


def parse(text):
    """Read what the script printed.

    :param text: lines of a PID and a name
    :returns: list of :class:`Holder`
    """
    return [Holder(int(pid), program) for pid, _, program in (
        line.partition(' ') for line in text.splitlines())]
