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

"""Change the number of pages in a host's pools."""

_FILE = 'hugepages/hugepages-%dkB/nr_hugepages'
_PATH = '/sys/devices/system/node/node%d/' + _FILE
#: Of a kernel that knows no nodes.
_WITHOUT_NODE = '/sys/kernel/mm/' + _FILE
_CHANGE = """
[ -e "$1" ] || shift
echo "$0" >"$1" && cat "$1"
"""


def change(host, pool, pages):
    """Ask the kernel for another number of pages in a pool.

    :param host: the compute_host.ComputeHost
    :param pool: the pools.NodePool
    :param pages: how many it should have
    :returns: how many it has now; the kernel gives what it can
    :raises HostError: if the host cannot be reached, or refuses
    """
    return int(host.ssh.execute(
        ['sh', '-c', _CHANGE, str(pages), _PATH % (pool.node, pool.size_kib),
         _WITHOUT_NODE % pool.size_kib], root=True).stdout)
