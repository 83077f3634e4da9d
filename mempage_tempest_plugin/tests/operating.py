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

"""What tests share that operate servers which stay on their hosts."""

from tempest.common import compute
from tempest.common import waiters
from tempest import config

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import moves
from mempage_tempest_plugin.tests import base
from mempage_tempest_plugin.tests import in_guest
from mempage_tempest_plugin.tests import moving

CONF = config.CONF


class BaseOperationsTest(base.BaseMemoryTest):
    """Tests that do the same with a server on every host."""

    def skip_unless_enabled(self, operation):
        """Skip a test of what the cloud does not know.

        :param operation: operations.Operation
        """
        if not operation.is_enabled(CONF.compute_feature_enabled):
            raise self.skipException('[compute-feature-enabled] %s is not set'
                                     % operation.feature)

    def calls(self, step):
        """Translate a step of an operation.

        :param step: an operations.Step
        :returns: list of functions of a compute_host.ComputeHost
        """
        def request(host):
            getattr(self.servers_client, step.method)(
                self.servers[host.name], **step.arguments)

        def wait(host):
            waiters.wait_for_server_status(
                self.servers_client, self.servers[host.name], step.status)

        request.__name__ = step.method
        wait.__name__ = 'wait after %s' % step.method
        return [request, wait]


class BaseKeptServersTest(BaseOperationsTest):
    """Tests that use the same servers, as long as these are fit."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._kept = {}
        cls.addClassResourceCleanup(cls._delete_kept)

    @classmethod
    def _delete_kept(cls):
        cls.delete_servers(cls._kept.values())

    def setUp(self):
        super().setUp()
        self.servers = self._kept
        self.on_each_host(self._keep_fit, self.wait_until_active)

    def _keep_fit(self, host):
        server = self._kept.get(host.name)
        if server:
            if self.cloud.server(server).status == 'ACTIVE':
                return
            self.delete_servers([server])
        self._kept[host.name] = self.request_on(host)


class BaseShelveTest(BaseOperationsTest):
    """Tests that shelve servers and unshelve them on the same host."""

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.compute_feature_enabled.shelve:
            raise cls.skipException('[compute-feature-enabled] shelve is not '
                                    'set')
        moving.skip_unless_unshelved_on_host()

    def shelve(self, host):
        """Shelve the host's server until no host has it."""
        server = self.servers[host.name]
        compute.shelve_server(self.servers_client, server,
                              force_shelve_offload=True)

    def check_absent(self, host):
        """Assert that the host has nothing of its server."""
        self.assert_agrees(host, moves.compare_absent(
            host, self.servers[host.name], self.cloud))

    def unshelve(self, host):
        """Request to unshelve the host's server there."""
        services = compute_services.ComputeServices(self.os_admin)
        name = services.host_of(host.name)
        with compute_services.speaking(moving.UNSHELVE_ON_HOST):
            self.servers_client.unshelve_server(self.servers[host.name],
                                                host=name)


class BaseObedientTest(BaseOperationsTest, in_guest.InGuestTest):
    """Tests of guests that obey when they are asked to shut down."""

    needs_system = True

    def wait_until_obedient(self, host):
        """Wait until a guest obeys; only a login tells."""
        self.connect(self.servers[host.name]).validate_authentication()
