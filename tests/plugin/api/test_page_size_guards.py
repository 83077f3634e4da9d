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


import contextlib
from unittest import mock

import fixtures
from oslotest import base as test_base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import host_traits
from mempage_tempest_plugin.changes import nova_compute
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.api import test_page_size_guards
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import evacuation
from mempage_tempest_plugin.tests.bases import joined
from tests.plugin.bases import cases
from tests.plugin import samples


class WithoutPagesTest(test_base.BaseTestCase):
    """Hosts that take no guests at all refuse none for its pages."""

    def setUp(self):
        super().setUp()
        self.case = cases.make(
            test_page_size_guards.TestColdMigrationWithoutPages,
            'test_refused', source=cases.host('a'),
            destinations=[cases.host('b')], nova=mock.Mock(),
            ordinary={'ram': 64})
        self.case.boot = mock.Mock()
        self.start = self.useFixture(
            fixtures.MockPatchObject(
                base.BaseMoveTest, 'start')).mock

    def _start(self, status, fault=''):
        self.case.boot.return_value = servers.RequestedServer(
            'uuid', 64, host='b', status=status, fault=fault)
        self.case.start()

    def test_ordinary_servers_are_taken(self):
        self._start('ACTIVE')
        self.case.boot.assert_called_once_with(
            self.case.destinations[0], flavor={'ram': 64})
        self.start.assert_called_once_with()
        self.assertEqual([], self.case.servers)

    def test_disabled_host(self):
        error = cases.assert_fails(self, self._start, 'ERROR',
                                   'No valid host was found.')
        self.assertIn('servers that ask for no page size', str(error))
        self.start.assert_not_called()


class EvacuationTest(test_base.BaseTestCase):
    """A host is taken for down, where that is allowed, and comes up again."""

    def setUp(self):
        super().setUp()
        self.case = cases.make(
            test_page_size_guards.TestNoPageSizeEvacuation, 'test_evacuate',
            source=cases.host('a'), destinations=[cases.host('b')],
            nova=mock.Mock(**{'to.return_value': {'host': 'service-b'}}),
            services=mock.Mock(), os_admin=mock.Mock())
        self.case.start = mock.Mock()
        self.case.check_refused = mock.Mock()
        self.useFixture(fixtures.MockPatchObject(
            evacuation, 'CONF', mock.Mock(**{'compute.build_timeout': 0.01})))
        self.useFixture(fixtures.MockPatchObject(cloud, 'Cloud'))
        self.mark = self.useFixture(fixtures.MockPatchObject(
            host_traits, 'Trait')).mock
        self.restart = self.useFixture(fixtures.MockPatchObject(
            nova_compute, 'restart', side_effect=self._restarted)).mock
        self.case.services.force_down.side_effect = self._force_down
        self.forced_down = self.evacuated = False

    def _force_down(self, service, down):
        if not down and self.evacuated:
            raise lib_exc.BadRequest('restart it first')
        self.forced_down = down

    def _restarted(self, *_):
        self.evacuated = False

    def _run(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.case.doCleanups)
            self.case.test_evacuate()

    def test_refused(self):
        def refused(*_, **__):
            self.assertTrue(self.forced_down)

        self.case.check_refused.side_effect = refused
        self._run()
        self.case.check_refused.assert_called_once()
        self.assertFalse(self.forced_down)
        self.restart.assert_not_called()

    def test_evacuated_all_the_same(self):
        """Nova insists on a restart then"""
        def evacuate(*_, **__):
            self.evacuated = True
            self.case.fail('it was not refused')

        self.case.check_refused.side_effect = evacuate
        cases.assert_fails(self, self._run)
        self.assertFalse(self.forced_down)
        self.restart.assert_called_once_with(
            self.case.source, self.case.services, 0.01)
        self.mark.return_value.cleanUp.assert_called_once_with()

    def test_needs_permission(self):
        self.assertIn('fault_injection', joined.united(
            type(self.case), 'promises'))
        self.assertTrue(self.case.harmful)


class ForcedTest(test_base.BaseTestCase):
    """Placement has no room for it: that is no refusal for its pages."""

    def test_no_room(self):
        case = cases.make(
            test_page_size_guards.TestLiveMigrationWithoutPages,
            'test_refused', source=cases.host('a'),
            destinations=[cases.host('b', declared=samples.PLAIN)],
            nova=mock.Mock(), hosts=[])
        case.nova.to_live.return_value = {}
        case.nova.act.side_effect = (
            lambda *arguments, force=False, **kwargs: force)
        case.servers = [servers.RequestedServer('uuid', 64, host='a')]
        case.start = case.check_unmoved = case.check_absent = mock.Mock()
        with mock.patch.object(
                actions, 'refusal', side_effect=(
                    lambda client, server, force, limit:
                    'Not enough capacity: No valid host was found.'
                    if force else 'No valid host was found.')):
            error = cases.assert_fails(self, case.test_refused)
        self.assertIn('Not enough capacity', str(error))
