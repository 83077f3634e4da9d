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

from oslotest import base

from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin import reserved_pages
from tests.plugin import samples


class AllButTest(base.BaseTestCase):

    POOLS = [pools.Pool(0, 2048, 100, 100, 0),
             pools.Pool(0, 1048576, 4, 4, 0),
             pools.Pool(1, 2048, 90, 90, 0)]

    def _all_but(self, ram_mib):
        return reserved_pages.all_but(samples.host_survey(pools=self.POOLS),
                                      self.POOLS[0], ram_mib)

    def test_some_are_left_in_one_pool(self):
        self.assertEqual(['node:0,size:2048,count:60',
                          'node:0,size:1048576,count:4',
                          'node:1,size:2048,count:90'], self._all_but(80))

    def test_fewer_than_none_are_not_reserved(self):
        self.assertIn('node:0,size:2048,count:0', self._all_but(300))
