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

"""A file-backed host hands out its declared capacity, to the last MiB."""

from tempest.lib import decorators

from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.tests.bases import stores


class TestFileBackedCapacity(stores.BaseStoreTest):
    """Every file-backed host of the inventory."""

    @decorators.idempotent_id('1d0a3c5e-7b64-4f1e-9a55-3f0d6c2b8e01')
    def test_fill(self):
        """The last MiB is handed out, and the next server is never built"""
        self.on_each_host(self.check_host, self.check_capacity,
                          self._skip_if_held, self.note_store)
        self._check_refused(self._more_than_all)
        self.check_active(self.request_on_each(self._little, self._rest))
        self._check_refused(self._little)
        self.delete_servers()

    @decorators.idempotent_id('1d0a3c5e-7b64-4f1e-9a55-3f0d6c2b8e02')
    def test_foreign_data(self):
        """On a full store, guests go on that have theirs; no other comes"""
        self.on_each_host(self.check_host, self.note_store)
        self.check_active(self.request_on_each(self._little))
        self.on_each_host(self.note_processes, self.fill_store, self._write,
                          self.check_unchanged)
        self.check_refused([self.request_forced(self.RAM_MIB, host)
                            for host in self.hosts], stores.NO_SPACE)
        self.on_each_host(self.check_unchanged, foreign_data.remove)
        self.check_active(self.request_on_each(self._little))

    def _skip_if_held(self, host):
        self.skip_if_held(host, host.declared.file_backed.capacity_mib)

    def _write(self, host):
        """Write into the guest's memory, as it could itself.

        It has given nothing back: whoever did may get nothing any more.
        """
        [backend] = host.memory_backends(self.server_on(host).uuid)
        host.overwrite(backend.mem_path, self.RAM_MIB // 4, operands=[
            'if=/dev/urandom', 'count=%d' % (self.RAM_MIB // 2),
            'conv=fsync'])

    def _check_refused(self, size):
        refused = self.request_on_each(size)
        self.check_refused(refused)
        self.check_never_built(refused)

    def _little(self, host):
        return [self.RAM_MIB]

    def _rest(self, host):
        return stores.parts(host.file_backed.capacity_mib - self.RAM_MIB)

    def _more_than_all(self, host):
        return [host.file_backed.capacity_mib + 1]
