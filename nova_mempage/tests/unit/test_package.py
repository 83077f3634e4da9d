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

import importlib.metadata

from oslotest import base


class PackageTest(base.BaseTestCase):

    def test_one_file_is_added_to_nova(self):
        """And it has a name that Nova does not use."""
        files = [str(path) for path in importlib.metadata.files('nova-mempage')
                 if path.parts[0] == 'nova' and path.suffix == '.py']
        self.assertEqual(['nova/virt/mempage.py'], files)
        self.assertNotIn(files[0], map(str, importlib.metadata.files('nova')))

    def test_nothing_of_tempest_is_needed(self):
        for requirement in importlib.metadata.requires('nova-mempage'):
            self.assertNotIn('tempest', requirement)
