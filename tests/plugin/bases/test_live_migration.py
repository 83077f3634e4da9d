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

from unittest import mock

import fixtures
from oslotest import base as test_base
from tempest import exceptions
import testtools

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.evidence import absence
from mempage_tempest_plugin.tests.bases import late_refusal
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


NOT_ALIKE = ("Live Migration failure: unsupported configuration: Target "
             "memoryBacking source 'none' doesn't match source memoryBacking "
             "source'file'")


class RefusedLateTest(test_base.BaseTestCase):
    """A migration that is refused late is known by libvirt's reason."""

    def setUp(self):
        super().setUp()
        self.case = cases.make(
            test_live_migration._BaseLiveMigrationTest, 'check_mixed',
            source=cases.host('a'), hosts=[], nova=mock.Mock(),
            cloud=mock.Mock(), migrations_client=mock.Mock(),
            inventory=mock.Mock(path='x'))
        self.case.servers = [servers.RequestedServer('uuid', 64, host='a')]
        self.case.nova.to_live.return_value = {}
        self.case.nova.client.build_interval = 0.01
        self.useFixture(fixtures.MockPatchObject(
            late_refusal, 'ERROR_TIMEOUT', 0.1))
        self.done = []
        for name in 'check_unmoved', 'check_guest', 'wait_until_active':
            setattr(self.case, name, self._note(name))
        self.useFixture(fixtures.MockPatchObject(
            absence, 'compare_absent', self._note('compare_absent')))
        self.case.assert_soon_agrees = (
            lambda host, compare, timeout:
            self.case.assert_agrees(compare(host)))
        self._end('ERROR', 'error', NOT_ALIKE)

    def _note(self, name):
        def note(*arguments):
            self.done.append(name)
            return mock.Mock(host='b', disagreements=[],
                             **{'document.return_value': {'kind': 'facts'}})
        return note

    def _end(self, status, migration, *lines):
        self.case.nova.act.side_effect = (
            exceptions.BuildErrorException(server_id='uuid')
            if status == 'ERROR' else None)
        self.case.cloud.server.return_value.status = status
        self.case.migrations_client.list_migrations.return_value = {
            'migrations': [{'id': 2, 'status': migration},
                           {'id': 1, 'status': 'completed'}]}
        self.case.source.log.about.return_value = lines

    def _check(self, **attributes):
        host = cases.host('b', **attributes)
        self.case._check_refused_late(host)
        return host

    def test_error(self):
        self._check()
        self.case.nova.client.reset_state.assert_called_once_with(
            'uuid', state='active')
        self.assertEqual(['compare_absent', 'wait_until_active',
                          'check_unmoved', 'check_guest'], self.done)

    def test_rolled_back_as_nova_30_and_31_do(self):
        self._end('ACTIVE', 'failed', NOT_ALIKE)
        self._check()
        self.case.nova.client.reset_state.assert_not_called()
        self.assertIn('check_guest', self.done)

    def test_rolled_back_before_the_error(self):
        states = iter(['ACTIVE', 'ACTIVE'])
        server = mock.PropertyMock(
            side_effect=lambda: next(states, 'ERROR'))
        self.case.nova.act.side_effect = None
        type(self.case.cloud.server.return_value).status = server
        self._check()
        self.case.nova.client.reset_state.assert_called_once_with(
            'uuid', state='active')

    def test_live_migration_is_impossible(self):
        self._end('ERROR', 'error',
                  'Live Migration failure: unable to connect to server')
        error = cases.assert_fails(self, self._check)
        self.assertIn('unable to connect to server', str(error))

    def _is_forgotten(self, ended):
        self._end('ERROR', 'error', 'Live Migration failure: '
                  + move_refusals.FORGOTTEN)
        connection = mock.Mock()
        connection.is_cut_off.side_effect = lambda: (
            ended or not connection.hostname.called)
        self._check(libvirt=connection)

    def test_reason_is_forgotten(self):
        self._is_forgotten(ended=False)
        self.assertIn('check_guest', self.done)

    def test_libvirt_ends_there(self):
        self.assertIn('has ended meanwhile: expected no, libvirt says yes',
                      str(cases.assert_fails(self,
                                             self._is_forgotten, ended=True)))

    def test_not_refused(self):
        self._end('ACTIVE', 'completed')
        error = cases.assert_fails(self, self._check)
        self.assertIn('ACTIVE and completed', str(error))

    def test_nobody_knows_the_reason(self):
        self.case.source.declared.compute_log = None
        self.case.source.declared.file_backed = None
        other = cases.host('b')
        other.declared.file_backed.filesystem = 'ext4'
        self.case.destinations = [other]
        self.case.start_filled = self._note('start_filled')
        with mock.patch.object(test_live_migration._BaseLiveMigrationTest,
                               'outcome', lambda *a: 'refused-late'):
            skipped = self.assertRaises(testtools.TestCase.skipException,
                                        self.case.check_mixed)
        self.assertIn('services.nova-compute.log', str(skipped))
        self.assertEqual([], self.done)
