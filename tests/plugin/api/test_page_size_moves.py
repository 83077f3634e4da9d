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
"""Tests of what tests make of the pages of guests that have moved."""

from unittest import mock

from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.api import test_page_size_moves
from tests.plugin.bases import cases

GUEST = servers.RequestedServer('guest', 64, 2048, 'b', 'ACTIVE')


class LeftTest(test_base.BaseTestCase):

    def _check(self, status, fault=''):
        host = cases.host('a')
        with mock.patch.object(test_page_size_moves.TestPagesOfMoved,
                               'wait_until_counted'):
            case = cases.make(
                test_page_size_moves.TestPagesOfMoved, 'test_cold_migration',
                hosts=[host], nova=mock.Mock(), size_kib=2048)
        case.servers = [GUEST]
        other = servers.RequestedServer('other', 512, 2048, 'a', status,
                                        fault)
        case._pool = mock.Mock()
        case._check_taken = mock.Mock()
        case.check_taken = mock.Mock(__name__='check_taken')

        def request(*arguments):
            case.servers.append(other)
            return other

        case.request_one = request
        case._check_left(host)

    def test_pages_are_left(self):
        self._check('ACTIVE')

    def test_pages_are_not_left(self):
        error = str(cases.assert_fails(
            self, self._check, 'ERROR', 'No valid host was found.'))
        # One that does not boot in the first place sounds otherwise.
        self.assertRegex(error, 'host a had to take .*No valid host')
