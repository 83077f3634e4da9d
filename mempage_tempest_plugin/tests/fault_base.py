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

"""What tests share that break something on purpose."""

from tempest.common import waiters
from tempest import config

from mempage_tempest_plugin.hosts import faulty_store
from mempage_tempest_plugin.tests import remains

CONF = config.CONF

# Seconds that QEMU, libvirt and Nova may need to notice what happened.
NOTICE_TIMEOUT = 60


class FaultTest(remains.BaseRemainsTest):
    """Tests that break something on hosts, and put it back."""

    needs_system = False
    RELEASE_TIMEOUT = NOTICE_TIMEOUT

    promises = {
        'fault_injection': 'does not allow to break anything on purpose'}

    @classmethod
    def is_about(cls, host):
        return host.file_backed is not None

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # Nobody who shares Tempest's locks has such a store now.
        for host in cls.hosts:
            faulty_store.remove_left(host)

    def boot_noted(self, host):
        """Request a server, and note the space before."""
        self.note_space(host)
        self.boot(host)

    def path(self, host):
        """The only backing file of the host's server."""
        [path] = self._paths[host.name]
        return path

    def pids(self, host):
        """The QEMU processes of the host's server."""
        return host.pids(self.servers[host.name])

    def kill(self, host):
        """End QEMU as the kernel does when memory is short."""
        pids = self.pids(host)
        self.assertNotEqual([], pids)
        host.ssh.execute(['kill', '-9', *(str(pid) for pid in pids)],
                         root=True)

    def wait_until_shut_off(self, host):
        """Wait until Nova knows that the guest has ended."""
        waiters.wait_for_server_status(
            self.servers_client, self.servers[host.name], 'SHUTOFF')
