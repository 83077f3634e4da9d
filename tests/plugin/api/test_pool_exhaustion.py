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

"""Tests of who has to win a race for the last pages."""

from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import pool_shares
from mempage_tempest_plugin.tests.api import test_pool_exhaustion
from mempage_tempest_plugin.tests.bases import base
from tests.plugin.bases import cases

RAM_MIB = 130


class RaceTestCase(test_base.BaseTestCase):
    """Of hosts a to d, each but the last has room for one."""

    def setUp(self):
        super().setUp()
        with mock.patch.object(test_pool_exhaustion.TestPoolExhaustion,
                               'setUp', base.BaseMemoryTest.setUp):
            self.case = cases.make(
                test_pool_exhaustion.TestPoolExhaustion, 'test_race_anywhere',
                services=mock.Mock(), nova=mock.Mock())
        self.case.services.host_of.side_effect = 'service-{}'.format
        self.case.all_pools = lambda: [
            (cases.host(name), pool_shares.PoolShare(2048, pages, (pages,)))
            for name, pages in (('a', 128), ('b', 128), ('c', 100),
                                ('d', 64))]
        self.builds = {}
        self.useFixture(fixtures.MockPatchObject(
            actions, 'builds', lambda client, uuid: self.builds[uuid]))

    def _lost(self, fault, *asked):
        uuid = 'loser-%d' % len(self.builds)
        self.builds[uuid] = ['service-' + name for name in asked]
        return servers.RequestedServer(uuid, RAM_MIB, 2048, status='ERROR',
                                       fault=fault)


class RaceTest(RaceTestCase):

    def _check(self, winners, *losers):
        self.case._check_race([servers.RequestedServer(
            'winner', RAM_MIB, 2048, host='a', status='ACTIVE')
            for _ in range(winners)] + list(losers))

    def test_all_who_can(self):
        for fault in page_sizes.NO_VALID_HOST, page_sizes.NO_MORE_RETRIES:
            self._check(3, self._lost(fault, 'a', 'b', 'c'))

    def test_nobody_had_to_be_refused(self):
        error = str(cases.assert_fails(
            self, self._check, 1,
            self._lost(page_sizes.NO_VALID_HOST),
            self._lost(page_sizes.NO_VALID_HOST)))
        self.assertIn('winners: expected at least 3, of 3 for whom there is '
                      'room, nova says 1', error)

    def test_not_every_host_was_tried(self):
        lost = self._lost(page_sizes.NO_MORE_RETRIES, 'a', 'b', 'd')
        self._check(2, lost)
        cases.assert_fails(self, self._check, 1, lost)

    def test_more_than_there_is_room_for(self):
        cases.assert_fails(self, self._check, 4)


class UntoldTest(RaceTestCase):
    """Nobody knows whether the loser was refused: what is known comes first.

    Two could win on hosts a to c, and one did.
    """

    def setUp(self):
        super().setUp()
        racers = [
            servers.RequestedServer('winner', RAM_MIB, 2048, host='a',
                                    status='ACTIVE'),
            self._lost(page_sizes.NO_VALID_HOST)]
        self.case.request_in_each_pool = lambda sizes: racers
        self.case.request_at_once = lambda wanted, **extra_specs: racers
        self.case.check_refused = mock.Mock(
            side_effect=self.case.skipException('nobody tells'))
        self.case.os_admin = self.case.cloud = mock.Mock()
        self.case.hosts = []
        self.case.useFixture = mock.Mock()

    def test_race_on_one_host(self):
        cases.assert_fails(self, self.case.test_race_on_one_host)

    def test_race_anywhere(self):
        cases.assert_fails(self, self.case.test_race_anywhere)
