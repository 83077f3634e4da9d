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

"""Drills of who maps guests' memory besides QEMU: switches and shares."""

import functools

from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_lab.drills import of_guests
from mempage_lab import switch
from mempage_tempest_plugin.declared import which

TOPOLOGY = 'consumers'
NETWORK_IN_FILES = r'TestVhostUserInFiles\.test_network'
NETWORK_IN_PAGES = r'TestVhostUserInPages\.test_network'
SHARES_IN_FILES = r'TestSharesInFiles\.test_both_sides'
# It has the name of who may map the memory, which the kernel has cut, and goes
# on when the guest has gone.
PEER = ("import ctypes; ctypes.CDLL(None).prctl(15, b'%s'); " % switch.PROGRAM
        + of_guests.MAP)
DPDK = 'ovs-vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=%s'

file_backed = functools.partial(drill.file_backed, topology=TOPOLOGY)
# Also for guests that ask for no large pages, as the drill of the same fault
# is of a host that is for nobody else.
large_page = functools.partial(
    drill.large_page, topology=TOPOLOGY,
    where=which.large_pages & which.no_page_size)

DRILLS = {
    'peer-keeps-memory': file_backed(
        what="another process by the switch's name maps guests' memory, too",
        fault=faults.Hook(faults.in_background(
            'exec python3 -c "%s" %s' % (PEER, of_guests.FILE)) + '; sleep 1'),
        tests=NETWORK_IN_FILES,
        words='memory mapped by others than QEMU: expected {0}, kernel says '
              '{0}, {0}'.format(switch.PROGRAM)),
    'switch-gets-private-pages': large_page(
        what='QEMU maps large pages privately: the switch sees other ones',
        fault=faults.Emulator('memory["share"] = False'),
        tests=NETWORK_IN_PAGES,
        words='check_connected: [^:]*: ram-node0: share: expected yes, QEMU '
              'says no'),
    'share-trait-missing': file_backed(
        what='nova-compute does not tell that its guests can have shares',
        fault=faults.Source(
            drill.DRIVER,
            "'supports_virtio_fs': self._host.supports_virtio_fs",
            "'supports_virtio_fs': False"),
        tests=SHARES_IN_FILES,
        words='trait COMPUTE_STORAGE_VIRTIO_FS: expected yes, placement says '
              'no'),
    'wrong-datapath': file_backed(
        what='the switch runs without DPDK: guests get other ports than these',
        fault=faults.Commands(DPDK % 'false', DPDK % 'true',
                              programs=(switch.PROGRAM,)),
        tests=NETWORK_IN_FILES,
        words='types of interfaces: expected vhostuser, libvirt says '
              '(?!vhostuser)'),
}
