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
from testtools import content

from mempage_tempest_plugin import facts
from mempage_tempest_plugin import reachability
from mempage_tempest_plugin.tests import in_guest
from mempage_tempest_plugin.tests import moving

CONF = config.CONF

# Seconds in which the writer in the guest has to get one round further.
WRITER_TIMEOUT = 60


class GuestMoveTest(in_guest.FilledGuestTest, moving.BaseMoveTest):
    """Tests of what a guest still has in its memory after a move.

    The tests of a class that begin on the same host use the same guest, as
    long as it is fit.
    """

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._kept = {}

    def start_filled(self):
        """Have a server with filled memory; part of it goes on changing."""
        # Whoever fails leaves it to nobody.
        kept = self._kept.pop(self.source, None)
        if kept is None:
            self._boot_filled()
            return
        server, self.guest, self.before = kept
        self.use(server)
        self.check_evidence(self.source)
        self.check_guest()

    def keep(self):
        """Leave the server, which is where it was, to the next test."""
        self._kept[self.source] = self.server, self.guest, self.before

    def boot_guest(self):
        """Get the server that start_filled is about."""
        self.use(self.request_guest_on(self.source))

    @classmethod
    def request_guest_on(cls, host):
        """Request a server on a host; it is deleted after the class.

        :param host: the compute_host.ComputeHost
        :returns: its UUID
        """
        server = cls.request_on(host, **cls.reachable(
            cls.get_class_validation_resources(cls.os_admin)))
        cls.addClassResourceCleanup(cls.delete_servers, [server])
        return server

    def use(self, server):
        """Let a server be the one that the test is about.

        :param server: its UUID
        """
        self.servers = {self.source.name: server}
        self.note_reachable(server, self.get_class_validation_resources(
            self.os_admin))

    def _boot_filled(self):
        self.boot_guest()
        self.guest = self.fill(self.server)
        self.check_evidence(self.source)
        # While the guest is paused there is nothing to race with, and one
        # that writes much, or never rests, takes the CPU from all others.
        if CONF.mempage.live_migrate_running_guests:
            self.guest.start_writer(mib=4, pause=0)
        else:
            self.guest.start_writer(mib=1, pause=1)
        self.before = self.guest.state()
        self._check_state(self.before)

    def check_guest(self):
        """Assert that the guest's memory is what it was, and still works."""
        self._check_state(self.guest.state())

    def _check_state(self, state):
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
        first, last = self.guest.rounds(WRITER_TIMEOUT)
        self.assertGreater(
            last, first,
            'the writer in the guest got no further than round %d' % first)

    def migrate(self, departed, host):
        """Take the running server to another host, with all its memory.

        :param departed: the compute_host.ComputeHost where it is
        :param host: the compute_host.ComputeHost where it has to go
        """
        runs = CONF.mempage.live_migrate_running_guests
        pings = reachability.Pings(self.guest.client.ip_address)
        with pings:
            if not runs:
                self.act('PAUSED', 'pause_server')
            self.act('ACTIVE' if runs else 'PAUSED', 'live_migrate_server',
                     **self.to_live(host))
            if not runs:
                self.act('ACTIVE', 'unpause_server')
        self._report('%s to %s, %s: stopped for %s ms, says libvirt; silent '
                     'for %s s, say pings' % (
                         departed.name, host.name,
                         'running' if runs else 'paused by [mempage] '
                         'live_migrate_running_guests',
                         host.libvirt.migration_downtime(self.server),
                         'an unknown number of' if pings.silence is None
                         else '%.1f' % pings.silence))
        self.check_moved(departed, host)
        self.check_guest()

    def _report(self, text):
        self.addDetailUniqueName('live-migration',
                                 content.text_content(text + '\n'))
