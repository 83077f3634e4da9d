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

"""What tests share that look for what servers leave on backing stores."""

from tempest import config

from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin import moves
from mempage_tempest_plugin import policy
from mempage_tempest_plugin.tests import base

CONF = config.CONF


class BaseRemainsTest(base.BaseMemoryTest):
    """Tests after which backing stores must be as they were."""

    # Seconds that QEMU and libvirt may need after nova is done.
    RELEASE_TIMEOUT = 30

    def setUp(self):
        super().setUp()
        self._unexplained = {}
        self._paths = {}

    def note_space(self, host):
        """Remember how much space no file explains."""
        self._unexplained[host.name] = host.survey().store.unexplained

    def note_files(self, host):
        """Remember the files of the host's server."""
        paths = [backend.mem_path for backend
                 in host.memory_backends(self.servers[host.name])]
        self.assertNotIn(None, paths, 'host %s: memory without a file'
                         % host.name)
        self._paths[host.name] = paths

    def check_nothing_remains(self, host):
        """Assert that nothing of the host's deleted server remains."""
        self.assert_soon_agrees(host, self._compare_remains,
                                self.RELEASE_TIMEOUT)

    def server_of(self, host):
        """Tell which server has, or had, memory on a host.

        :param host: the compute_host.ComputeHost
        :returns: its UUID
        """
        return self.servers[host.name]

    def check_off(self, host):
        """Assert that the host's server, which does not run, has no memory."""
        self.assert_soon_agrees(host, self._compare_off,
                                self.RELEASE_TIMEOUT)

    def _compare_off(self, host):
        server = self.cloud.server(self.server_of(host))
        survey = host.survey(guests=[server.uuid])
        comparison = moves.compare_off(host, survey, server)
        if host.declared.file_backed:
            policy.compare_space(comparison, survey,
                                 self._unexplained[host.name],
                                 self.flavor['ram'])
        return comparison

    def check_nowhere_else(self):
        """Assert that no host has memory of another host's server."""
        servers = {name: self.cloud.server(server)
                   for name, server in self.servers.items()}
        for declared in self.inventory.hosts.values():
            host = compute_host.get(declared, CONF.mempage.host_timeout)
            survey = host.survey(
                guests=[server.uuid for server in servers.values()])
            for name, server in servers.items():
                if name != host.name:
                    self.assert_agrees(host, moves.compare_off(
                        host, survey, server))

    def _compare_remains(self, host):
        server = self.servers[host.name]
        paths = self._paths[host.name]
        return policy.compare_remains(
            host.declared, host.survey(guests=[server], paths=paths), server,
            paths, self._unexplained[host.name], self.flavor['ram'])
