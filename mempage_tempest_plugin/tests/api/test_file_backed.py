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

"""Guests on file-backed hosts have their memory in files."""

from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import remains


class TestFileBacked(base.BaseMemoryTest):
    """Every file-backed host of the inventory."""

    about = which.file_backed
    needs_system = False

    @decorators.idempotent_id('f52f2cfc-9c97-4083-be43-ef350658775c')
    @decorators.attr(type='smoke')
    def test_capacity(self):
        """Placement hands out the declared capacity and names its source"""
        self.on_each_host(self.check_host, self.check_capacity)

    @decorators.idempotent_id('00bcac08-f1a2-44a1-85a0-6e70f755ca72')
    @decorators.attr(type='smoke')
    def test_memory_is_in_file(self):
        """The server's RAM is a file of its own on the declared store"""
        self.on_each_host(self.check_host, self.boot, self.wait_until_active,
                          self.check_evidence)

    @decorators.idempotent_id('6f3accd1-848c-4faa-b28a-0dd3cdf63c72')
    def test_delete_frees_store(self):
        """After deletion the file is gone and its space is back"""
        left = remains.Remains(self)
        self.on_each_host(
            self.check_host, left.note_space, self.boot,
            self.wait_until_active, left.note_files, self.delete,
            self.wait_until_deleted, left.check_none)
