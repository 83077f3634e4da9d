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

"""The disks of a store count what guests' memory makes them write."""

from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import device_writes
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed


class TestStoreDevice(base.BaseMemoryTest):
    """File-backed hosts whose store is on NVMe disks."""

    about = which.on_a_device
    may_skip = (observed.NO_DISK_COUNT,)
    # What others write would hide what is not written: tests, and guests.
    alone_on = which.each
    harmful = True
    needs_system = False

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        observed.leave_out(
            cls, observed.NO_DISK_COUNT,
            lambda host: block_devices.look(host).lacking)

    def setUp(self):
        super().setUp()
        self._before = {}

    @decorators.idempotent_id('226cff0f-8705-47e3-9660-1040d810e81d')
    def test_disk_counts_guest_memory(self):
        """A new guest's RAM is written to the disk, by the disk's own count"""
        self.on_each_host(self.check_host, self._note_written, self.boot,
                          self.wait_until_active, self.check_evidence,
                          self._check_written)

    def _note_written(self, host):
        self._before[host.name] = block_devices.look(host)

    def _check_written(self, host):
        """Assert that all of its file is written, once it has to be."""
        server = self.server_on(host)
        self.assert_agrees(device_writes.compare(
            host.declared, server.uuid, self._before[host.name],
            block_devices.look(host), server.ram_mib))
