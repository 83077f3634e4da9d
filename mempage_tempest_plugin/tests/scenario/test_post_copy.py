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


"""Live migrations where Nova may fetch memory when the guest has moved."""

from tempest.lib import decorators
from testtools import content

from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import server_memory
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import late_refusal
from mempage_tempest_plugin.tests.bases import reconfigured
from mempage_tempest_plugin.tests.bases import survival


class TestPostCopyPermitted(base.BaseMoveTest):
    """From a file-backed host to one with each type of file system."""

    features = ('live_migration',)
    promises = ('reconfigure_hosts',)
    start_on = which.file_backed & which.reconfigurable & which.logs
    go_to = which.file_backed
    take = which.one_of_each_file_system
    alone_on = which.first
    harmful = True
    flavor_ram_mib = 64

    @decorators.idempotent_id('31d05b89-8d2c-40fa-a64b-3c58a4b7e932')
    def test_live_migration(self):
        """A guest moves with all of its memory, or is refused and runs on

        Hazard: QEMU refuses it where it could not fetch memory afterwards,
        though Nova never asks it to. Where it does not refuse, it gives back
        all space of a file that is on a disk before the guest comes.
        """
        reconfigured.begin(type(self)).apply({self.source: {
            ('libvirt', 'live_migration_permit_post_copy'): 'true'}})
        self.start()
        self.mark = survival.write_mark(self.source, self.server)
        for host in self.destinations:
            attempt = late_refusal.Attempt(self, host)
            if attempt.has_moved():
                self._report(host, 'moved')
                self._check_moved(self.source, host)
                self.migrate_live(self.source)
                self._check_moved(host, self.source)
            else:
                self._report(host, 'refused')
                attempt.check_refused(move_refusals.NO_POST_COPY)
                self._check_content(self.source)

    def _check_moved(self, departed, host):
        self.server.host = host.name
        self._check_evidence_but_for_space(host)
        self.check_absent(departed)
        self._check_content(host)

    def _check_evidence_but_for_space(self, host):
        comparison = self.compare_evidence(host)
        lost = [fact for fact in comparison.disagreements
                if fact.name.endswith(server_memory.ALLOCATED)]
        for fact in lost:
            comparison.facts.remove(fact)
            self._report(host, 'hazard: space was given back, %s' % fact)
        self.assert_agrees(comparison)

    def _check_content(self, host):
        self.assertEqual(
            self.mark, survival.read_mark(host, self.server, self.mark),
            'memory of server %s on host %s' % (self.server.uuid, host.name))

    def _report(self, host, outcome):
        self.addDetailUniqueName('post-copy', content.text_content(
            'to %s (%s): %s\n' % (
                host.name, host.declared.file_backed.filesystem, outcome)))
