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

"""Traits that tests give to hosts."""

import fixtures
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import names

#: How often to try to change what somebody else changes at the same time.
ATTEMPTS = 5
# What placement says of that if it notices late; the status is 500 then.
_NOTICED_LATE = 'Another thread concurrently updated'


class Trait(fixtures.Fixture):
    """Give some hosts a trait that no other has.

    A flavor that requires it goes to these hosts only: a resize has no other
    way to name its destination.

    :param manager: Tempest's client manager of an administrator
    :param hosts: resource providers' UUIDs
    :param kind: the part of its name that tells what it is for
    """

    def __init__(self, manager, hosts, kind='trait'):
        super().__init__()
        self._placement = manager.placement_client
        self._providers = manager.resource_providers_client
        self._hosts = hosts
        self.name = names.as_trait(names.new(kind))

    def _setUp(self):
        self._placement.create_trait(self.name)
        self.addCleanup(self._placement.delete_trait, self.name)
        for host in self._hosts:
            change_traits(self._providers, host, {self.name}.union)
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
        except (lib_exc.Conflict, lib_exc.ServerFault) as error:
            # nova-compute changes it as well.
            if attempt == ATTEMPTS or not _is_concurrent(error):
                raise


def _is_concurrent(error):
    return isinstance(error, lib_exc.Conflict) or _NOTICED_LATE in str(error)
