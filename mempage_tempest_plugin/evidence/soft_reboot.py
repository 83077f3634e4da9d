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

"""Whether a guest that was asked to shut down has done so."""

from mempage_tempest_plugin.evidence import facts

# What nova-compute logs about it (nova.virt.libvirt.driver, reboot).
OBEYED = 'Instance soft rebooted successfully'
IGNORED = 'Failed to soft reboot instance'
# How it begins, at the same level as the first of these: nova.compute.manager.
BEGUN = 'Rebooting instance'


def compare(host, server, before, after, said):
    """Tell a soft reboot from the hard one that Nova makes of it otherwise.

    :param host: name of the host
    :param server: UUID of the server
    :param before: its QEMU processes before
    :param after: its QEMU processes after it
    :param said: what nova-compute has logged about it since, list of lines
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, soft reboot of server %s' % (host, server), host, server)
    comparison.holds('kernel', 'QEMU processes', 'others than %s' % before,
                     after, after and not set(after) & set(before))
    comparison.equal(
        'nova-compute', 'what it logged of a guest that did not shut down',
        [], [line for line in said if IGNORED in line])
    if is_told(said):
        comparison.holds(
            'nova-compute', 'what it logged of a guest that did', OBEYED,
            said, any(OBEYED in line for line in said))
    return comparison


def is_told(said):
    """Tell whether the log says how it ended.

    :param said: what nova-compute has logged about it, list of lines
    """
    return any(text in line for line in said
               for text in (BEGUN, OBEYED, IGNORED))
