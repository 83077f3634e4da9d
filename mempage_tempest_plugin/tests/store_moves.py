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

"""What tests share that take servers from backing store to backing store."""

from tempest import config

from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin import moves
from mempage_tempest_plugin.tests import moving
from mempage_tempest_plugin.tests import remains

CONF = config.CONF


class BaseStoreMoveTest(moving.FromFileBacked, moving.BaseMoveTest,
                        remains.BaseRemainsTest):
    """file-backed hosts, another one or an ordinary one"""

    flavor_ram_mib = 64

    @classmethod
    def is_destination(cls, host, source):
        return host.file_backed is not None or moving.can_have(host, None)

    @classmethod
    def _destinations(cls, source):
        """Choose one other store, of another kind if possible, and RAM."""
        hosts = [host for host in cls.inventory.hosts.values()
                 if host is not source and cls.is_destination(host, source)]
        stores = sorted(
            (host for host in hosts if host.file_backed),
            key=lambda host: (host.file_backed.filesystem
                              == source.file_backed.filesystem))
        ordinary = [host for host in hosts if not host.file_backed]
        return stores[:1] + ordinary[:1]

    def setUp(self):
        super().setUp()
        # A resize may go to any of them.
        for declared in self.inventory.hosts.values():
            if declared.file_backed:
                self.note_space(compute_host.get(declared,
                                                 CONF.mempage.host_timeout))

    def destination(self, file_backed):
        """Choose a host to go to, or skip the test.

        :param file_backed: whether it has to be file-backed
        :returns: the compute_host.ComputeHost
        """
        for host in self.destinations:
            if bool(host.declared.file_backed) == file_backed:
                return host
        self.skipTest('%s declares no %s host beside %s' % (
            self.inventory.path,
            'file-backed' if file_backed else 'ordinary', self.source.name))

    def server_of(self, host):
        return self.server

    def start(self):
        """Boot the server, and look at its memory."""
        super().start()
        self.here = self.source

    def check_here(self, host, departed):
        """Assert that the server has moved, all of it.

        :param host: the compute_host.ComputeHost where it must be
        :param departed: the compute_host.ComputeHost where it was
        """
        self.here = host
        self.check_moved(departed, host)
        self.assertEqual({}, moves.held_by_migrations(
            self.migrations_client, self.server, self.cloud),
            'held in placement by migrations of server %s' % self.server)
        self.check_nowhere_else()
        for each in self.hosts:
            if each.name != host.name:
                self.check_off(each)
