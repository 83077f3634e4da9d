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

"""Tests of operations, step by step, and of servers that are used again."""

from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base
from tempest.lib import exceptions as lib_exc
import testtools

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import operations
from mempage_tempest_plugin.tests.bases import steps
from tests.plugin.bases import cases


@ddt.ddt
class StepsTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.host = cases.host('a')
        self.case = cases.make(base.BaseMemoryTest, nova=mock.Mock())
        self.case.servers = [servers.RequestedServer('uuid', 64, host='a')]

    def test_calls(self):
        step = steps.Step('reboot_server', 'ACTIVE', {'type': 'HARD'})
        request, wait = step.calls(self.case)
        request(self.host)
        self.case.nova.client.reboot_server.assert_called_once_with(
            'uuid', type='HARD')
        self.case.nova.wait_for.assert_not_called()
        wait(self.host)
        self.case.nova.wait_for.assert_called_once_with('uuid', 'ACTIVE')

    def test_failures_are_called_after_the_step(self):
        self.assertEqual(
            ['reboot_server', 'wait after reboot_server'],
            [call.__name__ for call in steps.SOFT_REBOOT.calls(self.case)])

    @ddt.data(*steps.OPERATIONS, 'rescue')
    def test_server_is_as_it_was_in_the_end(self, name):
        operation = {'rescue': steps.RESCUE, **steps.OPERATIONS}[name]
        last = operation.steps[-1]
        self.assertEqual(('ACTIVE', True), (last.status, last.runs))

    @ddt.data(*steps.OPERATIONS, 'rescue', 'snapshot')
    def test_skip(self, name):
        operation = {'rescue': steps.RESCUE, 'snapshot': steps.SNAPSHOT,
                     **steps.OPERATIONS}[name]
        for enabled in (True, False):
            changes = ({operation.feature: enabled} if operation.feature
                       else {})
            with mock.patch.object(steps, 'CONF', cases.options(
                    compute_feature_enabled=changes)):
                if enabled or not operation.feature:
                    operation.skip_unless_enabled(self.case)
                    continue
                error = self.assertRaises(
                    testtools.TestCase.skipException,
                    operation.skip_unless_enabled, self.case)
                self.assertEqual('[compute-feature-enabled] %s is not set'
                                 % operation.feature, str(error))


class SnapshotTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case = cases.make(
            base.BaseMemoryTest, nova=mock.Mock(), os_admin=mock.Mock(),
            inventory=mock.Mock(**{'limit.side_effect': lambda seconds:
                                   10 * seconds}))
        self.case.servers = [servers.RequestedServer('uuid', 64, host='a')]
        self.useFixture(fixtures.MockPatchObject(
            operations, 'CONF', mock.Mock(**{'image.build_timeout': 300})))
        create = self.case.os_admin.compute_images_client.create_image
        create.return_value = {'image_id': 'image'}
        self.image = self.useFixture(fixtures.MockPatch(
            'tempest.common.waiters.wait_for_image_status')).mock
        self.steps = operations.snapshot(self.case)

    def _take(self):
        for step in self.steps:
            step(cases.host('a'))

    def test_its_end_is_waited_for(self):
        """A server is ACTIVE while its snapshot is taken"""
        waited = mock.Mock()
        waited.attach_mock(self.image, 'image')
        waited.attach_mock(self.case.nova.wait_for, 'server')
        self._take()
        self.assertEqual([
            mock.call.image(self.case.os_admin.image_client_v2, 'image',
                            'active'),
            mock.call.server('uuid', 'ACTIVE')], waited.mock_calls)

    def test_slow_hosts_have_longer(self):
        self.assertEqual(
            3000, self.case.os_admin.image_client_v2.build_timeout)

    def test_it_is_deleted_whatever_becomes_of_it(self):
        self.image.side_effect = lib_exc.TimeoutException
        self.assertRaises(lib_exc.TimeoutException, self._take)
        self.case.doCleanups()
        client = self.case.os_admin.image_client_v2
        client.delete_image.assert_called_once_with('image')

    def test_failures_are_called_after_the_step(self):
        self.assertEqual(['snapshot', 'wait after snapshot'],
                         [step.__name__ for step in self.steps])


class EnabledTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case = cases.make(base.BaseMemoryTest)
        self.known = {'pause': steps.OPERATIONS['pause_unpause'],
                      'snapshot': steps.SNAPSHOT}

    def _choose(self, **features):
        with mock.patch.object(steps, 'CONF', cases.options(
                compute_feature_enabled=features)):
            return list(steps.of_those_enabled(self.case, self.known))

    def test_all(self):
        self.assertEqual(['pause', 'snapshot'],
                         self._choose(pause=True, snapshot=True))
        self.assertEqual({}, self.case.getDetails())

    def test_what_is_left_out_is_said(self):
        self.assertEqual(['snapshot'],
                         self._choose(pause=False, snapshot=True))
        self.assertEqual('[compute-feature-enabled] not set: pause\n',
                         self.case.getDetails()['left-out'].as_text())

    def test_none(self):
        self.assertIn('none of pause, snapshot is set', str(
            self.assertRaises(testtools.TestCase.skipException, self._choose,
                              pause=False, snapshot=False)))


class SoftRebootTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.host = cases.host('a', **{'pids.side_effect': [[7], [8]]})
        self.host.log.about.return_value = [
            'INFO [instance: uuid] Instance soft rebooted successfully.']
        self.case = cases.make(
            operations.BaseBootedTest, nova=mock.Mock(),
            inventory=mock.Mock(path='x.yaml'))
        self.case.servers = [servers.RequestedServer('uuid', 64, host='a')]

    def _reboot(self):
        for step in [*self.case.reboot_softly(), self.case.check_obeyed]:
            step(self.host)

    def test_obeyed(self):
        self._reboot()
        self.host.log.about.assert_called_once_with(
            'uuid', self.host.log.end.return_value)

    def test_not_obeyed(self):
        self.host.log.about.return_value = [
            'WARNING [instance: uuid] Failed to soft reboot instance. Trying '
            'hard reboot.']
        error = str(cases.assert_fails(self, self._reboot))
        self.assertIn('what it logged of a guest that did not shut down: '
                      'expected none, nova-compute says WARNING', error)

    def test_made_hard_without_a_word(self):
        """Whoever logs that it begins would log that the guest obeyed"""
        self.host.log.about.return_value = [
            'INFO [instance: uuid] Rebooting instance']
        error = str(cases.assert_fails(self, self._reboot))
        self.assertIn('what it logged of a guest that did: expected Instance '
                      'soft rebooted successfully, nova-compute says INFO',
                      error)

    def test_nothing_happened(self):
        self.host.pids.side_effect = [[7], [7]]
        error = str(cases.assert_fails(self, self._reboot))
        self.assertIn('QEMU processes: expected others than [7], kernel says '
                      '7', error)

    def test_nobody_tells(self):
        for about in [], ['DEBUG [instance: uuid] something else']:
            self.host.pids.side_effect = [[7], [8]]
            self.host.log.about.return_value = about
            self.assertIn('x.yaml has to say where it is', str(
                self.assertRaises(testtools.TestCase.skipException,
                                  self._reboot)))

    def test_no_log_is_declared(self):
        self.host.log = None
        self.assertRaises(testtools.TestCase.skipException, self._reboot)


class ReusedServersTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.requested = requested = []
        self.status = {}

        class Case(operations.BaseReusedServersTest):
            """Servers on two hosts."""

            hosts = [cases.host('a'), cases.host('b')]
            nova = mock.Mock()
            cloud = mock.Mock()
            _reused = {}

            @classmethod
            def request_server(cls, host):
                requested.append(host.name)
                return servers.RequestedServer(
                    '%s%d' % (host.name, requested.count(host.name)), 64,
                    host=host.name)

        Case.cloud.server.side_effect = lambda uuid: mock.Mock(
            status=self.status.get(uuid, 'ACTIVE'))
        self.cls = Case

    def _servers(self):
        return sorted(server.uuid for server in cases.make(self.cls).servers)

    def test_they_are_requested_once(self):
        self.assertEqual(['a1', 'b1'], self._servers())
        self.assertEqual(['a1', 'b1'], self._servers())
        self.assertEqual(['a', 'b'], sorted(self.requested))

    def test_each_is_active_before_the_test(self):
        self._servers()
        self.assertEqual({('a1',), ('b1',)}, {
            call.args
            for call in self.cls.nova.wait_until_active.call_args_list})

    def test_one_that_is_not_fit_is_replaced(self):
        self._servers()
        self.status['b1'] = 'ERROR'
        self.assertEqual(['a1', 'b2'], self._servers())
        self.cls.nova.delete.assert_called_once_with(['b1'])

    def test_they_stay_until_the_class_ends(self):
        case = cases.make(self.cls)
        case.doCleanups()
        self.cls.nova.delete.assert_not_called()
        self.cls._delete_reused()
        [deleted] = self.cls.nova.delete.call_args.args
        self.assertEqual(['a1', 'b1'], sorted(deleted))
