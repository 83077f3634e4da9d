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


"""What a guest has in its memory is there until it is booted anew."""

from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import fates
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import operations
from mempage_tempest_plugin.tests.bases import reachable
from mempage_tempest_plugin.tests.bases import steps
from mempage_tempest_plugin.tests.bases import survival

# What has to keep the memory.
KEEP = {**{name: steps.OPERATIONS[name]
           for name in ('pause_unpause', 'suspend_resume')},
        'snapshot': steps.SNAPSHOT}


class _BaseSurvivesTest(reachable.BaseFilledTest):
    """Tests that have a guest look at its memory after each operation."""

    servers_on_host = 1

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        [cls.host] = cls.hosts

    def check_survives(self):
        """Assert that a guest keeps its memory until it is rebooted hard."""
        kept = steps.of_those_enabled(self, KEEP)
        self.server = self.boot_reachable(self.host)
        self.guest = self.fill(self.server)
        self.state = self.guest.state()
        self.assertEqual(self.guest.intact(), self.state.digest)
        for name, operation in kept.items():
            self._take(operation)
            if operation is steps.SNAPSHOT:
                self.on_each_host(*operations.snapshot(self))
            self._check_kept(name)
        self.assertNotEqual({}, self._found())
        self._take(steps.OPERATIONS['hard_reboot'])
        self._check_gone()

    def _take(self, operation):
        for step in operation.steps:
            self.on_each_host(*step.calls(self))

    def _check_kept(self, operation):
        """Assert that the guest runs on with all of its memory."""
        found = self.guest.state()
        comparison = facts.Comparison('server %s, after %s' % (
            self.server.uuid, operation), server=self.server.uuid)
        comparison.equal('guest', 'boot ID', self.state.boot, found.boot)
        comparison.equal('guest', 'digest of its memory', self.state.digest,
                         found.digest)
        if found.digest != self.state.digest:
            comparison.equal('guest', 'damage', None, self.guest.damage())
        self.assert_agrees(comparison)

    def _check_gone(self):
        """Assert that another boot has nothing of the memory."""
        comparison = facts.Comparison(
            'server %s, after hard_reboot' % self.server.uuid,
            self.host.name, self.server.uuid)
        comparison.equal('kernel', 'what it had in its memory is found in',
                         {}, self._found())
        boot = self.enter(self.server).run(
            'cat /proc/sys/kernel/random/boot_id').strip()
        comparison.holds('guest', 'boot ID', 'not %s' % self.state.boot, boot,
                         boot != self.state.boot)
        self.assert_agrees(comparison)

    def _found(self):
        """Look where the pattern is on the host."""
        return survival.find(
            self.host, fates.look(self.host, self.server.uuid),
            self.guest.seed, [self.server.uuid])


class TestMemorySurvivesInFile(_BaseSurvivesTest):
    """A file-backed host: there is one way for all."""

    about = which.file_backed
    take = which.last

    @decorators.idempotent_id('ef6dbc49-ca38-4c8d-a97a-b6dd14f1d3b9')
    @utils.services('compute', 'network')
    def test_operations(self):
        """Pause, suspend and snapshot keep all of it, a hard reboot nothing"""
        self.check_survives()


class TestMemorySurvivesInPages(_BaseSurvivesTest):
    """A host with large pages for guests: all have the same code."""

    about = which.large_pages
    take = which.first
    pools = leased.TAKES
    request = page_sizes.LARGE

    @decorators.idempotent_id('0cd6bcda-a3db-407a-9d92-c0261cc86014')
    @utils.services('compute', 'network')
    def test_operations(self):
        """Pause, suspend and snapshot keep all of it, a hard reboot nothing"""
        self.check_survives()
