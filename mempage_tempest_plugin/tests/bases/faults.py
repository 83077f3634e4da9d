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

"""Tests that break something on hosts on purpose."""

from mempage_tempest_plugin.changes import faulty_store
from mempage_tempest_plugin.changes import mapped_store
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import remains

# Seconds that QEMU, libvirt and Nova may need to notice what happened.
NOTICE_TIMEOUT = 60
# Room beside a guest's RAM in a store made for a test: the file system itself.
SPARE_MIB = 64
# What the kernel says of memory that it could not write: search for it.
LOST = '(?s).*(potential data loss|I/O error|lost .*page write)'


class BaseFaultTest(base.BaseMemoryTest):
    """Tests that break something on hosts, and put it back."""

    about = which.file_backed
    promises = ('fault_injection',)
    needs_system = False

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # Nobody has such a store now: whoever does has leased the host alone.
        for host in cls.hosts:
            faulty_store.remove_left(host)
            mapped_store.remove_left(host)

    def setUp(self):
        super().setUp()
        self.remains = remains.Remains(self, NOTICE_TIMEOUT)
        self._pids = {}

    def boot_noted(self, host):
        """Request a server, and note the space before."""
        self.remains.note_space(host)
        self.boot(host)

    def path(self, host):
        """The only backing file of the host's server."""
        [path] = self.remains.paths[host.name]
        return path

    def pids(self, host):
        """The QEMU processes of the host's server."""
        return host.pids(self.server_on(host).uuid)

    def wait_until_shut_off(self, host):
        """Wait until Nova knows that the guest has ended."""
        self.nova.wait_for(self.server_on(host).uuid, 'SHUTOFF')
