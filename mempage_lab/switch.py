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

"""Open vSwitch as compute hosts have it: Debian's own, or that of DPDK.

Both have their datapath in userspace. With DPDK's, guests have vhost-user
ports: the switch maps their memory and reads packets there.
"""

import os

#: The one of DPDK, as a topology names it; None is the other one.
DPDK = 'dpdk'
#: What either is called, by the kernel and by the host's supervisor.
PROGRAM = 'ovs-vswitchd'
#: The Debian on which it was tried.
SYSTEM = 'debian-13'
#: Pages in which one of DPDK has packets, each of which guests cannot have.
PAGE_KIB = 2048
PAGES = 64


def tunnel_address(index):
    """Return the address that the tunnels to a host end at.

    It is that of a bridge: in userspace Open vSwitch finds no other. Only the
    hosts know it, on the network that guests are reached through.

    :param index: number of the host, from 0
    """
    return '169.254.24.%d' % (10 + index)


def pages(kind, size_kib):
    """Return how many large pages of a size a switch takes for itself.

    :param kind: :data:`DPDK` or None
    :param size_kib: the size in KiB
    """
    return PAGES if kind == DPDK and size_kib == PAGE_KIB else 0


def mebibytes(kind):
    """Return how many MiB of large pages a switch takes for itself."""
    return pages(kind, PAGE_KIB) * PAGE_KIB // 1024


def options(kind, index):
    """Return what a switch is told besides what all are.

    :param kind: :data:`DPDK` or None
    :param index: number of its host, from 0
    :returns: dict of keys of other_config to values
    """
    if kind != DPDK:
        return {}
    cpus = sorted(os.sched_getaffinity(0))
    return {
        'dpdk-init': 'true',
        # Neither network cards nor files: a machine may have several.
        'dpdk-extra': '--no-pci --in-memory',
        'dpdk-socket-mem': mebibytes(kind),
        'dpdk-socket-limit': mebibytes(kind),
        # Threads that ask their ports for packets without end would take a
        # CPU each. When nothing has come for a while they sleep so many
        # microseconds between two questions.
        'pmd-sleep-max': 10000,
        'pmd-cpu-mask': hex(1 << cpus[index % len(cpus)])}
