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

"""Operations on a server that stays where it is, step by step."""

import dataclasses

from tempest import config
from testtools import content

from mempage_tempest_plugin.evidence import fates

CONF = config.CONF


@dataclasses.dataclass(frozen=True)
class Step:
    """A request to the servers API, and what it has to lead to.

    :ivar method: name of a method of Tempest's servers client
    :ivar status: the server's status in the end
    :ivar arguments: keyword arguments of the method
    :ivar runs: whether the guest has memory then
    :ivar fate: what has become of the memory that it had when it last ran
    """

    method: str
    status: str
    arguments: dict = dataclasses.field(default_factory=dict)
    runs: bool = True
    fate: fates.Fate = fates.NEW

    def calls(self, test):
        """Translate it for base.BaseMemoryTest.on_each_host.

        :param test: the test
        :returns: list of functions of a compute_host.ComputeHost
        """
        def request(host):
            getattr(test.nova.client, self.method)(
                test.server_on(host).uuid, **self.arguments)

        def wait(host):
            test.nova.wait_for(test.server_on(host).uuid, self.status)

        # What a failure is called after.
        request.__name__ = self.method
        wait.__name__ = 'wait after %s' % self.method
        return [request, wait]


@dataclasses.dataclass(frozen=True)
class Operation:
    """Steps after which the server is as it was.

    :ivar steps: a tuple of :class:`Step`
    :ivar feature: the option of [compute-feature-enabled], if there is one
    """

    steps: tuple
    feature: str | None = None

    def skip_unless_enabled(self, test):
        """Skip a test of what the cloud does not know.

        :param test: the test
        """
        if not self.is_enabled(CONF.compute_feature_enabled):
            raise test.skipException('[compute-feature-enabled] %s is not set'
                                     % self.feature)

    def is_enabled(self, features):
        """Tell whether a cloud knows the operation.

        :param features: the options of [compute-feature-enabled]
        """
        return self.feature is None or features[self.feature]


OPERATIONS = {
    'hard_reboot': Operation((
        Step('reboot_server', 'ACTIVE', {'type': 'HARD'}),)),
    'stop_start': Operation((
        Step('stop_server', 'SHUTOFF', runs=False),
        Step('start_server', 'ACTIVE'))),
    'pause_unpause': Operation((
        Step('pause_server', 'PAUSED', fate=fates.KEPT),
        Step('unpause_server', 'ACTIVE', fate=fates.KEPT)), 'pause'),
    'suspend_resume': Operation((
        Step('suspend_server', 'SUSPENDED', runs=False),
        Step('resume_server', 'ACTIVE', fate=fates.RESTORED)), 'suspend'),
}
RESCUE = Operation((
    Step('rescue_server', 'RESCUE'),
    Step('unrescue_server', 'ACTIVE')), 'rescue')
SNAPSHOT = Operation((), 'snapshot')
SOFT_REBOOT = Step('reboot_server', 'ACTIVE', {'type': 'SOFT'})


def of_those_enabled(test, operations):
    """Choose what a cloud knows, and say what is left out.

    :param test: the test
    :param operations: dict of :class:`Operation` by name
    :returns: the same, without those that are left out
    :raises SkipException: if the cloud knows none
    """
    enabled = {name: operation for name, operation in operations.items()
               if operation.is_enabled(CONF.compute_feature_enabled)}
    left_out = ', '.join(operation.feature for name, operation
                         in operations.items() if name not in enabled)
    if not enabled:
        raise test.skipException('[compute-feature-enabled] none of %s is set'
                                 % left_out)
    if left_out:
        test.addDetailUniqueName('left-out', content.text_content(
            '[compute-feature-enabled] not set: %s\n' % left_out))
    return enabled


def rebuild(image):
    """Tell how to rebuild a server in place.

    :param image: UUID of the image
    :returns: a tuple of one :class:`Step`
    """
    return (Step('rebuild_server', 'ACTIVE', {'image_ref': image}),)
