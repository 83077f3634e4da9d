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
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin import cloud
from mempage_tempest_plugin import names

#: How often to try to change what somebody else changes at the same time.
ATTEMPTS = 5
#: The kind of the trait of hosts that are forced down.
DOWN = 'down'


class Trait(fixtures.Fixture):
    """Give some hosts a trait that no other has.

    A flavor that requires it goes to these hosts only: a resize has no other
    way to name its destination.
    """

    def __init__(self, manager, hosts, kind='trait'):
        """Keep what to use.

        :param manager: Tempest's client manager of an administrator
        :param hosts: resource providers' UUIDs
        :param kind: the part of its name that tells what it is for
        """
        super().__init__()
        self._placement = manager.placement_client
        self._providers = manager.resource_providers_client
        self._hosts = hosts
        self.name = names.as_trait(names.new(kind))

    def _setUp(self):
        self._placement.create_trait(self.name)
        self.addCleanup(self._placement.delete_trait, self.name)
        for host in self._hosts:
            change_traits(self._providers, host,
                          lambda traits: traits | {self.name})
            self.addCleanup(change_traits, self._providers, host,
                            lambda traits: traits - {self.name})


def change_traits(client, provider, change):
    """Change the traits of a resource provider.

    :param client: Tempest's resource providers client
    :param provider: its UUID
    :param change: function of the set of its traits that returns another
    """
    for attempt in range(1, ATTEMPTS + 1):
        found = client.list_resource_provider_traits(provider)
        try:
            client.update_resource_provider_traits(
                provider, traits=sorted(change(set(found['traits']))),
                resource_provider_generation=found[
                    'resource_provider_generation'])
            return
        except lib_exc.Conflict:
            # nova-compute changes it as well.
            if attempt == ATTEMPTS:
                raise


class ForcedDown(fixtures.Fixture):
    """Have Nova believe that nova-compute on a host is down.

    A trait tells meanwhile whose doing that is: Nova does not.
    """

    def __init__(self, manager, services, hypervisor, timeout):
        """Keep what to use.

        :param manager: Tempest's client manager of an administrator
        :param services: a compute_services.ComputeServices
        :param hypervisor: hypervisor_hostname of the host
        :param timeout: seconds until nova-compute must count as up again
        """
        super().__init__()
        self._manager = manager
        self._services = services
        self._hypervisor = hypervisor
        self._timeout = timeout

    def _setUp(self):
        provider = cloud.Cloud(self._manager).provider(self._hypervisor)
        self.useFixture(Trait(self._manager, [provider.uuid], DOWN))
        host = self._services.host_of(self._hypervisor)
        self.addCleanup(bring_up, self._services, host, self._timeout)
        self._services.force_down(host, True)


def bring_up(services, host, timeout):
    """Have Nova believe no longer that nova-compute on a host is down.

    :param services: a compute_services.ComputeServices
    :param host: the service's host
    :param timeout: seconds until nova-compute must count as up again
    """
    if not (test_utils.call_until_true(
            lambda: _cease_to_force(services, host), timeout, 1)
            and test_utils.call_until_true(
                lambda: services.report(host).state == 'up', timeout, 1)):
        raise lib_exc.TimeoutException(
            'nova-compute on %s is not up %d s after it was to be forced down '
            'no longer. Nova insists on a restart of it if servers were '
            'evacuated' % (host, timeout))


def _cease_to_force(services, host):
    try:
        services.force_down(host, False)
    except lib_exc.BadRequest:
        # Not before nova-compute has deleted what was evacuated.
        return False
    return True
