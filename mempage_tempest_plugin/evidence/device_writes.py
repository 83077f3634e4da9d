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

"""What guests' memory makes disks write."""

from oslo_utils import units

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import smart


def compare(host, server, before, now, ram_mib):
    """Compare what devices have written for a guest with its RAM.

    :param host: the host's declaration (inventory.Host)
    :param server: UUID of the guest's server
    :param before: the block_devices.BlockDevices before it came
    :param now: those when its file was written
    :param ram_mib: its RAM, all of which is in the file
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, written for server %s' % (host.name, server), host.name,
        server)
    comparison.equal('kernel', 'disks below the store', before.disks,
                     now.disks)
    size = ram_mib * units.Mi
    # What is below it may share it among several.
    device = next(iter(now.written))
    _compare_grown(comparison, 'kernel', 'written to the store, bytes', device,
                   size, now.written[device] - before.written.get(device, 0))
    # Disks count whole units, the last of which another one may have begun.
    _compare_grown(comparison, 'SMART', 'written by the disks, bytes',
                   ' and '.join(now.smart),
                   size - len(now.smart) * smart.DATA_UNIT,
                   sum(now.smart.values()) - sum(before.smart.values()))
    return comparison


def _compare_grown(comparison, witness, name, device, size, grown):
    comparison.holds(witness, name, 'at least %d, by %s' % (size, device),
                     grown, grown >= size)
