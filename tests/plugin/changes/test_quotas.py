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

"""Tests of quotas that are lifted for a while."""

import math
import multiprocessing
import os
from unittest import mock

import fixtures
from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import quotas
from mempage_tempest_plugin import exceptions

FLAVOR = {'ram': 100, 'vcpus': 2}


class _Client:
    """What both services have in common: limits, and what is used."""

    tenant_id = 'p'

    def __init__(self, key, used, **limits):
        self._key = key
        self._used = used
        self.limits = limits
        self.in_use = dict.fromkeys(limits, 0)

    def show_quota_set(self, project, detail=False):
        return {self._key: {
            name: {'limit': limit, self._used: self.in_use[name],
                   'reserved': 0}
            for name, limit in self.limits.items()}}

    show_quota_details = show_quota_set

    def update_quota_set(self, project, force=False, **limits):
        # The services refuse less than is used, unless they are forced.
        for name, limit in limits.items():
            if not force and 0 <= limit < self.in_use[name]:
                raise lib_exc.BadRequest()
        self.limits.update(limits)

    update_quotas = update_quota_set


class RoomTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.locks = self.useFixture(fixtures.TempDir()).path
        self.manager = mock.Mock(
            quotas_client=_Client('quota_set', 'in_use', instances=10,
                                  cores=20, ram=1000, key_pairs=100),
            network_quotas_client=_Client(
                'quota', 'used', port=500, floatingip=50, security_group=10,
                security_group_rule=100))
        self.compute = self.manager.quotas_client
        self.network = self.manager.network_quotas_client
        self.before = dict(self.compute.limits)

    def _room(self, servers, reached=False):
        return quotas.room(self.manager, self.locks, servers, FLAVOR, reached)

    def test_room_enough(self):
        with self._room(10):
            self.assertEqual(self.before, self.compute.limits)

    def test_more_than_there_is(self):
        with self._room(11):
            self.assertEqual(
                {'instances': -1, 'cores': -1, 'ram': -1, 'key_pairs': 100},
                self.compute.limits)
        self.assertEqual(self.before, self.compute.limits)
        self.assertEqual([], quotas.left(self.manager, self.locks))

    def test_what_others_use_counts(self):
        self.compute.in_use['ram'] = 1
        with self._room(10):
            self.assertEqual(-1, self.compute.limits['ram'])

    def test_as_many_as_there_is_room_for(self):
        with self._room(math.inf):
            self.assertEqual(-1, self.compute.limits['instances'])
        self.compute.limits.update(instances=-1, cores=-1, ram=-1)
        with mock.patch.object(self.compute, 'update_quota_set') as update:
            with self._room(math.inf):
                update.assert_not_called()

    def test_reached(self):
        before = dict(self.network.limits)
        with self._room(11, reached=True):
            self.assertEqual(dict.fromkeys(before, -1), self.network.limits)
        self.assertEqual(before, self.network.limits)

    def test_service_that_lacks_a_quota(self):
        del self.network.limits['floatingip']
        with self._room(11, reached=True):
            self.assertEqual(-1, self.network.limits['security_group'])
            self.assertNotIn('floatingip', self.network.limits)

    def _killed(self):
        """Lift quotas in a process that does not put them back."""
        def lift(pipe):
            # Its lock is gone when it is.
            room = self._room(11)
            room.__enter__()
            pipe.send(self.compute.limits)
            pipe.recv()

        processes = multiprocessing.get_context('fork')
        pipe, there = processes.Pipe()
        process = processes.Process(target=lift, args=(there,))
        process.start()
        self.addCleanup(process.join)
        self.addCleanup(process.kill)
        self.assertTrue(pipe.poll(20))
        self.compute.limits = pipe.recv()
        return process

    def test_waits_for_others(self):
        process = self._killed()
        room = self._room(12)
        with mock.patch.object(quotas, '_PATIENCE', 0.05), \
                mock.patch.object(quotas.LOG, 'info',
                                  side_effect=lambda *_: process.kill()
                                  ) as waits:
            room.__enter__()
        waits.assert_called()
        room.__exit__(None, None, None)
        self.assertEqual(self.before, self.compute.limits)

    def test_left(self):
        process = self._killed()
        process.kill()
        process.join()
        # The limits of now are not the project's own.
        [left] = quotas.left(self.manager, self.locks)
        self.assertEqual('p', left.project)
        self.assertEqual({'cores': 20, 'ram': 1000, 'instances': 10},
                         left.lacking({'instances': 11, 'cores': 22,
                                       'ram': 1100}))
        left.remove()
        self.assertEqual(self.before, self.compute.limits)
        self.assertEqual([], quotas.left(self.manager, self.locks))

    def test_left_with_servers(self):
        self._killed().kill()
        [left] = quotas.left(self.manager, self.locks)
        self.compute.in_use['instances'] = 11
        left.remove()
        self.assertEqual(self.before, self.compute.limits)

    def test_limits_that_keystone_has(self):
        with mock.patch.object(self.compute, 'update_quota_set'):
            error = str(self.assertRaises(exceptions.QuotaNotLifted,
                                          self._room(11).__enter__))
        self.assertIn(
            'project p may have, and the compute service ignores that its '
            'quotas are lifted (limits still: cores 20, instances 10, ram '
            '1000)', error)
        self.assertEqual([], quotas.left(self.manager, self.locks))
        # Who has enough is not disturbed, and nobody has to wait.
        with self._room(10), self._room(11):
            self.assertEqual(-1, self.compute.limits['instances'])

    def test_project_that_is_gone(self):
        self._killed().kill()
        [left] = quotas.left(self.manager, self.locks)
        with mock.patch.object(self.compute, 'update_quota_set',
                               side_effect=lib_exc.BadRequest()):
            left.remove()
        self.assertEqual([], quotas.left(self.manager, self.locks))

    def test_that_fails(self):
        with mock.patch.object(self.compute, 'update_quota_set',
                               side_effect=lib_exc.Forbidden()):
            self.assertRaises(lib_exc.Forbidden, self._room(11).__enter__)
        # Nobody has to wait.
        with self._room(11):
            self.assertEqual(-1, self.compute.limits['instances'])
        self.assertEqual(self.before, self.compute.limits)
        self.assertEqual(
            ['mempage-quotas-compute-p.lock'], os.listdir(self.locks))
