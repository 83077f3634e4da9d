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

"""What tests share that take a server from host to host, or try to."""

from tempest.common import compute
from tempest.common import waiters
from tempest import config
from tempest import exceptions
from tempest.lib.common import api_version_utils
from tempest.lib.services.compute import base_compute_client

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import evidence
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin import moves
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin import policy
from mempage_tempest_plugin.tests import base

CONF = config.CONF

# The first version which can name the host to unshelve on.
UNSHELVE_ON_HOST = '2.91'


def skip_unless_unshelved_on_host():
    """Skip tests where nobody can name the host to unshelve on.

    :raises SkipException: if the configuration does not allow it
    """
    api_version_utils.check_skip_with_microversion(
        UNSHELVE_ON_HOST, 'latest', CONF.compute.min_microversion,
        CONF.compute.max_microversion)


def can_have(host, request):
    """Tell whether guests of any kind can be on a host.

    :param host: the host's declaration (inventory.Host)
    :param request: small, large, or None for guests without page size
    """
    if request is None:
        return host.allows(host.small_page_kib)
    large = page_sizes.large(host)
    return bool(large if request == page_sizes.LARGE
                else page_sizes.available(host) - large)


class FromFileBacked:
    """Mixed in: the server starts on a file-backed host."""

    @classmethod
    def is_about(cls, host):
        return super().is_about(host) and host.file_backed is not None


class FromOrdinary:
    """Mixed in: the server starts on a host that is not file-backed."""

    @classmethod
    def is_about(cls, host):
        return super().is_about(host) and not host.file_backed


class ToFileBacked:
    """Mixed in: the server is taken to file-backed hosts."""

    @classmethod
    def is_destination(cls, host, source):
        return host.file_backed is not None


class ToOrdinary:
    """Mixed in: the server is taken to hosts where it has ordinary memory."""

    @classmethod
    def is_destination(cls, host, source):
        return can_have(host, None) and not host.file_backed


class BaseMoveTest(base.BaseMemoryTest):
    """Tests with one server, which is on the first host that suits.

    A host suits if there are destinations. These are one of each policy.
    """

    # What went wrong in an event of an action.
    min_microversion = '2.84'

    # What flavors ask for, as page_sizes.granted takes it; None for nothing.
    request = None
    # A guest that runs reports free pages, and QEMU gives them back: holes
    # in its file, which nobody could tell from damage.
    needs_system = False
    # Options of [compute-feature-enabled] that the tests need.
    features = ()

    @classmethod
    def is_about(cls, host):
        """Tell whether the server may start on a host."""
        return can_have(host, cls.request)

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        missing = [name for name in cls.features
                   if not CONF.compute_feature_enabled[name]]
        if missing:
            raise cls.skipException('[compute-feature-enabled] %s is not set'
                                    % ', '.join(missing))
        for source in cls.declared:
            destinations = cls._destinations(source)
            if destinations:
                cls.declared = [source, *destinations]
                return
        raise cls.skipException('%s declares no such pair of hosts: %s' % (
            cls.inventory.path, cls.__doc__.splitlines()[0]))

    @classmethod
    def _destinations(cls, source):
        return page_sizes.one_of_each_policy([
            host for host in cls.inventory.hosts.values()
            if host is not source and cls.is_destination(host, source)])

    @classmethod
    def is_destination(cls, host, source):
        """Tell whether servers are to be taken to a host.

        :param host: the host's declaration (inventory.Host)
        :param source: the declaration of the host that they are on
        """
        raise NotImplementedError

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.migrations_client = cls.os_admin.migrations_client
        cls.services = compute_services.ComputeServices(cls.os_admin)

    @classmethod
    def resource_setup(cls):
        if cls.request:
            cls.extra_specs = {'hw:mem_page_size': str(cls.request)}
        super().resource_setup()
        cls.source, *cls.destinations = cls.hosts

    @property
    def server(self):
        """UUID of the server."""
        return next(iter(self.servers.values()))

    def page_kib(self, host):
        return self.request and page_sizes.granted(
            host.declared, self.request, self.flavor['ram'])

    def start(self, **kwargs):
        """Boot the server, and look at its memory.

        :param kwargs: arguments of compute.create_test_server
        """
        self.boot(self.source, **kwargs)
        self.wait_until_active(self.source)
        self.check_evidence(self.source)

    def act(self, status, method, *arguments, microversion=None, **kwargs):
        """Request an action on the server, and wait for its end.

        :param status: the status that the server must have then
        :param method: name of a method of Tempest's servers client
        :param arguments: its arguments after the server's UUID
        :param microversion: another version than that of the tests
        :param kwargs: its keyword arguments
        :returns: the ID of the request
        """
        with compute_services.speaking(
                microversion or base_compute_client.COMPUTE_MICROVERSION):
            body = getattr(self.servers_client, method)(
                self.server, *arguments, **kwargs)
        request_id = body.response['x-openstack-request-id']
        waiters.wait_for_server_status(self.servers_client, self.server,
                                       status, request_id=request_id)
        return request_id

    def shelve(self):
        """Shelve the server until no host has it."""
        compute.shelve_server(self.servers_client, self.server,
                              force_shelve_offload=True)

    def unshelve(self, status, host):
        """Request to unshelve the server on a host, and wait for the end.

        :param status: the status that the server must have then
        :param host: the compute_host.ComputeHost
        :returns: the ID of the request
        """
        return self.act(status, 'unshelve_server',
                        microversion=UNSHELVE_ON_HOST, **self.to(host))

    def to(self, host):
        """Name a host in a request.

        :param host: the compute_host.ComputeHost
        :returns: a dict for the body
        """
        return {'host': self.services.host_of(host.name)}

    def to_live(self, host):
        """Name the host in a request for a live migration.

        :param host: the compute_host.ComputeHost
        :returns: a dict for the body
        """
        return dict(self.to(host), block_migration='auto')

    def check_moved(self, departed, host):
        """Assert that the server is on another host now.

        :param departed: the compute_host.ComputeHost where it was
        :param host: the compute_host.ComputeHost where it must be
        """
        self.servers = {host.name: self.server}
        self.check_evidence(host)
        if departed.name != host.name:
            self.check_absent(departed)

    def check_absent(self, host):
        """Assert that a host has nothing of the server.

        :param host: the compute_host.ComputeHost
        """
        self.assert_agrees(host, moves.compare_absent(host, self.server,
                                                      self.cloud))

    def locate(self, able):
        """Find the host that the scheduler has chosen.

        :param able: function of a declaration (inventory.Host) that tells
            whether it could choose that host
        :returns: the compute_host.ComputeHost
        """
        hosts = {host.name: host for host in self.inventory.hosts.values()
                 if able(host)}
        name = self.cloud.server(self.server).host
        self.assertIn(name, hosts, 'hosts that can take server %s'
                      % self.server)
        return compute_host.get(hosts[name], CONF.mempage.host_timeout)

    def check_refused(self, destination, method, *arguments, **kwargs):
        """Assert that an action is refused, and that nothing came of it.

        :param destination: the compute_host.ComputeHost that must not take
            the server
        :param method: name of a method of Tempest's servers client
        :param arguments: its arguments after the server's UUID
        :param kwargs: its keyword arguments
        :returns: why Nova refused it
        """
        pids = self.source.pids(self.server)
        not_refused = (
            'server %s: %s from host %s to %s was not refused before it began'
            % (self.server, method, self.source.name, destination.name))
        try:
            request_id = self.act('ACTIVE', method, *arguments, **kwargs)
        except exceptions.BuildErrorException as error:
            self.fail('%s, and failed: %s' % (not_refused, error))
        reason = self.reason(request_id, not_refused)
        self.check_untouched(pids)
        self.check_absent(destination)
        return reason

    def check_untouched(self, pids):
        """Assert that the server is on its host as it was.

        :param pids: the QEMU processes that it had
        """
        found = evidence.collect(self.source, self.server,
                                 self.flavor['ram'], self.cloud)
        self.assert_agrees(self.source, policy.compare_server(
            found, self.page_kib(self.source)))
        self.assert_agrees(self.source, moves.compare_untouched(
            found, pids, moves.held_by_migrations(
                self.migrations_client, self.server, self.cloud)))

    def check_forced_live_migration_refused(self, destination):
        """Assert that nova-compute refuses a guest that nobody else judged.

        :param destination: the compute_host.ComputeHost that must not take
            the server
        :returns: why Nova refused it
        """
        # The last version in which a request can keep the scheduler out.
        return self.check_refused(
            destination, 'live_migrate_server', microversion='2.67',
            force=True, **self.to_live(destination))

    def reason(self, request_id, not_refused):
        """Assert that a request was refused.

        :param request_id: the ID of the request
        :param not_refused: what a failure has to say
        :returns: why Nova refused it
        """
        reason = moves.refusal(self.servers_client, self.server, request_id)
        if not reason:
            self.fail('%s; no event of request %s has failed' % (
                not_refused, request_id))
        return reason
