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

"""What tests share that count all memory which hosts hand out."""

import functools
import math

from tempest.common import compute

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed

# What Nova says if the scheduler finds no host, or if the only one that it
# found turns out to have too little.
REFUSALS = (page_sizes.NO_VALID_HOST, page_sizes.NO_MORE_RETRIES,
            'Insufficient compute resources')
# What nova-compute logs of a server that it has too little for.
NOT_CLAIMED = 'Failed to claim'
# The scheduler's filter that knows how many pages hosts have left.
NUMA_FILTER = 'NUMATopologyFilter'


class BaseAmountTest(base.BaseMemoryTest):
    """Tests that must be alone with the memory of their hosts.

    Their guests have no operating system: QEMU takes the memory before the
    first instruction, and without one the guests leave the CPUs to others.
    """

    alone_on = which.each
    harmful = True
    may_skip = (observed.NO_LOG, observed.HELD)
    needs_system = False
    # As many as there is room for.
    servers_on_host = math.inf

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._flavors = {}

    @classmethod
    def flavor_of(cls, ram_mib, size_kib=None, **extra_specs):
        """Get the flavor of a kind of servers.

        :param ram_mib: its RAM
        :param size_kib: the page size that it asks for; None for nothing
        :param extra_specs: further ones
        :returns: the flavor; it is deleted after the class
        """
        key = ram_mib, size_kib, *sorted(extra_specs.items())
        if key not in cls._flavors:
            cls._flavors[key] = cls.create_flavor(extra_specs, ram_mib,
                                                  request=size_kib)
        return cls._flavors[key]

    def setUp(self):
        super().setUp()
        # Where nova-compute's log ended on each host: None if nobody knows.
        self._logs = {}
        self.on_each_host(self._note_log)

    def _note_log(self, host):
        self._logs[host.name] = host.log and host.log.end()

    def skip_if_held(self, host, needed_mib):
        """Skip a test of memory that placement holds for others.

        Their guests do not run, or there are none: old clouds have
        allocations without a server.

        :param host: the compute_host.ComputeHost
        :param needed_mib: how much memory the test needs there
        """
        total = self.cloud.provider(host.name).memory_for_guests
        used = self.cloud.used_memory(host.name)
        if total - used < needed_mib <= total:
            observed.skip(
                self, observed.HELD, 'host %s: the test needs %d MiB, and '
                'placement has %d, as it holds %d. For consumers without a '
                'server there, MiB: %s (see "nova-manage placement audit")' % (
                    host.name, needed_mib, total - used, used,
                    base.memory_of_nobody(self, host)))

    def check_taken(self, host):
        """Assert that just what the running guests need is taken.

        :param host: the compute_host.ComputeHost
        """
        raise NotImplementedError

    def request_at_once(self, wanted, **extra_specs):
        """Request several servers at the same moment.

        :param wanted: list of what :meth:`request_one` takes
        :param extra_specs: further ones of all their flavors
        :returns: list of servers.RequestedServer
        """
        # No two of them make the same flavor.
        for ram_mib, size_kib, _ in wanted:
            self.flavor_of(ram_mib, size_kib, **extra_specs)
        return servers.at_once(functools.partial(
            self.request_one, **extra_specs), *zip(*wanted))

    def request_one(self, ram_mib, size_kib, host=None, **extra_specs):
        """Request a server; it is deleted after the test.

        :param ram_mib: its RAM
        :param size_kib: the page size that it asks for; None for nothing
        :param host: the compute_host.ComputeHost; None for any host
        :param extra_specs: further ones of its flavor
        :returns: a servers.RequestedServer
        """
        server = self.boot(host, flavor=self.flavor_of(ram_mib, size_kib,
                                                       **extra_specs))
        server.size_kib = size_kib
        return server

    def delete_servers(self):
        """Delete all servers, and assert that nothing is taken any more."""
        self.servers = []
        self.delete_requested()
        self.on_each_host(self.check_taken)

    def check_active(self, requested):
        """Assert that servers run, and have their memory.

        :param requested: list of servers.RequestedServer
        """
        self.nova.settle(self.servers)
        self.assertEqual([], [server for server in requested
                              if server.status != 'ACTIVE'])
        self.on_each_host(self.check_taken)

    def check_refused(self, requested, words=None, racing=False):
        """Assert that nova refused servers, and that no memory is lost.

        :param requested: list of servers.RequestedServer
        :param words: texts, one of which each one's fault has to have; None
            if it has to begin with one of :data:`REFUSALS`
        :param racing: whether they were requested at the same moment as
            others that may have taken what the scheduler had seen free
        :raises SkipException: if all was as it had to be, as far as is known,
            and nobody knows whether hosts refused them
        """
        self.nova.settle(self.servers)
        self._check_none_active(requested, words)
        for server in requested:
            self.assert_agrees(self._compare_refusal(server, words))
        unknown = [text for server in requested
                   for text in self._check_never_begun(server)]
        self.on_each_host(self.check_taken)
        if unknown:
            self._fail_or_skip(unknown, racing)

    def _compare_refusal(self, server, words):
        said = (server.fault.startswith(REFUSALS) if words is None
                else any(text in server.fault for text in words))
        comparison = facts.Comparison(
            'server %s, %d MiB of RAM, which had to be refused' % (
                server.uuid, server.ram_mib), server=server.uuid)
        comparison.holds('nova', 'why the server was refused', 'one of: %s' %
                         ', '.join(words or REFUSALS), server.fault, said)
        comparison.equal('nova', 'host of the refused server', None,
                         server.host)
        comparison.equal(
            'placement', 'MEMORY_MB that the refused server has', {},
            actions.left_allocated(server.uuid, self.cloud,
                                   self.inventory.limit))
        return comparison

    def _check_none_active(self, requested, words):
        taken = [
            'host %s had to refuse %s: %s' % (
                server.host, server, 'expected was one of %s' % (words,)
                if words else 'Nova hands out more memory there than the '
                'inventory declares for guests')
            for server in requested if server.status == 'ACTIVE']
        if taken:
            self.fail('\n'.join(taken))

    def _check_never_begun(self, server):
        """Assert that no host has tried to start a refused server's guest.

        Who has no more hosts to try may have been accepted by all of them,
        and have failed to start there.

        :returns: list of texts on hosts of which nobody knows
        """
        if not server.fault.startswith(page_sizes.NO_MORE_RETRIES):
            return []
        return list(filter(None, (
            self._check_not_claimed(server, service) for service
            in actions.builds(self.nova.client, server.uuid))))

    def _check_not_claimed(self, server, service):
        host = next((host for host in self.hosts if
                     self.services.host_of(host.name) == service), None)
        if host is None or self._logs[host.name] is None:
            return (
                '%s; %s does not say where nova-compute on %s logs to '
                '(services.nova-compute.log or .journal): only that tells '
                'whether it was refused there' % (
                    server, self.inventory.path, service))
        said = host.log.about(server.uuid, self._logs[host.name])
        self.assertTrue(
            any(NOT_CLAIMED in line for line in said),
            '%s: host %s did not log "%s" of it: it was not refused there, '
            'but accepted. It failed later:\n%s' % (
                server, host.name, NOT_CLAIMED, '\n'.join(said)))
        return None

    def _fail_or_skip(self, unknown, racing):
        """Judge servers of which nobody knows whether hosts refused them.

        The scheduler itself refuses what does not fit if it asks the filter
        that knows. Who gets to a host nevertheless has lost a race, or was
        accepted and failed to start.
        """
        if not racing and compute.is_scheduler_filter_enabled(NUMA_FILTER):
            self.fail(
                'the scheduler had to refuse these, as [compute-feature-'
                'enabled] scheduler_enabled_filters has %s. They got to '
                'hosts, where nothing raced with them: these have accepted '
                'them, and failed to start them:\n%s' % (
                    NUMA_FILTER, '\n'.join(unknown)))
        observed.skip(self, observed.NO_LOG, '; '.join(unknown))

    def table_of_servers(self, comparison):
        """Tell people what is taken, and by whom.

        :param comparison: a facts.Comparison
        :returns: text
        """
        return '%s\n\n%s' % (comparison, '\n'.join(map(str, self.servers)))
