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
from tempest.common import waiters
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin import inventory
from mempage_tempest_plugin import operations
from mempage_tempest_plugin import store_counts
from mempage_tempest_plugin.tests import operating
from mempage_tempest_plugin.tests import remains

CONF = config.CONF
OPERATIONS = {**operations.OPERATIONS, 'rescue_unrescue': operations.RESCUE}


class FileBackedTest(operating.BaseOperationsTest):
    """File-backed hosts, one of each file system."""

    kind = inventory.Kind.FILE_BACKED

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        cls.declared = store_counts.one_of_each_file_system(cls.declared)


class OperationsTest(FileBackedTest, remains.BaseRemainsTest):
    """File-backed hosts, one of each file system."""

    flavor_ram_mib = 64
    needs_system = False


@ddt.ddt
class TestFileBackedOperations(operating.BaseKeptServersTest, OperationsTest):
    """File-backed hosts, one of each file system."""

    def setUp(self):
        super().setUp()
        self.on_each_host(self.note_space)

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab01')
    @ddt.data(*OPERATIONS)
    def test_after(self, name):
        """RAM is a file on its host again, and nowhere while it is off"""
        self.skip_unless_enabled(OPERATIONS[name])
        self._operate(OPERATIONS[name].steps)

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab02')
    def test_after_rebuild(self):
        """RAM is a file on its host again"""
        self._operate(operations.rebuild(self.image))

    def _operate(self, steps):
        for step in steps:
            self.on_each_host(*self.calls(step), self._check_after(step))
        self.check_nowhere_else()

    def _check_after(self, step):
        def check(host):
            if step.runs:
                self.check_evidence(host, step.status)
            else:
                self.check_off(host)

        check.__name__ = 'check after %s' % step.method
        return check

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab03')
    def test_after_snapshot(self):
        """RAM is in its file still"""
        if not CONF.compute_feature_enabled.snapshot:
            raise self.skipException('[compute-feature-enabled] snapshot is '
                                     'not set')
        self.on_each_host(self._snapshot, self.wait_until_active,
                          self.check_evidence)
        self.check_nowhere_else()

    def _snapshot(self, host):
        image = self.os_admin.compute_images_client.create_image(
            self.servers[host.name],
            name=self._rand_name('snapshot'))['image_id']
        client = self.os_admin.image_client_v2
        self.addCleanup(client.delete_image, image)
        self.addCleanup(waiters.wait_for_image_status, client, image,
                        'active')


class TestFileBackedShelve(operating.BaseShelveTest, OperationsTest):
    """File-backed hosts, one of each file system."""

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab04')
    def test_after_unshelve(self):
        """RAM is a file on its host again, and nowhere while it is away"""
        self.on_each_host(
            self.note_space, self.boot, self.wait_until_active,
            self.shelve, self.check_absent, self.check_off, self.unshelve,
            self.wait_until_active, self.check_evidence)
        self.check_nowhere_else()
        self.on_each_host(self.note_files, self.delete,
                          self.wait_until_deleted,
                          self.check_nothing_remains)


class TestFileBackedSoftReboot(FileBackedTest, operating.BaseObedientTest):
    """A file-backed host."""

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        # It takes long until guests obey.
        del cls.declared[1:]

    @decorators.idempotent_id('3f2c5e70-9d86-4b30-8c77-5b2f8e4dab05')
    @utils.services('compute', 'network')
    def test_after_soft_reboot(self):
        """RAM is a file again"""
        self.on_each_host(self.boot_reachable, self.wait_until_active,
                          self.wait_until_obedient,
                          *self.calls(operations.SOFT_REBOOT),
                          self.check_evidence)
