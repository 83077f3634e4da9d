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

import sys
from unittest import mock

import fixtures
from oslotest import base as test_base
from tempest.lib import exceptions as lib_exc
import testtools

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.tests import base


def _case():
    """Make a test of the plugin whose class was never set up."""
    return base.BaseMemoryTest('on_each_host')


class OnEachHostTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case = _case()
        self.case.hosts = [mock.Mock(), mock.Mock()]
        for host, name in zip(self.case.hosts, ('a', 'b')):
            host.name = name
        self.taken = []

    def _step(self, name, failing=(), error=None):
        def step(host):
            self.taken.append((name, host.name))
            if host.name in failing:
                raise error or ValueError('odd %s' % host.name)

        step.__name__ = name
        return step

    def test_steps_are_taken_on_all_hosts_in_turn(self):
        self.case.on_each_host(self._step('one'), self._step('two'))
        self.assertEqual([('one', 'a'), ('one', 'b'), ('two', 'a'),
                          ('two', 'b')], self.taken)

    def test_failing_host_takes_no_further_step(self):
        error = self.assertRaises(
            AssertionError, self.case.on_each_host,
            self._step('one', ['a']), self._step('two'))
        self.assertNotIn(('two', 'a'), self.taken)
        self.assertIn(('two', 'b'), self.taken)
        self.assertIn('1 of 2 hosts failed\na: one: ValueError: odd a',
                      str(error))

    def test_all_failing_hosts_are_named(self):
        error = self.assertRaises(
            AssertionError, self.case.on_each_host,
            self._step('one', ['a', 'b']))
        self.assertIn('odd a', str(error))
        self.assertIn('odd b', str(error))

    def test_skip_passes(self):
        self.assertRaises(
            testtools.TestCase.skipException, self.case.on_each_host,
            self._step('one', ['a'], testtools.TestCase.skipException('no')))


class WaitTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        conf = self.useFixture(fixtures.MockPatchObject(base, 'CONF')).mock
        conf.compute.build_timeout = 0.05
        self.case = _case()
        client = self.useFixture(fixtures.MockPatchObject(
            base.BaseMemoryTest, 'servers_client', create=True)).mock
        client.build_interval = 0.01
        self.list_servers = client.list_servers

    def _listed(self, *answers):
        self.list_servers.side_effect = [
            {'servers': [{'id': server} for server in answer]}
            for answer in answers]

    def test_those_of_others_are_not_waited_for(self):
        self._listed(['a', 'b', 'other'], ['b', 'other'], ['other'])
        self.case.wait_until_gone(['a', 'b'])
        self.assertEqual(3, self.list_servers.call_count)

    def test_only_those_that_are_built_are_waited_for(self):
        self._listed(['a'], [])
        self.case.wait_until_built(iter(['a', 'b']))
        self.assertEqual([mock.call(status='BUILD')] * 2,
                         self.list_servers.call_args_list)

    def test_those_that_remain_are_named(self):
        self.list_servers.return_value = {
            'servers': [{'id': 'b'}, {'id': 'other'}]}
        error = self.assertRaises(lib_exc.TimeoutException,
                                  self.case.wait_until_gone, ['a', 'b'])
        self.assertIn('not gone within', str(error))
        self.assertTrue(str(error).endswith(' s: b'), str(error))


class SkipTest(test_base.BaseTestCase):

    def _skip_checks(self, path):
        with mock.patch.object(base, 'CONF') as conf, \
                mock.patch('tempest.test.BaseTestCase.skip_checks'):
            conf.mempage.host_inventory = path
            conf.compute.min_microversion = '2.1'
            conf.compute.max_microversion = 'latest'
            conf.placement.min_microversion = '1.0'
            conf.placement.max_microversion = 'latest'
            base.BaseMemoryTest.skip_checks()

    def test_no_inventory_is_a_skip_that_names_the_option(self):
        error = self.assertRaises(testtools.TestCase.skipException,
                                  self._skip_checks, None)
        self.assertIn('[mempage] host_inventory', str(error))

    def test_missing_promise_is_a_skip_that_names_the_option(self):
        with mock.patch.object(base.BaseMemoryTest, 'promises', {
                'one': 'does not promise this', 'two': 'is not set'}), \
                mock.patch.object(base, 'CONF') as conf, \
                mock.patch('tempest.test.BaseTestCase.skip_checks'):
            conf.mempage = mock.MagicMock(host_inventory='/a')
            conf.mempage.__getitem__.return_value = False
            error = self.assertRaises(testtools.TestCase.skipException,
                                      base.BaseMemoryTest.skip_checks)
        self.assertEqual('[mempage] one does not promise this; [mempage] two '
                         'is not set', str(error))

    def test_broken_inventory_is_no_skip(self):
        self.assertRaises(exceptions.InventoryError, self._skip_checks,
                          '/nonexistent')


class AttachDetailsTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case = _case()
        self.case._details_attached = False
        self.case.hosts = []
        self.case.servers = {}
        patcher = mock.patch('mempage_tempest_plugin.details.attach')
        self.attach = patcher.start()
        self.addCleanup(patcher.stop)

    def _raise(self, error):
        try:
            raise error
        except Exception:
            self.case._attach_details(sys.exc_info())

    def test_failure_attaches_once(self):
        self._raise(AssertionError('a'))
        self._raise(ValueError('b'))
        self.attach.assert_called_once()

    def test_skip_attaches_nothing(self):
        self._raise(self.case.skipException('a'))
        self.attach.assert_not_called()
