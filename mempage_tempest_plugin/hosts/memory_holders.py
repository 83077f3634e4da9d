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

"""Which processes on a host have mapped a guest's memory.

Whether that is in a file or in large pages: others may have mapped both.
"""

from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import page_holders

SCRIPT = 'memory_holders.sh'


def find(host, guest):
    """Find the processes that have mapped a guest's memory.

    :param host: a compute_host.ComputeHost
    :param guest: UUID of the guest
    :returns: list of page_holders.Holder, QEMU among them; empty where the
        memory is in no file, as nobody can map it then
    :raises HostError: if the host cannot be reached or asked
    """
    return page_holders.parse(libvirt_root.run(host.ssh, SCRIPT, guest=guest))


def is_running(host, program):
    """Tell whether a program runs that may map the memory of guests.

    :param host: a compute_host.ComputeHost
    :param program: its name, as in /proc/PID/comm
    :raises HostError: if the host cannot be reached
    """
    # Not pgrep: as a user, that may not see processes of others.
    return host.ssh.execute(
        ['sh', '-c', 'cat /proc/[0-9]*/comm 2>/dev/null | grep -qxF -- "$0"',
         program], root=True, check=False).status == 0
