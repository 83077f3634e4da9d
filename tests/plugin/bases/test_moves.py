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

"""Tests of what tests of moves assert."""

import dataclasses
from unittest import mock

import fixtures
from oslotest import base as test_base
from tempest import exceptions

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import absence
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import base
from tests.plugin.bases import cases
from tests.plugin import samples


class MoveTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.a, self.b = (cases.host(name, declared=samples.PLAIN)
                          for name in 'ab')
        self.case = cases.make(
            base.BaseMoveTest, hosts=[self.a, self.b], source=self.a,
            destinations=[self.b], nova=mock.Mock(), cloud=mock.Mock(),
            migrations_client=mock.Mock(), held_before={'a': {}, 'b': {}})
        self.server = servers.RequestedServer('uuid', 64, host='a')
        self.case.servers = [self.server]
        self.checked = []
        for name in 'check_evidence', 'check_absent', 'check_unmoved':
            setattr(self.case, name, self._check(name))

    def _check(self, name):
        def check(about):
            self.checked.append((name, getattr(about, 'name', about)))
        return check


class RefusedTest(MoveTestCase):

    def setUp(self):
        super().setUp()
        self.a.pids.return_value = [7]
        self.case.nova.act.return_value = 'req-1'
        self.case.nova.to_live.side_effect = lambda host: {'host': host}
        self.refusal = self.useFixture(fixtures.MockPatchObject(
            actions, 'refusal', return_value='no room')).mock

    def _refuse(self):
        return self.case.check_refused(self.b, ('no room', 'no pages'),
                                       'migrate_server', host='b')

    def test_refused(self):
        self.assertEqual('no room', self._refuse())
        self.case.nova.act.assert_called_once_with(
            'uuid', 'migrate_server', 'ACTIVE', host='b')
        self.refusal.assert_called_once_with(
            self.case.nova.client, 'uuid', 'req-1',
            self.case.inventory.limit)
        self.assertEqual([('check_unmoved', [7]), ('check_absent', 'b')],
                         self.checked)

    def test_not_refused(self):
        self.refusal.return_value = None
        error = cases.assert_fails(self, self._refuse)
        self.assertIn('server uuid: migrate_server from host a to b was not '
                      'refused before it began; no event of request req-1 '
                      'has failed', str(error))

    def test_refused_for_another_reason(self):
        self.refusal.return_value = 'compute host is disabled'
        error = cases.assert_fails(self, self._refuse)
        self.assertIn('reason: expected no room or no pages, nova says '
                      'compute host is disabled', str(error))

    def test_begun_and_failed(self):
        self.case.nova.act.side_effect = exceptions.BuildErrorException(
            server_id='uuid')
        error = cases.assert_fails(self, self._refuse)
        self.assertIn('was not refused before it began, and failed',
                      str(error))

    def test_live_migration(self):
        self.case.check_live_migration_refused(self.b, ('no room',))
        self.case.nova.act.assert_called_once_with(
            'uuid', 'live_migrate_server', 'ACTIVE', host='b')

    def test_forced_live_migration(self):
        self.case.check_forced_live_migration_refused(self.b, ('no room',))
        self.case.nova.act.assert_called_once_with(
            'uuid', 'live_migrate_server', 'ACTIVE', microversion='2.67',
            force=True, host='b')


class MovedTest(MoveTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(base, 'HELD_TIMEOUT', 0.01))
        self.useFixture(fixtures.MockPatch('time.sleep'))
        self.case.services = mock.Mock()
        self.held = self.useFixture(fixtures.MockPatchObject(
            actions, 'held_by_migrations', return_value={})).mock
        self.case.cloud.memory_of_nobody.return_value = {}

    def test_allocation_that_stays_for_a_moment(self):
        self.held.side_effect = [{'migration': {'provider': 64}}, {}, {}]
        with mock.patch.object(base, 'HELD_TIMEOUT', 30):
            self.case.check_moved(self.a, self.b)

    def test_allocation_that_stays(self):
        self.held.return_value = {'migration': {'provider': 64}}
        error = cases.assert_fails(self, self.case.check_moved,
                                   self.a, self.b)
        self.assertIn('held by migrations of the server: expected', str(error))

    def test_memory_that_nobody_has(self):
        self.case.cloud.memory_of_nobody.side_effect = (
            lambda host, service: {'consumer': 64} if host == 'a' else {})
        error = cases.assert_fails(self, self.case.check_moved,
                                   self.a, self.b)
        self.assertIn("says {'consumer': 64}", str(error))

    def test_memory_that_nobody_had_before(self):
        self.case.cloud.memory_of_nobody.return_value = {'consumer': 64}
        self.case.held_before = {'a': {'consumer': 64}, 'b': {'consumer': 64}}
        self.case.check_moved(self.a, self.b)

    def test_moved(self):
        self.case.check_moved(self.a, self.b)
        self.assertEqual('b', self.server.host)
        self.assertIs(self.server, self.case.server_on(self.b))
        self.assertEqual([('check_evidence', 'b'), ('check_absent', 'a')],
                         self.checked)

    def test_moved_to_where_it_was(self):
        self.case.check_moved(self.a, self.a)
        self.assertEqual([('check_evidence', 'a')], self.checked)

    def test_the_last_server_is_the_one(self):
        other = servers.RequestedServer('other', 64, host='a')
        self.case.servers.append(other)
        self.assertIs(other, self.case.server)


class PatienceTest(MoveTestCase):
    """Nova tells what a server is, and then cleans up."""

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatch('time.sleep'))
        for name in 'check_absent', 'check_unmoved':
            delattr(self.case, name)
        self.held = self.useFixture(fixtures.MockPatchObject(
            actions, 'held_by_migrations', return_value={})).mock
        self.collect = self.useFixture(fixtures.MockPatchObject(
            collect, 'collect', side_effect=lambda *_: (
                samples.plain_evidence()))).mock
        for name in 'compare_absent', 'compare_untouched':
            self.useFixture(fixtures.MockPatchObject(
                absence, name, self._compare))
        self.answers = []

    def _compare(self, *arguments):
        comparison = facts.Comparison('x')
        comparison.equal('placement', 'held', {}, self.answers.pop(
            0) if len(self.answers) > 1 else self.answers[0])
        return comparison

    def test_absent(self):
        self.answers = [{'b': 64}, {}]
        self.case.check_absent(self.b)
        self.assertEqual([{}], self.answers)

    def test_another_server_is_absent(self):
        other = servers.RequestedServer('other', 64)
        with mock.patch.object(absence, 'compare_absent',
                               side_effect=self._compare) as compare:
            self.answers = [{'b': 64}, {}]
            self.case.check_absent(self.b, other)
        compare.assert_called_with(self.b, 'other', self.case.cloud)

    def test_unmoved(self):
        self.answers = [{'migration': 64}, {}]
        self.case.check_unmoved([7])
        self.assertEqual([{}], self.answers)
        self.assertEqual(2, self.collect.call_count)

    def test_unmoved_at_once(self):
        self.answers = [{}]
        self.case.check_unmoved([7])
        self.collect.assert_called_once_with(self.a, 'uuid', 64,
                                             self.case.cloud)

    def test_unmoved_with_other_memory(self):
        self.answers = [{}]
        self.collect.side_effect = lambda *_: samples.plain_evidence(
            backends=[])
        self.assertIn('192, QEMU says 0', str(cases.assert_fails(
            self, self.case.check_unmoved, [7])))

    def test_never(self):
        self.useFixture(fixtures.MockPatchObject(base, 'HELD_TIMEOUT', 0.01))
        for check, about in ((self.case.check_absent, self.b),
                             (self.case.check_unmoved, [7])):
            self.answers = [{'x': 64}]
            self.assertIn('held: expected {}', str(cases.assert_fails(
                self, check, about)))


class HeldBeforeTest(test_base.BaseTestCase):

    def test_each_host_is_asked(self):
        class Case(base.BaseMoveTest):
            """Two hosts."""

            hosts = [cases.host('a'), cases.host('b')]
            cloud = mock.Mock()
            services = mock.Mock()

        Case.services.host_of.side_effect = 'service-{}'.format
        Case.cloud.memory_of_nobody.side_effect = (
            lambda host, service: {service: 64} if host == 'b' else {})
        with mock.patch.object(base.BaseMemoryTest, 'resource_setup'), \
                mock.patch.object(base, 'CONF', cases.options()), \
                mock.patch.object(base.LOG, 'warning') as warning:
            Case.resource_setup()
        self.assertEqual({'a': {}, 'b': {'service-b': 64}}, Case.held_before)
        warning.assert_called_once_with(mock.ANY, 'b', {'service-b': 64})


class LocateTest(MoveTestCase):

    def setUp(self):
        super().setUp()
        hosts = [samples.PLAIN, samples.FILE_BACKED,
                 dataclasses.replace(samples.PLAIN, name='plain2')]
        self.case.inventory = inventory.Inventory('x.yaml', {
            host.name: host for host in hosts})
        self.useFixture(fixtures.MockPatchObject(
            compute_host, 'get', lambda host, timeout: host))
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))

    def _locate(self, name):
        self.case.cloud.server.return_value = cloud.Server(
            'uuid', 'ACTIVE', name, 'instance-00000001')
        return self.case.locate(~which.file_backed)

    def test_any_that_is_able(self):
        self.assertEqual('plain2', self._locate('plain2').name)

    def test_one_that_is_not(self):
        for name in 'fbm1', 'undeclared':
            error = cases.assert_fails(self, self._locate, name)
            self.assertIn('hosts that can take server uuid', str(error))
