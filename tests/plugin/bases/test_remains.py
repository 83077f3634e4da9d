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

"""Tests of what tests assert that look for what servers leave."""

from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.hosts import deleted_files
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import remains
from tests.plugin.bases import cases
from tests.plugin import samples

EMPTY = dict(files={}, processes={}, mappers={}, store=samples.store(
    1024 * samples.MIB, 1024 * samples.MIB, 0))
HELD = dict(EMPTY, store=samples.store(
    1024 * samples.MIB, 1024 * samples.MIB - samples.RAM, 0))


class RemainsTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            base, 'CONF', cases.options()))
        self.store, self.plain = self.hosts = [
            cases.host(declared.name, declared=declared)
            for declared in (samples.FILE_BACKED, samples.PLAIN)]
        self.case = cases.make(base.BaseMemoryTest, hosts=self.hosts,
                               cloud=mock.Mock(), nova=mock.Mock(),
                               services=mock.Mock())
        self.case.cloud.server.side_effect = lambda uuid: cloud.Server(
            uuid, 'SHUTOFF', 'fbm1', 'instance-00000001')
        self.case.servers = [
            servers.RequestedServer(samples.SERVER, 192, host='fbm1')]
        self.remains = remains.Remains(self.case, 0.01)
        self.holders = self.useFixture(fixtures.MockPatchObject(
            deleted_files, 'holders', return_value={})).mock
        self.useFixture(fixtures.MockPatch('time.sleep'))
        self.useFixture(fixtures.MockPatchObject(
            names, 'CONF', mock.Mock(resource_name_prefix='tempest')))
        self._see(self.store, EMPTY)
        self._see(self.plain, EMPTY, store=None)
        self.remains.note_space(self.store)
        self.store.memory_backends.return_value = [samples.backend()]
        self.remains.note_files(self.store)

    def _see(self, host, *answers, **changes):
        host.survey.side_effect = None
        found = [samples.host_survey(**{**answer, **changes})
                 for answer in answers]
        host.survey.side_effect = lambda **_: (
            found.pop(0) if len(found) > 1 else found[0])

    def _fails(self, check, *arguments):
        return str(cases.assert_fails(self, check, *arguments))

    def test_files(self):
        self.assertEqual({'fbm1': [samples.PATH]}, self.remains.paths)
        self.store.memory_backends.assert_called_once_with(samples.SERVER)

    def test_memory_without_a_file(self):
        self.store.memory_backends.return_value = [
            samples.backend(mem_path=None)]
        self.assertIn('host fbm1: memory without a file', self._fails(
            self.remains.note_files, self.store))

    def test_none(self):
        self.remains.check_none(self.store)
        self.store.survey.assert_called_with(
            guests=[samples.SERVER], paths=[samples.PATH])

    def test_soon_none(self):
        self._see(self.store, {}, HELD, EMPTY)
        self.remains._timeout = 10
        self.remains.check_none(self.store)

    def test_file_is_left(self):
        self._see(self.store, EMPTY, files=samples.known_files())
        self.assertIn('files and directories left', self._fails(
            self.remains.check_none, self.store))

    def test_space_is_left(self):
        self._see(self.store, HELD)
        for check in self.remains.check_none, self.remains.check_off:
            self.assertIn('space kept by deleted files', self._fails(
                check, self.store))

    def _others(self, name):
        """Note the space beside a guest of some name."""
        self.store.libvirt.running.return_value = {'other': '1-instance'}
        self.case.nova.on_host.return_value = {'other': name}
        self.remains.note_space(self.store)

    def test_space_beside_guests_of_others(self):
        self._others('database')
        self._see(self.store, HELD)
        for check in self.remains.check_off, self.remains.check_none:
            check(self.store)
            self.assertIn('not judged: guests of others run there, such as '
                          'other', str(self.case._comparisons['fbm1']))

    def test_who_keeps_files_beside_guests_of_others(self):
        self._others('database')
        self.holders.return_value = {samples.PATH: [7]}
        for check, directory in (
                (self.remains.check_off, '[0-9]*-instance-00000001'),
                (self.remains.check_none, '1-instance-00000001')):
            self.assertIn(
                'processes that keep its deleted files: expected {}, kernel '
                "says {'%s': [7]}" % samples.PATH, self._fails(
                    check, self.store))
            [found] = self.holders.call_args.args[1]
            self.assertEqual(directory, found)

    def test_who_keeps_files_is_not_asked_where_space_tells(self):
        self.remains.check_off(self.store)
        self.remains.check_none(self.store)
        self.holders.assert_not_called()

    def test_space_beside_guests_of_tests(self):
        self._others('tempest-mempage-TestOther-server-1')
        self._see(self.store, HELD)
        self.assertIn('space kept by deleted files', self._fails(
            self.remains.check_none, self.store))

    def test_one_look_in_a_bad_moment(self):
        self._see(self.store, HELD, EMPTY)
        self._others('tempest-mempage-TestOther-server-1')
        self._see(self.store, HELD)
        self.assertIn('space kept by deleted files', self._fails(
            self.remains.check_none, self.store))

    def test_what_others_kept_before_does_not_matter(self):
        self._see(self.store, HELD)
        self.remains.note_space(self.store)
        self.remains.check_none(self.store)
        self.remains.check_off(self.store)

    def test_off(self):
        self.remains.check_off(self.store)

    def test_not_off(self):
        self._see(self.store, {})
        error = self._fails(self.remains.check_off, self.store)
        self.assertIn('QEMU processes', error)
        self.assertIn('backing files and directories', error)

    def test_off_where_it_was(self):
        # A server that has moved is on another host.
        self.case.servers[0].host = 'plain1'
        self.remains.check_off(self.store)
        self._see(self.store, {})
        self.assertIn('QEMU processes', self._fails(
            self.remains.check_off, self.store))

    def test_off_without_a_store(self):
        self.remains.check_off(self.plain)

    def test_nowhere_else(self):
        # Where it runs it has memory.
        self._see(self.store, {})
        self.remains.check_nowhere_else()

    def test_somewhere_else(self):
        self._see(self.plain, {}, store=None)
        error = self._fails(self.remains.check_nowhere_else)
        self.assertIn('1 of 2 hosts failed\nplain1: check:', error)
