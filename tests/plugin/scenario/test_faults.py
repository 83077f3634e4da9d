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

"""Tests of what tests of faults make of hosts and guests."""

import dataclasses
import json
import unittest
from unittest import mock

import ddt
import fixtures
from oslotest import base
import testtools

from mempage_tempest_plugin.changes import faulty_store
from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import service_log
from mempage_tempest_plugin.tests.scenario import test_faults
from tests.plugin.bases import cases
from tests.plugin import samples

MIB = samples.MIB


def facts_of(case):
    """List the facts that a case has kept, by name: whether they agree."""
    return {fact['name']: fact['agrees']
            for name, detail in case.getDetails().items()
            if name.startswith('facts')
            for fact in json.loads(b''.join(detail.iter_bytes()))['facts']}


class KilledTest(base.BaseTestCase):

    NAME = 'what the killed guest had in memory is found in'

    def test_next_guest(self):
        for found in ({}, {'file': {'MARK': 1}}):
            case = cases.make(test_faults.TestQemuKilled,
                              'test_killed_and_started', marks={'a': 'MARK'})
            host = cases.host('a')
            host.count_in_files.return_value = found
            if found:
                cases.assert_fails(self, case._check_no_mark, host)
            else:
                case._check_no_mark(host)
            self.assertEqual({self.NAME: not found}, facts_of(case))


class RestartTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case = cases.make(test_faults.TestDaemonsRestarted,
                               'test_libvirt')
        self.useFixture(fixtures.MockPatchObject(
            test_faults, 'NOTICE_TIMEOUT', 0.01))
        self.host = cases.host('fbm1')
        self.host.declared.libvirt_restart = 'systemctl restart libvirtd'
        self.host.declared.libvirt_uri = 'qemu+ssh://fbm1/system'

    def test_libvirt(self):
        with mock.patch('time.sleep'):
            self.host.libvirt.is_cut_off.side_effect = [False, True]
            self.host.libvirt.hostname.side_effect = [
                'fbm1', exceptions.HypervisorError('fbm1', 'refused'), 'fbm1']
            test_faults.NOTICE_TIMEOUT = 10
            self.case._restart_libvirt(self.host)

    def test_another_libvirt_was_restarted(self):
        self.host.libvirt.is_cut_off.return_value = False
        error = self.assertRaises(exceptions.ServiceNotRestarted,
                                  self.case._restart_libvirt, self.host)
        for part in ('host fbm1', 'services.libvirt.restart',
                     'systemctl restart libvirtd', 'qemu+ssh://fbm1/system'):
            self.assertIn(part, str(error))

    def test_nova_compute_that_nobody_sees(self):
        with mock.patch.object(nova_config, 'processes', return_value=[]):
            cases.assert_fails(self, self.case._restart_nova_compute,
                               self.host)


@ddt.ddt
class BrokenStoreTest(base.BaseTestCase):

    def _case(self, method, declared=samples.FILE_BACKED, **attributes):
        case = cases.make(
            test_faults.TestBrokenStore, method,
            hosts=[cases.host('fbm1', declared=declared)],
            inventory=mock.Mock(path='hosts.yaml',
                                limit=lambda seconds: seconds), **attributes)
        self.useFixture(fixtures.MockPatchObject(
            faulty_store, 'FaultyStore', side_effect=AssertionError))
        [case.host] = case.hosts
        return case

    def test_log_that_is_not_declared(self):
        case = self._case('test_read_only_store')
        error = self.assertRaises(unittest.SkipTest,
                                  case.test_read_only_store)
        self.assertIn('hosts.yaml declares no file-backed host whose '
                      'nova-compute logs to a known place '
                      '(services.nova-compute.log or .journal)', str(error))

    @ddt.data('uuid', 'other')
    def test_read_only_store(self, server):
        """The log is about the server: others meet with the same."""
        declared = dataclasses.replace(
            samples.FILE_BACKED, compute_log=inventory.Log(file='x'))
        case = self._case('test_read_only_store', declared=declared,
                          nova=mock.Mock(), cloud=mock.Mock(),
                          flavor={'ram': 64})
        case.host.log = service_log.ServiceLog(case.host.ssh,
                                               declared.compute_log)
        case.host.ssh.execute.return_value.stdout = (
            'ERROR [instance: %s] qemu: Read-only file system\n' % server)
        case.remains = mock.Mock(paths={})
        case._store = mock.Mock()
        case.boot_noted = lambda host: case.servers.append(
            servers.RequestedServer('uuid', 64, host='fbm1', status='ERROR'))
        case.remove = mock.Mock()
        case.cloud.allocated_memory.return_value = {}
        with mock.patch.object(service_log.ServiceLog, 'end',
                               return_value='0'):
            if server == 'uuid':
                case.test_read_only_store()
                self.assertEqual({'status': True,
                                  'why it did not boot': True},
                                 facts_of(case))
                return
            error = cases.assert_fails(self,
                                       case.test_read_only_store)
        self.assertIn('Read-only file system', str(error))

    def test_cache_that_cannot_be_emptied(self):
        case = self._case('test_read_errors_end_the_guest')
        with mock.patch.object(cache, 'unable', return_value='no Python'):
            error = self.assertRaises(unittest.SkipTest,
                                      case.test_read_errors_end_the_guest)
        self.assertIn('host fbm1: no Python', str(error))


class SlowTest(base.BaseTestCase):

    def test_writes_are_not_slow(self):
        case = cases.make(test_faults._BaseBrokenStoreTest,
                          host=cases.host('a'))
        case.store = mock.Mock(**{'time_writing.return_value': 20})
        self.assertIn('milliseconds that a write takes', str(
            cases.assert_fails(
                self,
                test_faults.TestMappedStore.test_writes_are_slow, case)))


class OccupiedTest(base.BaseTestCase):
    """Guests of others lose their memory with the store that it is on."""

    def _case(self, cls, method, **attributes):
        return cases.make(
            cls, method, host=cases.host('a'), flavor={'ram': 100},
            nova=mock.Mock(**{'on_host.return_value': {'u': 'database'}}),
            **attributes)

    def test_no_store_is_put_in_place(self):
        store = mock.Mock()
        case = self._case(test_faults.TestThinStore, 'test_pool_is_full')
        self.assertRaises(unittest.SkipTest, case.put_in_place, store)
        store.setUp.assert_not_called()

    def test_no_store_is_filled(self):
        case = self._case(
            test_faults.TestFullStore, 'test_memory_given_back_is_gone')
        for name in ('boot_reachable', 'enter', 'skip_unless_asked',
                     '_wait_until_given_back'):
            self.useFixture(fixtures.MockPatchObject(case, name))
        case.host.memory_backends.return_value = [mock.Mock()]
        with mock.patch.object(foreign_data, 'ForeignData') as fill:
            # Not what utils.services makes of it.
            error = self.assertRaises(
                unittest.SkipTest,
                type(case).test_memory_given_back_is_gone.__wrapped__, case)
        self.assertIn('1 are there', str(error))
        fill.assert_not_called()


class GivenBackTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.host = cases.host('a')
        self.case = cases.make(
            test_faults.TestFullStore, 'test_memory_given_back_is_gone',
            host=self.host, flavor={'ram': 100})
        self.useFixture(fixtures.MockPatchObject(
            test_faults, 'NOTICE_TIMEOUT', 0.01))

    def _see(self, allocated_mib):
        found = mock.Mock(spec=files.File, size=100 * MIB,
                          allocated=allocated_mib * MIB)
        self.host.survey.return_value.files = {'ram': found}

    def test_given_back(self):
        self._see(40)
        self.case._wait_until_given_back('ram')

    def test_not_given_back(self):
        self._see(100)
        error = str(cases.assert_fails(
            self, self.case._wait_until_given_back, 'ram'))
        self.assertIn('though Nova asks it to give back what is free', error)

    def test_not_asked(self):
        server = servers.RequestedServer('uuid', 100)
        self.host.memory_backing.return_value.free_page_reporting = False
        self.assertIn('which Nova asks for since 32', str(self.assertRaises(
            testtools.TestCase.skipException, self.case.skip_unless_asked,
            self.host, server)))
        self.host.memory_backing.return_value.free_page_reporting = True
        self.case.skip_unless_asked(self.host, server)
