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

"""What tests share that move a guest and look at what is in its memory."""

from tempest import config
from tempest.lib.common.utils import data_utils
from tempest.lib.common.utils import test_utils
from testtools import content

from mempage_tempest_plugin import facts
from mempage_tempest_plugin import guests
from mempage_tempest_plugin import reachability
from mempage_tempest_plugin.tests import in_guest
from mempage_tempest_plugin.tests import moving

CONF = config.CONF

# How much of a guest's RAM has a pattern in it, in percent.
FILLED = 60
# Seconds in which the writer in the guest has to get one round further.
WRITER_TIMEOUT = 60


class GuestMoveTest(in_guest.InGuestTest, moving.BaseMoveTest):
    """Tests of what a guest still has in its memory after a move."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # The guest's system needs the rest.
        model = cls.os_admin.flavors_client.show_flavor(
            CONF.compute.flavor_ref_alt)['flavor']
        cls.flavor = cls.create_flavor(cls.extra_specs, model['ram'])

    def start_filled(self):
        """Boot the server and fill its memory; part of it goes on changing."""
        self.boot_reachable(self.source)
        self.wait_until_active(self.source)
        self.guest = guests.Guest(self.connect(self.server),
                                  data_utils.rand_uuid_hex())
        self.check_evidence(self.source)
        self.guest.fill(-(-self.flavor['ram'] * FILLED // 100))
        self.guest.start_writer()
        self.before = self.guest.state()
        self.check_guest()

    def check_guest(self):
        """Assert that the guest's memory is what it was, and still works."""
        state = self.guest.state()
        comparison = facts.Comparison('in the guest of server %s'
                                      % self.server)
        comparison.equal('guest', 'boot ID', self.before.boot, state.boot)
        comparison.equal('guest', 'digest of the pattern',
                         self.guest.intact(), state.digest)
        comparison.equal('guest', 'what the writer found wrong', '',
                         state.torn)
        comparison.equal('guest', 'complaints of the kernel',
                         self.before.trouble, state.trouble)
        if state.digest != self.guest.intact():
            comparison.equal('guest', 'damage', None, self.guest.damage())
        self.assertThat(comparison, facts.Agrees())
        self._check_writer()

    def _check_writer(self):
        rounds = self.guest.rounds()
        self.assertTrue(
            test_utils.call_until_true(
                lambda: self.guest.rounds() > rounds, WRITER_TIMEOUT, 1),
            'the writer in the guest got no further than round %d' % rounds)

    def migrate(self, departed, host):
        """Take the running server to another host, with all its memory.

        :param departed: the compute_host.ComputeHost where it is
        :param host: the compute_host.ComputeHost where it has to go
        """
        pings = reachability.Pings(self.guest.client.ip_address)
        with pings:
            self.act('ACTIVE', 'live_migrate_server', **self.to_live(host))
        self.check_moved(departed, host)
        self.check_guest()
        self.addDetailUniqueName('live-migration', content.text_content(
            '%s to %s: stopped for %s ms, says libvirt; silent for %s s, '
            'say pings\n' % (
                departed.name, host.name,
                host.libvirt.migration_downtime(self.server),
                None if pings.silence is None else
                '%.1f' % pings.silence)))
