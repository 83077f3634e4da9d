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

"""Guests that lose their memory, or kept too much of it, fail the tests."""

import unittest
from unittest import mock

from oslotest import base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.guests import memory
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.tests.scenario import test_live_migration
from mempage_tempest_plugin.tests.scenario import test_memory_truth
from tests.plugin.bases import cases

GOOD = memory.State('boot-1', 'digest', '', '')


def _guest(state, rounds=(1, 2)):
    guest = mock.Mock(pages=100, seed='seed')
    guest.intact.return_value = 'digest'
    guest.state.return_value = state
    guest.damage.return_value = 'page 7 is wrong'
    guest.rounds.return_value = rounds
    return guest


class MovedGuestTest(base.BaseTestCase):

    def _check(self, guest):
        case = cases.make(test_live_migration._BaseLiveMigrationTest,
                          'check_guest')
        case.servers = [servers.RequestedServer('server1', 1, host='host1')]
        case.before = GOOD
        case.guest = guest
        case.inventory = mock.Mock()
        case.check_guest()

    def _failure(self, **changes):
        state = memory.State(**dict(vars(GOOD), **changes))
        return str(cases.assert_fails(self, self._check,
                                      _guest(state)))

    def test_all_is_well(self):
        self._check(_guest(GOOD))

    def test_damage(self):
        self.assertIn('page 7 is wrong', self._failure(digest='other'))

    def test_reboot(self):
        self.assertIn('boot-2', self._failure(boot='boot-2'))

    def test_what_the_writer_found(self):
        self.assertIn('round 3', self._failure(torn='round 3'))

    def test_complaints_of_the_kernel(self):
        self.assertIn('segfault', self._failure(trouble='segfault'))

    def test_writer_that_stopped(self):
        error = cases.assert_fails(self, self._check,
                                   _guest(GOOD, rounds=(5, 5)))
        self.assertIn('no further than round 5', str(error))


class MemoryTruthTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case = cases.make(
            test_memory_truth.TestMemoryTruth,
            'test_memory_comes_back_from_store', host=cases.host('host1'),
            nova=mock.Mock(), flavor={'ram': 1})
        self.tenants = [
            test_memory_truth.Tenant(
                servers.RequestedServer(name, 1, host='host1'),
                _guest(GOOD), GOOD, path)
            for name, path in (('a', '/ram/a'), ('b', '/ram/b'))]
        for tenant in self.tenants:
            tenant.guest.seed = 'seed-of-' + tenant.server.uuid

    def _cached(self, cached, fsync=None):
        return cache.Cached(256, cached, 'cachestat', fsync, 4096)

    def _push_out(self, *arguments, mappers=((7, '0:40'), (8, '0:41'))):
        with mock.patch.object(cache, 'evict',
                               return_value=self._cached(*arguments)) as evict:
            self.case.host.pids.return_value = [7]
            self.case.host.survey.return_value.mappers = {'/ram/a': mappers}
            self.case._push_out(self.tenants[0])
        evict.assert_called_once_with(self.case.host, '/ram/a', [7])
        # Who runs would have its pages back at once.
        self.case.nova.act.assert_called_once_with('a', 'pause_server',
                                                   'PAUSED')

    def test_pushed_out(self):
        self._push_out(0)

    def test_page_that_stayed(self):
        error = cases.assert_fails(self, self._push_out, 1)
        self.assertIn('pages in the page cache: expected 0',
                      str(error))

    def test_page_that_others_may_use(self):
        error = self.assertRaises(
            unittest.SkipTest, self._push_out, 1,
            mappers=[(7, '0:40'), (9, '0:40')])
        self.assertIn('/ram/a (PID 9)', str(error))

    def test_write_that_failed(self):
        error = cases.assert_fails(self, self._push_out, 0,
                                   'Input/output error')
        self.assertIn('Input/output error', str(error))

    def _read_back(self, state, pages):
        self.tenants[0].guest.state.return_value = state
        with mock.patch.object(cache, 'look', side_effect=[
                self._cached(0), self._cached(pages)]):
            self.case._check_read_back(self.tenants[0])

    def test_read_back(self):
        self._read_back(GOOD, 100)

    def test_read_back_wrong(self):
        error = cases.assert_fails(
            self, self._read_back,
            memory.State('boot-1', 'other', '', ''), 100)
        self.assertIn('page 7 is wrong', str(error))

    def test_read_back_from_elsewhere(self):
        error = cases.assert_fails(self, self._read_back, GOOD, 99)
        self.assertIn('bytes that were read', str(error))

    def _apart(self, counts):
        self.case.host.count_in_files.return_value = counts
        self.case._check_apart(self.tenants)

    def test_apart(self):
        self._apart({'/ram/a': {'seed-of-a': 6400},
                     '/ram/b': {'seed-of-b': 6400}})

    def test_mixed_up(self):
        error = cases.assert_fails(self, self._apart, {
            '/ram/a': {'seed-of-a': 6400},
            '/ram/b': {'seed-of-b': 6400, 'seed-of-a': 1}})
        self.assertIn('/ram/b', str(error))
