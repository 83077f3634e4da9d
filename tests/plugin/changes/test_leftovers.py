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

"""Tests of what a cleanup removes, and of what it leaves alone."""

import contextlib
import functools
import os
from unittest import mock

import fixtures
from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import leftovers
from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import several
from tests.plugin import samples

OURS = 'tempest-mempage-TestA-server-1'
OTHERS = ('tempest-TestA-server-1', 'mempage-large', 'my-tempest-mempage-1',
          'tempest-mempages')
DOWN = 'CUSTOM_TEMPEST_MEMPAGE_DOWN_1'
TRAIT = 'CUSTOM_TEMPEST_MEMPAGE_TRAIT_2'


def _named(**more):
    return [dict(more, id=name, name=name) for name in (OURS, *OTHERS)]


class LeftoversTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.manager = mock.Mock()
        self.manager.servers_client.list_servers.return_value = {
            'servers': _named()}
        self.manager.flavors_client.list_flavors.return_value = {
            'flavors': _named()}
        self.manager.image_client_v2.list_images.side_effect = [
            {'images': [{'id': 'x', 'name': None}], 'next': '/v2'},
            {'images': _named()}]
        self.manager.aggregates_client.list_aggregates.return_value = {
            'aggregates': [{'id': 1, 'hosts': ['a'],
                            'name': 'tempest-mempage-aggregate-1'},
                           {'id': 2, 'hosts': ['a'], 'name': 'mempage-x'}]}
        providers = self.manager.resource_providers_client
        providers.list_resource_providers.return_value = {
            'resource_providers': [{'uuid': 'p1', 'name': 'host1'},
                                   {'uuid': 'p2', 'name': 'host2'}]}
        self.traits = {'p1': [DOWN, 'CUSTOM_MEMORY_PAGE_SIZE_4'],
                       'p2': [TRAIT, 'CUSTOM_OTHER']}
        providers.list_resource_provider_traits.side_effect = (
            lambda uuid: {'traits': self.traits[uuid],
                          'resource_provider_generation': 3})
        providers.update_resource_provider_traits.side_effect = (
            lambda uuid, traits, resource_provider_generation:
            self.traits.update({uuid: traits}))
        self.manager.placement_client.list_traits.return_value = {
            'traits': [DOWN, TRAIT]}
        self.host = mock.Mock(declared=samples.FILE_BACKED,
                              real=lambda path: path)
        self.host.name = 'fbm1'
        self.host.ssh.execute.return_value.status = 0
        for target in ('nova_services.ComputeServices',
                       'forced_down.bring_up', 'nova_compute.restart',
                       'waiters.wait_for_server_termination',
                       'shares.connect'):
            patcher = mock.patch(
                'mempage_tempest_plugin.changes.leftovers.' + target)
            setattr(self, target.rpartition('.')[2], patcher.start())
            self.addCleanup(patcher.stop)

        self.connect.return_value.list_shares.return_value = _named()

    def _look(self):
        return leftovers.find(
            self.manager, [self.host], 9, '/no/locks',
            functools.partial(several.ask, limit=2))

    def _find(self):
        return list(self._look())

    def test_lifted_quotas(self):
        locks = self.useFixture(fixtures.TempDir()).path
        with open(os.path.join(locks, 'mempage-quotas-compute-p'), 'w',
                  encoding='utf-8') as stream:
            stream.write('{"cores": 20}')
        [left] = [left for left in leftovers.find(
            self.manager, [], 9, locks,
            functools.partial(several.ask, limit=2))
            if 'quotas' in left.what]
        left.remove()
        self.manager.quotas_client.update_quota_set.assert_called_once_with(
            'p', force=True, cores=20)

    def test_only_what_is_ours_is_found(self):
        self.assertEqual([
            'forced-down nova-compute on host1', 'server ' + OURS,
            'share ' + OURS, 'image ' + OURS, 'flavor ' + OURS,
            'aggregate tempest-mempage-aggregate-1',
            'trait %s of host2' % TRAIT, 'trait ' + TRAIT,
            'file /ram/mempage-foreign-data on fbm1',
            'backing store of a test on fbm1'],
            [left.what.replace(samples.FILE_BACKED.file_backed.mount, '/ram')
             for left in self._find()])

    def test_share(self):
        [left] = [left for left in self._look() if 'share' in left.what]
        client = self.connect.return_value
        client.is_resource_deleted.return_value = False
        # The server has just been deleted, and Nova's lock is there for a bit.
        client.list_access.side_effect = [['nova'], []]
        left.remove()
        self.assertEqual(2, client.list_access.call_count)
        client.delete_share.assert_called_once_with(OURS)
        client.wait_for_resource_deletion.assert_called_once_with(OURS)

    def test_share_of_a_server_that_is_not_deleted(self):
        # Without waiting.
        self.useFixture(fixtures.MockPatchObject(
            leftovers.shares.test_utils, 'call_until_true',
            return_value=False))
        client = self.connect.return_value
        client.is_resource_deleted.return_value = False
        [left] = [left for left in self._look() if 'share' in left.what]
        left.remove()
        client.deny_access.assert_not_called()
        self.manager.servers_client.list_servers.return_value = {
            'servers': []}
        left.remove()
        client.deny_access.assert_called_once_with(OURS)

    def test_large_clouds_list_what_may_be_ours(self):
        self._find()
        listed = self.manager.servers_client.list_servers.call_args
        self.assertEqual('tempest-mempage-', listed.kwargs['name'])
        self.connect.return_value.list_shares.assert_called_once_with(
            'tempest-mempage-')

    def test_manila_that_does_not_answer(self):
        self.connect.return_value.list_shares.side_effect = (
            lib_exc.ServerFault('down'))
        found = self._find()
        self.assertIn('flavor ' + OURS, [left.what for left in found])
        [left] = [left for left in found if 'share' in left.what]
        error = self.assertRaises(exceptions.MempageError, left.remove)
        self.assertIn('Manila does not list them', str(error))

    def test_cloud_without_manila(self):
        self.connect.side_effect = lib_exc.EndpointNotFound
        self.assertNotIn('share', ' '.join(
            left.what for left in self._find()))

    def test_finding_changes_nothing(self):
        self._find()
        changes = [call for call in map(str, self.manager.mock_calls)
                   if 'list_' not in call]
        self.assertEqual([], changes)
        self.bring_up.assert_not_called()

    def test_removal(self):
        # Each before the next one is looked for.
        for left in self._look():
            left.remove()
        self.manager.placement_client.delete_trait.assert_has_calls(
            [mock.call(DOWN), mock.call(TRAIT)])
        self.bring_up.assert_called_once_with(
            self.ComputeServices.return_value, 'host1', 9)
        # No declared host needs a restart.
        self.restart.assert_not_called()
        self.manager.servers_client.delete_server.assert_called_once_with(
            OURS)
        self.manager.image_client_v2.delete_image.assert_called_once_with(
            OURS)
        self.manager.flavors_client.delete_flavor.assert_called_once_with(
            OURS)
        self.assertEqual(
            [mock.call('p1', traits=['CUSTOM_MEMORY_PAGE_SIZE_4'],
                       resource_provider_generation=3),
             mock.call('p2', traits=['CUSTOM_OTHER'],
                       resource_provider_generation=3)],
            self.manager.resource_providers_client.
            update_resource_provider_traits.call_args_list)

    def test_a_service_that_does_not_come_up_is_not_forgotten(self):
        self.bring_up.side_effect = lib_exc.TimeoutException('not up')
        for left in self._look():
            with contextlib.suppress(lib_exc.TimeoutException):
                left.remove()
        self.assertIn(DOWN, self.traits['p1'])
        self.manager.placement_client.delete_trait.assert_called_once_with(
            TRAIT)
        self.assertEqual('forced-down nova-compute on host1',
                         next(self._look()).what)

    def test_forced_down_host_is_restarted(self):
        self.host.name = 'host1'
        self.host.declared = mock.Mock(file_backed=None)
        self._find()[0].remove()
        self.restart.assert_called_once_with(
            self.host, self.ComputeServices.return_value, 9)
        self.bring_up.assert_called_once()


class NamesTest(base.BaseTestCase):

    def test_names_begin_with_the_prefix(self):
        self.assertRegex(names.new('a'), '^%sa-[0-9]+$' % names.prefix())
        self.assertRegex(names.as_trait(names.new('a')),
                         '^CUSTOM_TEMPEST_MEMPAGE_A_[0-9]+$')

    def test_another_users_prefix(self):
        with mock.patch.object(names, 'CONF') as conf:
            conf.resource_name_prefix = 'zuul.7'
            self.assertRegex(names.new('a'), '^zuul.7-mempage-a-[0-9]+$')
            self.assertEqual('zuul.7-mempage-', names.prefix())
            self.assertEqual('CUSTOM_ZUUL_7_MEMPAGE_',
                             names.as_trait(names.prefix()))
            conf.resource_name_prefix = ''
            self.assertEqual('mempage-', names.prefix())
