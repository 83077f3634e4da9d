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

"""What becomes of a server that is moved: one table.

The tests of moves and the documentation take it from here, so this imports
nothing of Nova.
"""

#: Extra specs by the name of a request.
REQUESTS = {
    'nothing': {},
    'a NUMA node': {'hw:numa_nodes': '1'},
    'pinned CPUs': {'hw:cpu_policy': 'dedicated'},
    'small': {'hw:mem_page_size': 'small'},
    '4': {'hw:mem_page_size': '4'},
    '2048': {'hw:mem_page_size': '2048'},
    'any': {'hw:mem_page_size': 'any'},
}

#: The only host that servers can go to, and who may go there. All others stay
#: as they were.
MAY_MOVE = {
    'large-only': {'2048', 'any'},
    'small-only': {
        'nothing', 'a NUMA node', 'pinned CPUs', 'small', '4', 'any'},
    'file-backed': {'nothing', 'a NUMA node', 'pinned CPUs'},
}

OPERATIONS = ('cold migration', 'resize', 'live migration', 'unshelve',
              'evacuation')

#: Of servers that were moved, by operation; ACTIVE for others.
MOVED = {'cold migration': 'VERIFY_RESIZE', 'resize': 'VERIFY_RESIZE',
         'evacuation': 'SHUTOFF'}
#: Of servers that stay, by operation; ACTIVE for others.
STAYED = {'unshelve': 'SHELVED_OFFLOADED'}
#: The same where the scheduler's filters leave no host. Nova makes no
#: difference between that and a cloud that is full; the server can be
#: evacuated again.
NO_HOST = {**STAYED, 'evacuation': 'ERROR'}

# libvirt would refuse these migrations from hosts that are not file-backed.
_NO_LIVE_MIGRATION = {'file-backed'}
# Here Nova keeps to the size that a guest has been given: 'any' got 1 GiB.
_SAME_SIZE = {'live migration', 'unshelve'}
_OTHER_SIZE = {('small-only', 'any')}


def may_move(operation, host, request):
    """Tell whether a server is moved.

    :param operation: one of OPERATIONS
    :param host: a key of MAY_MOVE
    :param request: a key of REQUESTS
    """
    if operation == 'live migration' and host in _NO_LIVE_MIGRATION:
        return False
    if operation in _SAME_SIZE and (host, request) in _OTHER_SIZE:
        return False
    return request in MAY_MOVE[host]


def status(operation, host, request, filtered):
    """Tell the status of a server after an operation.

    :param operation: one of OPERATIONS
    :param host: a key of MAY_MOVE
    :param request: a key of REQUESTS
    :param filtered: whether NUMATopologyFilter and MemoryPageSizeFilter have
        been asked
    :returns: what the API shows
    """
    if may_move(operation, host, request):
        return MOVED.get(operation, 'ACTIVE')
    return (NO_HOST if filtered else STAYED).get(operation, 'ACTIVE')
