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

from mempage_tempest_plugin.tests import guest_moving


class _Host:

    def __init__(self, name):
        self.name = name


class KeepTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.taken = taken = []

        class Case(guest_moving.GuestMoveTest):
            source = _Host('a')
            _kept = {}

            def test(self):
                pass

            def boot_guest(self):
                taken.append('boot')
                self.use('server %d' % taken.count('boot'))

            def note_reachable(self, server, resources):
                taken.append('reach %s' % server)

            def get_class_validation_resources(self, clients):
                return {}

            def fill(self, server):
                return self

            def state(self):
                return None

            def start_writer(self, mib, pause):
                pass

            def check_evidence(self, host):
                pass

            def check_guest(self):
                taken.append('check %s' % self.server)

            def _check_state(self, state):
                pass

            os_admin = None

        self.case = Case

    def test_a_fit_guest_is_taken_over(self):
        first, second = self.case('test'), self.case('test')
        first.start_filled()
        first.keep()
        second.start_filled()
        self.assertEqual(['boot', 'reach server 1', 'reach server 1',
                          'check server 1'], self.taken)
        self.assertEqual({'a': 'server 1'}, second.servers)
        self.assertIs(first.guest, second.guest)

    def test_one_that_begins_elsewhere_has_another_guest(self):
        first, second, third = (self.case('test') for _ in range(3))
        second.source = _Host('b')
        first.start_filled()
        first.keep()
        second.start_filled()
        third.start_filled()
        self.assertEqual({'b': 'server 2'}, second.servers)
        self.assertEqual({'a': 'server 1'}, third.servers)

    def test_nobody_takes_over_from_a_failed_test(self):
        for _ in range(2):
            case = self.case('test')
            case.start_filled()
        self.assertEqual({'a': 'server 2'}, case.servers)

    def test_one_that_fails_with_a_kept_guest_leaves_none(self):
        case = self.case('test')
        case.start_filled()
        case.keep()
        self.case('test').start_filled()
        third = self.case('test')
        third.start_filled()
        self.assertEqual({'a': 'server 2'}, third.servers)
