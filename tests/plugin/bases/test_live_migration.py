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

from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.scenario import test_live_migration
from tests.plugin.bases import cases


class ReuseTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.taken = taken = []

        class Case(test_live_migration._BaseLiveMigrationTest):
            source = cases.host('a')
            _reused = {}

            def test(self):
                pass

            @classmethod
            def request_guest_on(cls, host):
                taken.append('boot')
                return servers.RequestedServer(
                    'server %d' % taken.count('boot'), 64, host=host.name)

            def note_reachable(self, server, resources):
                taken.append('reach %s' % server.uuid)

            def get_class_validation_resources(self, clients):
                return {}

            def fill(self, server):
                return self

            def state(self):
                return None

            def start_writer(self, mib, pause):
                pass

            def check_evidence(self, host):
                taken.append('look at host %s' % host.name)

            def check_guest(self):
                taken.append('check %s' % self.server.uuid)

            def _check_state(self, state):
                pass

            os_admin = None

        self.case = Case

    def _start(self):
        case = cases.make(self.case, 'test')
        case.start_filled()
        return case

    def _servers(self, case):
        return [(server.host, server.uuid) for server in case.servers]

    def test_a_fit_guest_is_taken_over(self):
        first = self._start()
        first.reuse()
        second = self._start()
        self.assertEqual(
            ['boot', 'reach server 1', 'look at host a', 'reach server 1',
             'look at host a', 'check server 1'], self.taken)
        self.assertEqual([('a', 'server 1')], self._servers(second))
        self.assertIs(first.guest, second.guest)

    def test_one_that_begins_elsewhere_has_another_guest(self):
        self._start().reuse()
        second = cases.make(self.case, 'test', source=cases.host('b'))
        second.start_filled()
        third = self._start()
        self.assertEqual([('b', 'server 2')], self._servers(second))
        self.assertEqual([('a', 'server 1')], self._servers(third))

    def test_nobody_takes_over_from_a_failed_test(self):
        for _ in range(2):
            case = self._start()
        self.assertEqual([('a', 'server 2')], self._servers(case))

    def test_one_that_fails_with_a_reused_guest_leaves_none(self):
        self._start().reuse()
        self._start()
        self.assertEqual([('a', 'server 2')], self._servers(self._start()))
