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

"""nova-compute that Nova is told to take for down."""

import fixtures
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc
import urllib3

from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.cloud import cloud

#: The kind of the trait of hosts that are forced down.
KIND = 'down'


class ForcedDown(fixtures.Fixture):
    """Have Nova believe that nova-compute on a host is down.

    A trait tells meanwhile whose doing that is: Nova does not. It stays until
    Nova believes it no longer, whatever becomes of the test.

    :param manager: Tempest's client manager of an administrator
    :param services: a nova_services.ComputeServices
    :param hypervisor: hypervisor_hostname of the host
    :param timeout: seconds until nova-compute must count as up again
    :param restart: function that restarts it, if that is allowed
    """

    def __init__(self, manager, services, hypervisor, timeout, restart=None):
        super().__init__()
        self._manager = manager
        self._services = services
        self._hypervisor = hypervisor
        self._timeout = timeout
        self._restart = restart

    def _setUp(self):
        provider = cloud.Cloud(self._manager).provider(self._hypervisor)
        self._mark = host_traits.Trait(self._manager, [provider.uuid], KIND)
        self._mark.setUp()
        self.addCleanup(self._bring_up)
        self._services.force_down(
            self._services.host_of(self._hypervisor), True)

    def _bring_up(self):
        bring_up(self._services, self._hypervisor, self._timeout,
                 self._restart)
        self._mark.cleanUp()


def bring_up(services, hypervisor, timeout, restart=None):
    """Have Nova believe no longer that nova-compute on a host is down.

    :param services: a nova_services.ComputeServices
    :param hypervisor: hypervisor_hostname of the host
    :param timeout: seconds until nova-compute must count as up again
    :param restart: function that restarts it, for when nothing else helps
    :raises TimeoutException: if it does not, with what Nova said last
    """
    host = services.host_of(hypervisor)
    before = services.report(host)
    said = ['it does not answer']

    def ask(question, *arguments):
        try:
            return question(*arguments)
        except (lib_exc.RestClientException,
                urllib3.exceptions.HTTPError) as error:
            said[:] = [str(error)]
            return False

    def soon(*question):
        return test_utils.call_until_true(ask, timeout, 1, *question)

    # Nova refuses while an evacuation goes on, and until nova-compute has
    # started once more after it.
    ceased = soon(_cease_to_force, services, host)
    if not ceased and restart:
        restart()
        ceased = soon(_cease_to_force, services, host)
    if not (ceased and soon(services.is_up_again, hypervisor, before)):
        raise lib_exc.TimeoutException(
            'nova-compute on %s is not up %d s after it was to be forced down '
            'no longer: %s. Nova insists on a restart of it if servers were '
            'evacuated. No server can start there until "mempage-tempest '
            'cleanup" has restarted it and brought it up' % (
                host, timeout, said[0]))


def _cease_to_force(services, host):
    services.force_down(host, False)
    return True
