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

"""Registration of the test suite with Tempest."""

import os

from tempest import config
from tempest.test_discover import plugins

from mempage_tempest_plugin import config as mempage_config


class MempageTempestPlugin(plugins.TempestPlugin):
    """Tests of where guest memory comes from."""

    def load_tests(self):
        """Tell Tempest where the tests are.

        :returns: tuple of the tests' directory and its base directory
        """
        base_path = os.path.split(os.path.dirname(
            os.path.abspath(__file__)))[0]
        return (os.path.join(base_path, 'mempage_tempest_plugin', 'tests'),
                base_path)

    def register_opts(self, conf):
        """Add the plugin's options to Tempest's configuration.

        :param conf: the configuration to register with
        """
        config.register_opt_group(conf, mempage_config.mempage_group,
                                  mempage_config.MempageGroup)

    def get_opt_lists(self):
        """List the options for the sample configuration.

        :returns: list of (group name, options) pairs
        """
        return [(mempage_config.mempage_group.name,
                 mempage_config.MempageGroup)]
