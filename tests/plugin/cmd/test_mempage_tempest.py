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

"""Tests of what the commands of mempage-tempest share."""

import io
import os
from unittest import mock

import ddt
from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.cmd import cleanup
from mempage_tempest_plugin.cmd import mempage_tempest as command
from mempage_tempest_plugin import exceptions


@ddt.ddt
class MainTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        for target, name, field in (
                (command, 'CONF', 'conf'), (cleanup, 'cleanup', 'cleanup')):
            patch = mock.patch.object(target, name)
            setattr(self, field, patch.start())
            self.addCleanup(patch.stop)

    def test_status_is_that_of_the_command(self):
        self.cleanup.return_value = 3
        self.assertEqual(3, command.main(['cleanup']))

    def test_configuration(self):
        for arguments, path in (([], 'etc/tempest.conf'),
                                (['--config-file', 'x.conf'], 'x.conf')):
            command.main(['cleanup', *arguments])
            self.conf.set_config_path.assert_called_with(
                os.path.abspath(path))

    @ddt.data(exceptions.TestsRunning('they hold x'),
              lib_exc.Unauthorized('they hold x'))
    def test_errors_are_told_in_short(self, error):
        self.cleanup.side_effect = error
        with mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
            self.assertEqual(1, command.main(['cleanup']))
        self.assertIn('mempage-tempest: ', stderr.getvalue())
        self.assertIn('they hold x', stderr.getvalue())

    def test_no_command(self):
        with mock.patch('sys.stderr', new_callable=io.StringIO):
            self.assertRaises(SystemExit, command.main, [])
