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

"""Options of file-backed memory take effect when nova-compute starts."""

import dataclasses

import ddt
from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import absence
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import reconfigured
from mempage_tempest_plugin.tests.bases import steps

CAPACITY = ('libvirt', 'file_backed_memory')
RATIO = ('DEFAULT', 'ram_allocation_ratio')
RESERVED = ('DEFAULT', 'reserved_host_memory_mb')
_RATIO = 'requires ram_allocation_ratio configured to 1.0'
_RESERVED = 'is not compatible with file-backed memory'
# Options with which nova-compute must not start, and what it has to log.
REFUSALS = {
    'ratio_unset': ({RATIO: None}, _RATIO),
    'ratio_above_1': ({RATIO: '1.5'}, _RATIO),
    'ratio_below_1': ({RATIO: '0.9'}, _RATIO),
    'reserved_unset': ({RESERVED: None}, _RESERVED),
    'reserved': ({RESERVED: '1'}, _RESERVED),
    'negative': ({CAPACITY: '-1'}, 'Should be greater than or equal to 0'),
}


class _BaseStartTest(base.BaseMemoryTest):

    about = which.file_backed & which.reconfigurable
    alone_on = which.each
    promises = ('reconfigure_hosts',)
    needs_system = False

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.reconfiguration = reconfigured.begin(cls)


@ddt.ddt
class TestFileBackedGuards(_BaseStartTest):
    """File-backed hosts that can be reconfigured."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.refused = {}

    @decorators.idempotent_id('5b4e7a92-bfa8-4d52-8e99-7d4bae6fcd01')
    @ddt.data(*REFUSALS)
    def test_refused(self, case):
        """nova-compute does not start and says why

        In the first case, it is waited for that it counts as down.
        """
        if not self.refused:
            self.refused.update(reconfigured.try_all_refused(
                self.reconfiguration, REFUSALS, self.hosts, until_down=True))
        error = self.refused[case]
        options, words = REFUSALS[case]
        comparison = facts.Comparison('nova-compute with %s' % ', '.join(
            '%s: %s' % (name, value)
            for (_, name), value in options.items()))
        comparison.holds('nova-compute', 'does not start, and logs why',
                         words, str(error or words), not error)
        self.keep(comparison)
        if error:
            raise error

    @decorators.idempotent_id('5b4e7a92-bfa8-4d52-8e99-7d4bae6fcd02')
    def test_restored(self):
        """Back to what is declared: hosts take guests as before"""
        self.reconfiguration.apply({})
        self.on_each_host(self.check_capacity, self.boot,
                          self.wait_until_active, self.check_evidence)


class TestFileBackedSwitched(_BaseStartTest):
    """File-backed hosts that can be reconfigured, one of each file system."""

    take = which.one_of_each_file_system
    flavor_ram_mib = 64
    # Whoever starts there meanwhile has no file, for as long as it runs.
    harmful = True

    def setUp(self):
        super().setUp()
        self._pids = {}

    @decorators.idempotent_id('5b4e7a92-bfa8-4d52-8e99-7d4bae6fcd03')
    def test_off_and_on(self):
        """Nothing changes for guests until they are rebooted hard"""
        [reboot] = steps.OPERATIONS['hard_reboot'].steps
        self.on_each_host(self.boot, self.wait_until_active,
                          self.check_evidence, self._note_process)
        self.reconfiguration.apply({
            host: {CAPACITY: '0'} for host in self.hosts})
        self.on_each_host(self._check_ordinary_capacity, self.check_evidence,
                          self._check_same_process, *reboot.calls(self),
                          self._check_ordinary, self._note_process)
        self.reconfiguration.apply({})
        self.on_each_host(self.check_capacity, self._check_ordinary,
                          self._check_same_process, *reboot.calls(self),
                          self.check_evidence)

    def _note_process(self, host):
        self._pids[host.name] = self._pids_of(host)

    def _check_same_process(self, host):
        self.assertEqual(self._pids[host.name], self._pids_of(host))

    def _pids_of(self, host):
        return host.pids(self.server_on(host).uuid)

    def _check_ordinary_capacity(self, host):
        self.check_capacity(host, _as_ordinary(host.declared))

    def _check_ordinary(self, host):
        """Assert that the server has anonymous memory, and no file."""
        self.check_evidence(host, declared=_as_ordinary(host.declared))
        server = self.cloud.server(self.server_on(host).uuid)
        self.assertEqual([], absence.files_of(host, host.survey(), server))


def _as_ordinary(host):
    """Get a declaration as if it had no backing store."""
    return dataclasses.replace(host, file_backed=None)
