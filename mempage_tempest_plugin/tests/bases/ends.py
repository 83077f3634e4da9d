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

"""How guests have ended that tests do not end themselves."""

from mempage_tempest_plugin.evidence import facts


def wait_until_crashed(test, host):
    """Wait until Nova knows that QEMU has died, and nothing but that.

    :param test: a base.BaseMemoryTest
    :param host: the compute_host.ComputeHost, whose server it is
    """
    server = test.server_on(host).uuid
    test.nova.wait_for(server, 'SHUTOFF')
    comparison = facts.Comparison('host %s, server %s, has ended' % (
        host.name, server), host.name, server)
    comparison.equal('kernel', 'QEMU processes', [], host.pids(server))
    # A guest that shuts down is SHUTOFF, too.
    comparison.equal('libvirt', 'how the guest has ended', 'crashed',
                     host.libvirt.end(server))
    test.assert_agrees(comparison)
