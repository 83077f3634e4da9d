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
#: Where hosts keep how many pages there were, until they are put back. It is
#: gone when they boot again, and so are the changes.
KEPT = '/run/mempage-pools'
# $0: where that is kept.
_CHANGE = """
pages=$1 before=$2
shift 2
[ -e "$1" ] || shift
mkdir -p "$0" || exit
kept=$0/pool$(printf %s "$1" | tr / .)
[ -e "$kept" ] || {
    printf '%s %s\\n' "$before" "$1" >"$kept.new" &&
        mv -- "$kept.new" "$kept"
} || exit
echo "$pages" >"$1" && cat "$1"
"""
_PUT_BACK = """
rm -f "$0"/*.new
for kept in "$0"/*; do
    [ -e "$kept" ] || continue
    read -r pages path <"$kept" && echo "$pages" >"$path" && rm -- "$kept" ||
        exit
done
"""


def change(host, pool, pages):
    """Ask the kernel for another number of pages in a pool.

    The host keeps the first one, for :func:`put_back`.

    :param host: the compute_host.ComputeHost
    :param pool: the pools.NodePool
    :param pages: how many it should have
    :returns: how many it has now; the kernel gives what it can
    :raises HostError: if the host cannot be reached, or refuses
    """
    return int(host.ssh.execute(
        ['sh', '-c', _CHANGE, KEPT, str(pages), str(pool.persistent),
         _PATH % (pool.node, pool.size_kib),
         _WITHOUT_NODE % pool.size_kib], root=True).stdout)


def put_back(host):
    """Give all pools that were changed the pages that they had.

    :param host: the compute_host.ComputeHost
    :raises HostError: if the host cannot be reached, or refuses
    """
    host.ssh.execute(['sh', '-c', _PUT_BACK, KEPT], root=True)


def is_left(host):
    """Tell whether pools were changed, and not put back.

    :param host: the compute_host.ComputeHost
    """
    return not host.ssh.execute(
        ['sh', '-c', 'ls "$0"/* >/dev/null', KEPT], root=True,
        check=False).status
