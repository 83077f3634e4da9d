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

"""Guests have their memory in files, whatever is done with their servers."""

import ddt
from tempest.common import utils
from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import fates
from mempage_tempest_plugin.tests.bases import operations
from mempage_tempest_plugin.tests.bases import remains
from mempage_tempest_plugin.tests.bases import steps
from mempage_tempest_plugin.tests.bases import survival

OPERATIONS = {**steps.OPERATIONS, 'rescue_unrescue': steps.RESCUE}


@ddt.ddt
class TestFileBackedOperations(operations.BaseReusedServersTest):
    """File-backed hosts, one of each file system, and another one."""

    about = which.file_backed
    # The last one, too: of what nobody else may have another host is asked.
    take = which.one_of_each_file_system + which.last
    flavor_ram_mib = 64
    needs_system = False

    def setUp(self):
        super().setUp()
        self.remains = remains.Remains(self)
        self.survival = survival.Survival(self)
        self.on_each_host(self.remains.note_space, self.survival.mark)

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab01')
    @ddt.data(*OPERATIONS)
    def test_after(self, name):
        """RAM is a file on its host again, and nowhere while it is off

        After pause and suspend, it has what it had, after all others nothing.
        """
        OPERATIONS[name].skip_unless_enabled(self)
        self._operate(OPERATIONS[name].steps)

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab02')
    def test_after_rebuild(self):
        """RAM is a file on its host again, with nothing that it had"""
        self._operate(steps.rebuild(self.image))

    def _operate(self, steps):
        for step in steps:
            self.on_each_host(
                *step.calls(self), self._check_after(step),
                *self.survival.checks(step))
        self.remains.check_nowhere_else()

    def _check_after(self, step):
        def check(host):
            if step.runs:
                self.check_evidence(host, step.status)
            else:
                self.remains.check_off(host)

        check.__name__ = 'check after %s' % step.method
        return check

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab03')
    def test_after_snapshot(self):
        """RAM is in its file still, with all that it had"""
        steps.SNAPSHOT.skip_unless_enabled(self)
        self.on_each_host(
            *operations.snapshot(self), self.check_evidence,
            self.survival.check('a snapshot', fates.KEPT_OR_RESTORED))
        self.remains.check_nowhere_else()


class TestFileBackedShelve(operations.BaseShelveTest):
    """File-backed hosts, one of each file system, and another one."""

    about = which.file_backed
    # The last one, too: of what nobody else may have another host is asked.
    take = which.one_of_each_file_system + which.last
    flavor_ram_mib = 64
    needs_system = False

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab04')
    def test_after_unshelve(self):
        """RAM is a file on its host again, and nowhere while it is away"""
        left = remains.Remains(self)
        memory = survival.Survival(self)
        self.on_each_host(
            left.note_space, self.boot, self.wait_until_active, memory.mark,
            self.shelve, self.check_absent, left.check_off, self.unshelve,
            self.check_evidence, memory.check('unshelving', fates.NEW))
        left.check_nowhere_else()
        self.on_each_host(left.note_files, self.delete,
                          self.wait_until_deleted, left.check_none)


class TestFileBackedSoftReboot(operations.BaseBootedTest):
    """A file-backed host: guests take their time until they obey."""

    about = which.file_backed
    take = which.first

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab05')
    @utils.services('compute', 'network')
    def test_after_soft_reboot(self):
        """RAM is a file again"""
        memory = survival.Survival(self)
        self.on_each_host(self.boot_reachable, self.wait_until_active,
                          self.wait_until_booted, memory.note,
                          *self.reboot_softly(), self.check_evidence,
                          *memory.checks(steps.SOFT_REBOOT),
                          self.check_obeyed)
