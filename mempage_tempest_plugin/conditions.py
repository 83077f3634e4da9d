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

"""Changes to a cloud that a test needs, and that are undone after it."""

import fixtures
from tempest.lib.common.utils import data_utils
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc

#: How often to try to change what somebody else changes at the same time.
ATTEMPTS = 5


class Trait(fixtures.Fixture):
    """Give some hosts a trait that no other has.

    A flavor that requires it goes to these hosts only: a resize has no other
    way to name its destination.
    """

    def __init__(self, manager, hosts):
        """Keep what to use.

        :param manager: Tempest's client manager of an administrator
        :param hosts: resource providers' UUIDs
        """
        super().__init__()
        self._placement = manager.placement_client
        self._providers = manager.resource_providers_client
        self._hosts = hosts
        self.name = data_utils.rand_name(
            'trait', prefix='CUSTOM-MEMPAGE').upper().replace('-', '_')

    def _setUp(self):
        self._placement.create_trait(self.name)
        self.addCleanup(self._placement.delete_trait, self.name)
        for host in self._hosts:
            self._change(host, lambda traits: traits | {self.name})
            self.addCleanup(self._change, host,
                            lambda traits: traits - {self.name})

    def _change(self, host, change):
        for attempt in range(1, ATTEMPTS + 1):
            found = self._providers.list_resource_provider_traits(host)
            try:
                self._providers.update_resource_provider_traits(
                    host, traits=sorted(change(set(found['traits']))),
                    resource_provider_generation=found[
                        'resource_provider_generation'])
                return
            except lib_exc.Conflict:
                # nova-compute changes it as well.
                if attempt == ATTEMPTS:
                    raise


class ForcedDown(fixtures.Fixture):
    """Have Nova believe that nova-compute on a host is down."""

    def __init__(self, services, host, timeout):
        """Keep what to use.

        :param services: a compute_services.ComputeServices
        :param host: the service's host
        :param timeout: seconds until nova-compute must count as up again
        """
        super().__init__()
        self._services = services
        self._host = host
        self._timeout = timeout

    def _setUp(self):
        self.addCleanup(self._bring_up)
        self._services.force_down(self._host, True)

    def _bring_up(self):
        self._services.force_down(self._host, False)
        if not test_utils.call_until_true(
                lambda: self._services.report(self._host).state == 'up',
                self._timeout, 1):
            raise lib_exc.TimeoutException(
                'nova-compute on %s is not up %d s after it ceased to be '
                'forced down' % (self._host, self._timeout))
