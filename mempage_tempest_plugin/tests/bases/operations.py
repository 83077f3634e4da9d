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

"""What tests share that do the same with a server on every host."""

from tempest.common import waiters
from tempest import config

from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.evidence import soft_reboot
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import reachable
from mempage_tempest_plugin.tests.bases import steps

CONF = config.CONF


def snapshot(test):
    """Make the steps of a snapshot; it is deleted after the test.

    :param test: a base.BaseMemoryTest
    :returns: list of functions of a compute_host.ComputeHost
    """
    client = test.os_admin.image_client_v2
    # A slow host takes longer to read the disk, and to send it.
    client.build_timeout = test.inventory.limit(CONF.image.build_timeout)
    images = {}

    def request(host):
        image = test.os_admin.compute_images_client.create_image(
            test.server_on(host).uuid,
            name=names.of(type(test), 'snapshot'))['image_id']
        test.addCleanup(client.delete_image, image)
        images[host.name] = image

    def wait(host):
        # The server is ACTIVE from the beginning: its image tells the end,
        # and the server itself that Nova does nothing more with it.
        waiters.wait_for_image_status(client, images[host.name], 'active')
        test.nova.wait_for(test.server_on(host).uuid, 'ACTIVE')

    request.__name__ = 'snapshot'
    wait.__name__ = 'wait after snapshot'
    return [request, wait]


class BaseReusedServersTest(base.BaseMemoryTest):
    """Tests that use the same servers, as long as these are fit."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._reused = {}
        cls.addClassResourceCleanup(cls._delete_reused)

    @classmethod
    def _delete_reused(cls):
        cls.nova.delete(server.uuid for server in cls._reused.values())

    def setUp(self):
        super().setUp()
        self.on_each_host(self._keep_fit)
        self.servers = list(self._reused.values())
        self.on_each_host(self.wait_until_active)

    def _keep_fit(self, host):
        server = self._reused.get(host.name)
        if server:
            if self.cloud.server(server.uuid).status == 'ACTIVE':
                return
            self.nova.delete([server.uuid])
        self._reused[host.name] = self.request_server(host)


class BaseShelveTest(base.BaseMemoryTest):
    """Tests that shelve servers and unshelve them on the same host."""

    features = ('shelve',)
    speaks = (servers.UNSHELVE_ON_HOST,)

    def shelve(self, host):
        """Shelve the host's server until no host has it."""
        self.nova.shelve(self.server_on(host).uuid)

    def check_absent(self, host):
        """Assert that the host has nothing of its server."""
        base.check_absent(self, host, self.server_on(host).uuid)

    @base.in_turn
    def unshelve(self, host):
        """Unshelve the host's server there."""
        self.nova.unshelve(self.server_on(host).uuid, 'ACTIVE', host.name)


class BaseBootedTest(reachable.BaseReachableTest):
    """Tests of guests that are asked to shut down, and do."""

    may_skip = (observed.NO_LOG,)

    def setUp(self):
        super().setUp()
        self._before = {}

    def reboot_softly(self):
        """List the steps of a soft reboot, for :meth:`check_obeyed`.

        :returns: list of functions of a compute_host.ComputeHost
        """
        return [self._note_process, *steps.SOFT_REBOOT.calls(self)]

    def _note_process(self, host):
        self._before[host.name] = (
            host.pids(self.server_on(host).uuid), host.log and host.log.end())

    def check_obeyed(self, host):
        """Assert that the guest itself has shut down, or skip the test.

        Of a soft reboot that is not obeyed, Nova makes a hard one.

        :param host: the compute_host.ComputeHost
        """
        uuid = self.server_on(host).uuid
        pids, end = self._before[host.name]
        said = host.log.about(uuid, end) if host.log else []
        self.assert_agrees(soft_reboot.compare(
            host.name, uuid, pids, host.pids(uuid), said))
        if not soft_reboot.is_told(said):
            observed.skip(
                self, observed.NO_LOG, 'only that tells whether the guest on '
                '%s has obeyed: %s has to say where it is (services.'
                'nova-compute.log or .journal), and messages of level INFO '
                'have to be in it' % (host.name, self.inventory.path))

    def wait_until_booted(self, host):
        """Wait until a guest does what it is asked to; only a login tells."""
        self.connect(self.server_on(host)).validate_authentication()
