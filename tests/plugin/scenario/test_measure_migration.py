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

"""Tests of the time that live migrations take, with hosts that are made up."""

import dataclasses
from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.hosts import libvirt_connection
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.scenario import test_measure_migration
from tests.plugin.bases import cases
from tests.plugin.bases import test_measured
from tests.plugin import samples

ORDINARY = test_measure_migration.ORDINARY


def _named(name, group=None):
    return dataclasses.replace(samples.FILE_BACKED, name=name, group=group)


class MigrationTest(test_measured.MeasuredTestCase):

    def setUp(self):
        super().setUp()
        self.host.declared = _named('fbm1')
        self.other = cases.host('fbm2', declared=_named('fbm2'))
        self.took = libvirt_connection.Migration(2500, 31)
        self.host.libvirt.last_migration.side_effect = lambda uuid: self.took
        done = fio.Done(0, 600, 0.5, {50: 10 ** 5, 99.9: 4 * 10 ** 6})
        self.useFixture(fixtures.MockPatchObject(
            fio, 'run', return_value=('3.33', {'write': done})))
        self.checked = self.useFixture(fixtures.MockPatchObject(
            test_measure_migration.anonymous_memory, 'check')).mock
        self.runs = True

    def _run(self):
        conf = cases.options(mempage={
            'measure': 2, 'run': test_measured.RUN, 'hosts': ['fbm1'],
            'live_migrate_running_guests': self.runs})
        self.useFixture(fixtures.MockPatchObject(test_measure_migration,
                                                 'CONF', conf))
        case = self.case = cases.make(
            test_measure_migration.TestMeasureMigration,
            hosts=[self.host, self.other])
        case.flavor = {'ram': 192}
        case.reconfiguration = self.reconfiguration = mock.Mock()
        case.nova, case.cloud = mock.Mock(), mock.Mock()
        case.nova.to_live = lambda name: {'host': name}
        case.nova.act.side_effect = self._act
        case.boot_reachable = mock.Mock(side_effect=[
            mock.Mock(uuid='store', ram_mib=192),
            mock.Mock(uuid='control', ram_mib=192)])
        case.turn_to = self._turn_to
        case.skip_if_shared = mock.Mock()
        case.fill = lambda server: mock.Mock(mib=48)
        case.path_of = lambda server: samples.PATH
        case.end = mock.Mock()
        self.went = []
        case.test_migration()

    def _turn_to(self, host):
        self.case.host, self.case.seed = host, 7
        self.case._began_at = measured.now()
        self.case.versions = {'libvirt': '9.0.0'}

    def _act(self, uuid, method, status, **kwargs):
        self.went.append((uuid, method, status, kwargs.get('host')))
        if method == 'live_migrate_server':
            self.case.cloud.server.return_value.host = kwargs['host']

    def test_kept(self):
        self._run()
        kept = self.kept()
        time, downtime = (kept['migration.' + word]
                          for word in ('time', 'downtime'))
        self.assertEqual((0.5, 4, [2.5] * 4, [31] * 4), (
            time['limit']['value'], downtime['limit']['value'],
            *([sample['value'] for sample in figure['samples']]
              for figure in (time, downtime))))
        # A change from one to the other takes long.
        self.assertEqual(['store', 'control', 'control', 'store'], [
            sample['arm'] for sample in time['samples']])
        self.assertEqual([
            (uuid, 'live_migrate_server', 'ACTIVE', host)
            for uuid in ('store', 'control', 'control', 'store')
            for host in ('fbm2', 'fbm1')], self.went)

    def test_control_is_between_ordinary_hosts(self):
        self._run()
        ordinary = {self.host: ORDINARY, self.other: ORDINARY}
        self.assertEqual(
            # Each is booted, and the turns of the two.
            [{}, ordinary, {}, ordinary, ordinary, {}],
            [call[0][0] for call in
             self.reconfiguration.apply.call_args_list])
        self.assertEqual([mock.call(self.host, 'control')] * 3,
                         self.checked.call_args_list)

    def test_paused_guests_have_no_downtime(self):
        self.runs = False
        self._run()
        self.assertEqual({'migration.time'}, set(self.kept()))
        self.assertEqual(
            [('store', 'pause_server', 'PAUSED', None),
             ('store', 'live_migrate_server', 'PAUSED', 'fbm2'),
             ('store', 'unpause_server', 'ACTIVE', None)], self.went[:3])

    def test_went_nowhere(self):
        with mock.patch.object(self, '_act'):
            error = self.assertRaises(self.failureException, self._run)
        self.assertIn('where server store is', str(error))

    def test_nobody_knows(self):
        self.took = libvirt_connection.Migration(None, None)
        error = self.assertRaises(self.failureException, self._run)
        self.assertIn('the time of the migration of server store, which '
                      'libvirt does not tell', str(error))

    def test_control_in_a_file(self):
        self.checked.side_effect = exceptions.FactsMissing('fbm1', 'a file')
        error = self.assertRaises(self.failureException, self._run)
        self.assertIn('a file', str(error))
        self.assertEqual({}, self.kept())


class ChooseTest(test_base.BaseTestCase):

    def _choose(self, hosts, peers):
        cls = test_measure_migration.TestMeasureMigration
        made = {name: _named(name, name[0]) for name in hosts + peers}
        with mock.patch.object(joined, 'choose',
                               side_effect=lambda cls, hosts: hosts), \
                mock.patch.object(cls, 'inventory', mock.Mock(path='i.yaml'),
                                  create=True):
            return [host.name for host in cls.choose(
                *([made[name] for name in names] for names in (hosts, peers)))]

    def test_choose(self):
        self.assertEqual(['a1', 'a2'], self._choose(['a1'],
                                                    ['b1', 'a2', 'a3']))
        self.assertEqual(['a1', 'a2', 'a3'],
                         self._choose(['a1', 'a2', 'a3', 'b1'], []))

    def test_nowhere_to_go(self):
        error = self.assertRaises(self.skipException, self._choose, ['a1'],
                                  ['b1'])
        self.assertIn('i.yaml declares no two hosts of one group', str(error))
