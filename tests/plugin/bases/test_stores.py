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

"""Tests of what tests assert that count what backing stores have."""

import dataclasses
import unittest
from unittest import mock

import fixtures
from oslotest import base as test_base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import stores
from tests.plugin.bases import cases
from tests.plugin import samples


class StoreTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.useFixture(fixtures.MockPatch('time.sleep'))
        self.useFixture(fixtures.MockPatchObject(
            stores.BaseStoreTest, 'RELEASE_TIMEOUT', 0.01))
        self.host = cases.host('fbm1', declared=samples.FILE_BACKED)
        self.case = cases.make(
            stores.BaseStoreTest, hosts=[self.host], cloud=mock.Mock(),
            nova=mock.Mock())
        self._see(0, files={}, store=samples.store(
            1024 * samples.MIB, 1024 * samples.MIB, 0))
        self.case.note_store(self.host)
        self.guest = servers.RequestedServer(samples.SERVER, 192,
                                             host='fbm1')

    def _see(self, used, **changes):
        self.host.survey.return_value = samples.host_survey(**changes)
        self.case.cloud.used_memory.return_value = used

    def test_taken(self):
        self.case.servers = [self.guest]
        self._see(192)
        self.case.check_taken(self.host)

    def test_not_given_back(self):
        self._see(192)
        error = str(cases.assert_fails(self, self.case.check_taken,
                                       self.host))
        self.assertIn('MEMORY_MB used', error)
        self.assertIn('files, MiB', error)

    def test_guests_elsewhere_do_not_matter(self):
        self.guest.host = None
        self.case.servers = [self.guest]
        self.case.check_taken(self.host)

    def test_table(self):
        self.case.servers = [self.guest]
        self.assertIn(samples.SERVER, self.case.evidence_table(self.host))

    def test_processes(self):
        self.case.servers = [self.guest]
        self._see(192)
        self.host.libvirt.monitor.return_value = {'status': 'running'}
        self.case.note_processes(self.host)
        self.case.check_unchanged(self.host)
        self.host.libvirt.monitor.return_value = {'status': 'io-error'}
        error = cases.assert_fails(self, self.case.check_unchanged,
                                   self.host)
        self.assertIn('io-error', str(error))

    def test_process_that_ended(self):
        self.case.servers = [self.guest]
        self._see(192)
        self.host.libvirt.monitor.return_value = {'status': 'running'}
        self.case.note_processes(self.host)
        self._see(192, processes={})
        cases.assert_fails(self, self.case.check_unchanged,
                           self.host)

    def test_never_built(self):
        with mock.patch.object(actions, 'builds', return_value=[]) as builds:
            self.case.check_never_built([self.guest])
            builds.return_value = ['fbm1']
            cases.assert_fails(self, self.case.check_never_built,
                               [self.guest])

    def test_filled(self):
        self.case.nova.on_host.return_value = {}
        with mock.patch.object(foreign_data, 'ForeignData',
                               return_value=fixtures.Fixture()) as fill:
            self.case.fill_store(self.host, 4)
        fill.assert_called_once_with(self.host, 4)

    def test_not_filled_beside_guests_of_others(self):
        self.case.nova.on_host.return_value = {'u': 'database'}
        with mock.patch.object(foreign_data, 'ForeignData') as fill:
            self.assertRaises(unittest.SkipTest, self.case.fill_store,
                              self.host)
        fill.assert_not_called()

    def test_request_on_each(self):
        with mock.patch.object(self.case, 'request_at_once') as request:
            self.case.request_on_each(
                lambda host: [16],
                lambda host: [host.file_backed.capacity_mib - 32, 16])
        request.assert_called_once_with(
            [(16, None, self.host), (992, None, self.host),
             (16, None, self.host)])

    def test_parts(self):
        most = stores.MOST_MIB
        for ram_mib, expected in (
                (1008, [1008]), (most, [most]),
                (most + 1, [most // 2 + 1, most // 2]),
                (4 * 1024 * 1024 - 16, [most - 1] * 16)):
            self.assertEqual(expected, stores.parts(ram_mib))

    def test_large_stores_may_take_long(self):
        declared = dataclasses.replace(
            samples.FILE_BACKED, slowness=2,
            file_backed=inventory.FileBacked(400 * 1024, '/srv'))
        nova = servers.Servers(mock.MagicMock(), None, 300, 0,
                               lambda seconds: seconds)
        cls = type('TestIt', (stores.BaseStoreTest,), {
            'nova': nova, 'declared': [samples.FILE_BACKED, declared]})
        with mock.patch.object(base.BaseMemoryTest, 'setup_clients'):
            cls.setup_clients()
        with mock.patch.object(nova, '_while', return_value=True):
            error = self.assertRaises(lib_exc.TimeoutException, nova.wait_for,
                                      'x', 'ACTIVE')
        self.assertIn('within %d s' % (300 + 2 * 2048), str(error))

    def _leave_out(self, **changes):
        class Case:
            hosts = [self.host, cases.host('b', declared=samples.FILE_BACKED)]
            needs_all_hosts = False
            left_out = {}
            skipException = unittest.SkipTest

        for host in Case.hosts:
            host.survey.return_value = samples.host_survey(**changes)
        stores.leave_out_larger_than_memory(Case)
        return Case.hosts

    def test_store_in_memory_that_is_there(self):
        # Two hosts of one kernel, each with 832 MiB to fill.
        self.assertEqual(2, len(self._leave_out(available_mib=1665)))
        self.assertEqual(2, len(self._leave_out(available_mib=None)))

    def test_store_in_memory_that_is_not_there(self):
        error = self.assertRaises(unittest.SkipTest, self._leave_out,
                                  available_mib=1664)
        self.assertIn('host fbm1: a store that is in memory', str(error))
        self.assertIn('1664 MiB', str(error))

    def test_store_on_a_device_needs_no_memory(self):
        root, own = samples.host_survey().mounts
        self.assertEqual(2, len(self._leave_out(
            available_mib=1,
            mounts=[root, dataclasses.replace(own, filesystem='xfs')])))

    def test_request_forced(self):
        with mock.patch.object(self.case, 'flavor_of') as flavor, \
                mock.patch.object(self.case, 'boot') as boot:
            self.case.request_forced(16, self.host, **{'hw:numa_nodes': '1'})
        flavor.assert_called_once_with(16, **{'hw:numa_nodes': '1'})
        boot.assert_called_once_with(self.host, forced=True,
                                     flavor=flavor.return_value)
