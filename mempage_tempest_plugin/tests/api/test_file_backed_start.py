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
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin import moves
from mempage_tempest_plugin import operations
from mempage_tempest_plugin import store_counts
from mempage_tempest_plugin.tests import operating
from mempage_tempest_plugin.tests import reconfiguring

CONF = config.CONF
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


class _StartTest(reconfiguring.ReconfiguringTest):

    needs_system = False

    @classmethod
    def is_about(cls, host):
        return super().is_about(host) and host.file_backed is not None


@ddt.ddt
class TestFileBackedGuards(_StartTest):
    """File-backed hosts that can be reconfigured."""

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.refused = {}

    @decorators.idempotent_id('5b4e7a92-bfa8-4d52-8e99-7d4bae6fcd01')
    @ddt.data(*REFUSALS)
    def test_refused(self, case):
        """nova-compute does not start, says why, and counts as down"""
        if not self.refused:
            self.refused.update(self.try_all_refused(REFUSALS, self.hosts,
                                                     until_down=True))
        if self.refused[case]:
            raise self.refused[case]

    @decorators.idempotent_id('5b4e7a92-bfa8-4d52-8e99-7d4bae6fcd02')
    def test_restored(self):
        """Back to what is declared: hosts take guests as before"""
        self.reconfigure({})
        self.on_each_host(self.check_capacity, self.boot,
                          self.wait_until_active, self.check_evidence)


class TestFileBackedSwitched(_StartTest, operating.BaseOperationsTest):
    """File-backed hosts that can be reconfigured, one of each file system."""

    flavor_ram_mib = 64

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        cls.declared = store_counts.one_of_each_file_system(cls.declared)

    def setUp(self):
        super().setUp()
        self._pids = {}

    @decorators.idempotent_id('5b4e7a92-bfa8-4d52-8e99-7d4bae6fcd03')
    def test_off_and_on(self):
        """Nothing changes for guests until they are rebooted hard"""
        reboot = operations.OPERATIONS['hard_reboot'].steps[0]
        self.on_each_host(self.boot, self.wait_until_active,
                          self.check_evidence, self._note_process)
        self.reconfigure({host: {CAPACITY: '0'} for host in self.hosts})
        self.on_each_host(self._check_ordinary_capacity, self.check_evidence,
                          self._check_same_process, *self.calls(reboot),
                          self._check_ordinary, self._note_process)
        self.reconfigure({})
        self.on_each_host(self.check_capacity, self._check_ordinary,
                          self._check_same_process, *self.calls(reboot),
                          self.check_evidence)

    def _note_process(self, host):
        self._pids[host.name] = self._pids_of(host)

    def _check_same_process(self, host):
        self.assertEqual(self._pids[host.name], self._pids_of(host))

    def _pids_of(self, host):
        return host.pids(self.servers[host.name])

    def _check_ordinary_capacity(self, host):
        self.check_capacity(self._as_ordinary(host))

    def _check_ordinary(self, host):
        """Assert that the server has anonymous memory, and no file."""
        self.check_evidence(self._as_ordinary(host))
        server = self.cloud.server(self.servers[host.name])
        self.assertEqual([], moves.files_of(host.survey(), server))

    @staticmethod
    def _as_ordinary(host):
        """Get the host as if it were declared without backing store."""
        return compute_host.get(
            dataclasses.replace(host.declared, file_backed=None),
            CONF.mempage.host_timeout)
