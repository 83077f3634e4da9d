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

"""The test of guests that exceed memory, with a host that is made up."""

import dataclasses
from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import stores
from mempage_tempest_plugin.tests.scenario import test_more_than_memory
from tests.plugin.bases import cases
from tests.plugin import samples

MIB = samples.MIB
MEMORY = 512
# A quarter of five quarters of it.
SHARE = 160


class _Instead:
    """Guests that a host has at once."""

    def check_host(self, host):
        pass

    def check_capacity(self, host):
        pass

    def _check_evidence_of_all(self, host):
        pass

    @classmethod
    def flavor_of(cls, ram_mib, size_kib=None):
        return {'ram': ram_mib}

    def boot(self, host, flavor):
        server = servers.RequestedServer(
            'guest-%d' % len(self.servers), flavor['ram'], host=host.name,
            status='ACTIVE')
        self.servers.append(server)
        return server


@ddt.ddt
class MoreThanMemoryTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.useFixture(fixtures.MockPatch('time.sleep'))
        self.useFixture(fixtures.MockPatchObject(
            stores.BaseStoreTest, 'RELEASE_TIMEOUT', 0.01))
        self.useFixture(fixtures.MockPatchObject(collect, 'collect'))
        self.allocated, self.available, self.status = 1, 100, 'running'
        self.memory = {}
        self.host = cases.host('fbm1', declared=samples.FILE_BACKED)
        self.host.survey.side_effect = self._survey
        self.host.overwrite.side_effect = self._write
        self.host.memory_backends.side_effect = lambda uuid: [
            samples.backend(mem_path=uuid)]
        self.host.libvirt.monitor.side_effect = (
            lambda uuid, command: {'status': self.status})
        self.host.read_memory.side_effect = (
            lambda uuid, offset, size: self.memory[uuid, offset >> 20][:size])
        # A class of this module would be taken for tests.
        self.cls = type('_Case', (
            _Instead, test_more_than_memory.TestMoreThanMemory), {})
        self.case = cases.make(
            self.cls, 'test_guests_exceed_memory', hosts=[self.host],
            nova=mock.Mock(), cloud=mock.Mock())
        self.case.cloud.used_memory.side_effect = lambda host: sum(
            server.ram_mib for server in self.case.servers)

    def _write(self, path, place_mib, text):
        self.memory[path, place_mib] = text.encode()

    def _survey(self, **_):
        files = {}
        for server in self.case.servers if hasattr(self, 'case') else ():
            path = '%s/%s' % (samples.DIRECTORY, server.uuid)
            size = server.ram_mib * MIB
            files[path] = dataclasses.replace(
                samples.file(path, 'f', size=size),
                allocated=int(size * self.allocated))
        used = sum(found.allocated for found in files.values())
        return samples.host_survey(
            memory_mib=MEMORY, available_mib=self.available, files=files,
            store=samples.store(1024 * MIB, 1024 * MIB - used, used))

    def _fails(self):
        return str(cases.assert_fails(
            self, self.case.test_guests_exceed_memory))

    def test_all_is_well(self):
        self.case.test_guests_exceed_memory()
        self.assertEqual({('guest-%d' % number, SHARE // 2)
                          for number in range(4)}, set(self.memory))

    def test_guests_of_a_large_machine(self):
        """Each of them is one that QEMU can start"""
        with mock.patch.object(stores, 'MOST_MIB', 100):
            self.case.test_guests_exceed_memory()
        # 640 MiB together, at most 100 each.
        self.assertEqual({('guest-%d' % number, 92 // 2)
                          for number in range(7)}, set(self.memory))

    def test_file_that_is_not_allocated(self):
        self.allocated = 0.9
        self.assertIn('allocated, MiB: expected at least 160', self._fails())

    def test_no_memory_is_left(self):
        self.available = 0
        self.assertIn('memory available, MiB: expected more than 0',
                      self._fails())

    def test_guest_that_does_not_run(self):
        self.status = 'io-error'
        error = self._fails()
        for text in ('host fbm1', 'status by guest', "'guest-3': 'io-error'"):
            self.assertIn(text, error)

    def test_memory_that_is_lost(self):
        self.host.read_memory.side_effect = (
            lambda uuid, offset, size: bytes(size))
        error = self._fails()
        self.assertIn("by guest: expected {'guest-0': 'MARK-OF-guest-0'",
                      error)

    def test_guests_that_share_memory(self):
        self.host.read_memory.side_effect = (
            lambda uuid, offset, size: b'MARK-OF-guest-3')
        error = self._fails()
        self.assertIn("QEMU says {'guest-0': 'MARK-OF-guest-3'", error)

    @ddt.data((MEMORY, 640, True), (MEMORY, 639, False), (4096, 1024, False))
    @ddt.unpack
    def test_hosts_whose_store_is_too_small(self, memory, capacity, taken):
        self.useFixture(fixtures.MockPatchObject(
            observed, 'CONF', cases.options()))
        host = cases.host('fbm1', declared=dataclasses.replace(
            samples.FILE_BACKED, file_backed=dataclasses.replace(
                samples.FILE_BACKED.file_backed, capacity_mib=capacity)))
        host.survey.return_value = samples.host_survey(memory_mib=memory)
        reason = self.cls._too_small(host)
        self.assertIs(taken, reason is None)
        if reason:
            self.assertIn('capacity_mib is %d' % capacity, reason)
