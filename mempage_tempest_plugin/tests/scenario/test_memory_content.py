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

"""What a guest writes into its memory is found where it should be."""

from oslo_utils import units
from tempest.common import utils
from tempest.lib.common.utils import data_utils
from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.tests.bases import reachable

# With its line break a pattern is 64 bytes long, so that every page of
# memory, whatever its size, holds a whole number of them.
LENGTH = 64


class TestMemoryContent(reachable.BaseReachableTest):
    """The proof that no attribute can forge."""

    about = which.file_backed

    def setUp(self):
        super().setUp()
        self._guests = {}
        self._others = {}
        self._patterns = {}
        self._counts = {}

    @decorators.idempotent_id('203ce941-3471-4e4c-8598-06fd4341b961')
    @decorators.attr(type='smoke')
    @utils.services('compute', 'network')
    def test_guest_memory_is_found_in_file(self):
        """A pattern written in the guest is in its file and in no other"""
        self._other_image = self.create_image()
        self.on_each_host(
            self.check_host, self._boot_beside, self.boot_reachable,
            self.wait_until_active, self._wait_for_other, self._connect,
            self._count_patterns, self._check_pattern_is_nowhere,
            self._write_pattern, self._count_patterns,
            self._check_pattern_is_in_own_file, self.check_evidence)

    def _boot_beside(self, host):
        """Have a guest whose file could have the pattern, too."""
        self._others[host.name] = self.boot(host, image=self._other_image)

    def _wait_for_other(self, host):
        self.nova.wait_until_active(self._others[host.name].uuid)

    def _connect(self, host):
        """Wait for ssh into the guest, and keep it."""
        self._guests[host.name] = self.connect(self.server_on(host))
        self._patterns[host.name] = (
            data_utils.rand_uuid_hex() + data_utils.rand_uuid_hex()
        )[:LENGTH - 1]

    def _count_patterns(self, host):
        """Count all hosts' patterns in the host's backing files, once."""
        self._counts[host.name] = host.count_in_files(
            self._patterns.values(), self._uuids())

    def _check_pattern_is_nowhere(self, host):
        self.assertEqual({}, self._found(host), 'found before it was written')

    def _write_pattern(self, host):
        """Fill guest memory with the pattern, and have the guest check it."""
        # yes ends by a closed pipe, which the shell takes for a failure.
        written = self._guests[host.name].exec_command(
            'for d in /dev/shm /run /tmp; do '
            'grep -q " $d tmpfs " /proc/mounts && test -w $d && break; '
            'd=; done; '
            'test -n "$d" || { echo "no writable tmpfs" >&2; exit 1; }; '
            '(yes %(pattern)s || true) | head -c %(size)d > $d/pattern; '
            'wc -c < $d/pattern'
            % {'pattern': self._patterns[host.name], 'size': self._size()})
        self.assertEqual(self._size(), int(written))

    def _check_pattern_is_in_own_file(self, host):
        own = [(host.name, backend.mem_path) for backend
               in host.memory_backends(self.server_on(host).uuid)]
        found = self._found(host)
        copies = sum(found.pop(file, 0) for file in own)
        wanted = self._size() // LENGTH
        server = self.server_on(host).uuid
        comparison = facts.Comparison(
            'pattern in the memory of server %s, its files: %s' % (
                server, own), host.name, server)
        comparison.holds(
            'file system', 'copies of the pattern in its own file',
            'at least %d' % wanted, copies, copies >= wanted)
        comparison.equal('file system', 'the pattern in other files', [],
                         sorted(map(str, found.items())))
        self.assert_agrees(comparison)

    def _found(self, host):
        """Look up where the host's pattern was found.

        :returns: dict of numbers of copies by (host name, path)
        """
        pattern = self._patterns[host.name]
        return {(name, path): counts[pattern]
                for name, files in self._counts.items()
                for path, counts in files.items() if pattern in counts}

    def _uuids(self):
        return [server.uuid for server in self.servers]

    def _size(self):
        """Bytes to write: far more than what ssh holds in its buffers."""
        return self.flavor['ram'] * units.Mi // 16
