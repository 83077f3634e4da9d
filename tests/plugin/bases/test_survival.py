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


"""Tests of what tests assert of memory over operations."""

from unittest import mock

import fixtures
from oslo_utils import units
from oslotest import base as test_base

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.evidence import fates
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import steps
from mempage_tempest_plugin.tests.bases import survival
from tests.plugin.bases import cases

RAM_MIB = 64


class SurvivalTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.host = cases.host('a')
        self.case = cases.make(base.BaseMemoryTest, hosts=[self.host])
        self.case.servers = [servers.RequestedServer('uuid', RAM_MIB,
                                                     host='a')]
        self.life = 0
        self.memory = {}
        self.useFixture(fixtures.MockPatchObject(
            fates, 'look', lambda host, guest: fates.Memory(
                [self.life], [('/file/%d' % self.life, self.life)])))
        self.host.write_memory = self._write
        self.host.read_memory = lambda guest, offset, size: self.memory.get(
            offset, b'').ljust(size, b'\0')[:size]
        self.host.count_in_memory = lambda pid, paths, patterns: {
            path: {pattern: 1 for pattern in patterns} for path in paths
            if patterns[0].encode() in self.memory.values()}
        self.host.count_in_files = mock.Mock(return_value={})
        self.survival = survival.Survival(self.case)

    def _write(self, guest, offset, data):
        self.memory[offset] = data.encode()

    def _boot_anew(self, keep=False):
        self.life += 1
        if not keep:
            self.memory.clear()

    def _check(self, fate):
        self.survival.check('an operation', fate)(self.host)

    def _refuses(self, fate):
        return str(cases.assert_fails(self, self._check, fate))

    def test_mark_is_in_the_middle(self):
        self.survival.mark(self.host)
        self.assertEqual([RAM_MIB * units.Mi // 2], list(self.memory))

    def test_mark_that_is_not_found(self):
        self.host.count_in_memory = lambda *arguments: {}
        cases.assert_fails(self, self.survival.mark, self.host)

    def test_kept(self):
        self.survival.mark(self.host)
        self._check(fates.KEPT)
        self._boot_anew(keep=True)
        self.assertIn('QEMU processes: expected', self._refuses(fates.KEPT))

    def test_restored(self):
        self.survival.mark(self.host)
        self._boot_anew(keep=True)
        self._check(fates.RESTORED)
        self._boot_anew()
        self.assertIn('what was written into the memory: expected MARK-',
                      self._refuses(fates.RESTORED))

    def test_new(self):
        self.survival.mark(self.host)
        self._boot_anew()
        self._check(fates.NEW)
        # It has another mark now.
        self.assertNotEqual({}, self.memory)
        self._boot_anew(keep=True)
        self.assertIn('is found in: expected {}', self._refuses(fates.NEW))

    def test_left_in_the_store(self):
        self.survival.mark(self.host)
        self._boot_anew()
        self.host.count_in_files.side_effect = lambda patterns, guests: {
            '/store/left': {patterns[0]: 3}}
        self.assertIn('/store/left', self._refuses(fates.NEW))

    def test_nothing_happened(self):
        self.survival.mark(self.host)
        self.memory.clear()
        self.assertIn('expected some, but none of', self._refuses(fates.NEW))

    def test_without_mark(self):
        self.survival.note(self.host)
        self._boot_anew()
        self._check(fates.NEW)
        self.assertEqual({}, self.memory)

    def test_steps(self):
        self.assertEqual(
            [[], ['memory after start_server']],
            [[each.__name__ for each in self.survival.checks(step)]
             for step in steps.OPERATIONS['stop_start'].steps])
