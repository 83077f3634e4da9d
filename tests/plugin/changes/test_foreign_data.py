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

"""Tests of foreign data on backing stores."""

from unittest import mock

from oslotest import base

from mempage_tempest_plugin.changes import foreign_data
from tests.plugin import samples

PATH = '/real/mempage-foreign-data'


class ForeignDataTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.host = mock.Mock(declared=samples.FILE_BACKED)
        self.host.real = {samples.DIRECTORY: '/real'}.get

    def _commands(self):
        # What follows the script that finds libvirt's root directory.
        return [call.args[0][4:] for call in self.host.ssh.execute.mock_calls
                if call.args]

    def test_it_is_removed(self):
        with foreign_data.ForeignData(self.host):
            script = self.host.ssh.execute.call_args.kwargs['stdin']
            self.assertEqual(['file=' + PATH, 'directory=/real'],
                             script.splitlines()[:2])
        self.assertEqual(['rm', '-f', '--', PATH], self._commands()[-1])

    def test_it_is_removed_if_the_store_cannot_be_filled(self):
        self.host.ssh.execute.side_effect = [None, ValueError, None]
        self.assertRaises(Exception,  # noqa: H202
                          foreign_data.ForeignData(self.host).setUp)
        self.assertEqual(['rm', '-f', '--', PATH], self._commands()[-1])

    def test_is_there(self):
        for status, there in ((0, True), (1, False)):
            self.host.ssh.execute.return_value.status = status
            self.assertIs(there, foreign_data.is_there(self.host))
