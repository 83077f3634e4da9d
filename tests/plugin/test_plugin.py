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

import os

from oslo_config import cfg
from oslotest import base

from mempage_tempest_plugin import config
from mempage_tempest_plugin import plugin


class PluginTest(base.BaseTestCase):

    def test_tests_are_found(self):
        tests, top = plugin.MempageTempestPlugin().load_tests()
        self.assertTrue(os.path.isdir(os.path.join(tests, 'api')))
        self.assertEqual('mempage_tempest_plugin/tests',
                         os.path.relpath(tests, top))

    def test_options(self):
        conf = cfg.ConfigOpts()
        plugin.MempageTempestPlugin().register_opts(conf)
        conf([])
        self.assertIsNone(conf.mempage.host_inventory)
        self.assertEqual(120, conf.mempage.host_timeout)

    def test_listed_options_are_the_registered_ones(self):
        [(group, options)] = config.list_opts()
        self.assertEqual([(group.name, options)],
                         plugin.MempageTempestPlugin().get_opt_lists())
