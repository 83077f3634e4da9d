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

"""What servers must not leave on backing stores."""

import posixpath
import statistics

from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.evidence import absence
from mempage_tempest_plugin.evidence import remains
from mempage_tempest_plugin.hosts import deleted_files

# Seconds that QEMU and libvirt may need after nova is done.
RELEASE_TIMEOUT = 30
# Looks at a store on which files grow and shrink, and so are seen in halves.
LOOKS = 5


class Remains:
    """What the servers of a test leave on hosts.

    Its methods are steps of a test: functions of a compute_host.ComputeHost.

    :param test: a base.BaseMemoryTest
    :param timeout: seconds within which all has to be gone
    """

    def __init__(self, test, timeout=RELEASE_TIMEOUT):
        self._test = test
        self._timeout = timeout
        self._unexplained = {}
        self._others = {}
        #: Lists of paths by the host's name.
        self.paths = {}

    def note_space(self, host):
        """Remember how much space no file explains, and who else is there."""
        running = host.libvirt.running()
        self._others[host.name] = self._no_tests(host, running)
        self._unexplained[host.name] = statistics.median_low(
            host.survey_store().store.unexplained
            for _ in range(LOOKS if running else 1))

    def _no_tests(self, host, running):
        """List the guests on a host that are no test's."""
        if not running:
            return []
        known = self._test.nova.on_host(host.name)
        return sorted(guest for guest in running
                      if not names.is_ours(known.get(guest)))

    def note_files(self, host):
        """Remember the files of the host's server."""
        paths = [backend.mem_path for backend in host.memory_backends(
            self._test.server_on(host).uuid)]
        self._test.assertNotIn(None, paths, 'host %s: memory without a file'
                               % host.name)
        self.paths[host.name] = paths

    def check_none(self, host):
        """Assert that nothing of the host's deleted server remains."""
        self._test.assert_soon_agrees(host, self._compare, self._timeout)

    def _compare(self, host):
        server = self._test.server_on(host)
        paths = self.paths[host.name]
        return remains.compare(
            host.declared, host.survey(guests=[server.uuid], paths=paths),
            server.uuid, paths, self._unexplained[host.name], server.ram_mib,
            self._others[host.name], self._kept(host, {
                posixpath.basename(posixpath.dirname(path))
                for path in paths}))

    def _kept(self, host, directories):
        """Find who keeps deleted files, where used space cannot tell it."""
        return (deleted_files.holders(host.ssh, directories)
                if self._others[host.name] else {})

    def check_off(self, host):
        """Assert that the host's server, which does not run, has no memory.

        A server that has moved had memory on each of the test's hosts.
        """
        self._test.assert_soon_agrees(host, self._compare_off, self._timeout)

    def _compare_off(self, host):
        requested = self._test.server_on(host) or self._test.servers[-1]
        server = self._test.cloud.server(requested.uuid)
        survey = host.survey(guests=[server.uuid])
        comparison = absence.compare_off(host, survey, server)
        if host.declared.file_backed:
            remains.compare_space(
                comparison, survey, self._unexplained[host.name],
                requested.ram_mib, self._others[host.name],
                self._kept(host, ['[0-9]*-' + server.domain]))
        return comparison

    def check_nowhere_else(self):
        """Assert that none of the test's hosts has another one's server.

        Of a test that has one host only, nothing is asked: others are not
        leased, and may be rebooted meanwhile.
        """
        servers = {server.host: self._test.cloud.server(server.uuid)
                   for server in self._test.servers}

        def check(host):
            survey = host.survey(
                guests=[server.uuid for server in servers.values()])
            for name, server in servers.items():
                if name != host.name:
                    self._test.assert_agrees(absence.compare_off(
                        host, survey, server))

        self._test.on_each_host(check)
