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

"""Tests of what is said of memory that pools have."""

import dataclasses
from unittest import mock

import fixtures
from oslotest import base
import testtools

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.tests.api import test_plain
from tests.plugin.bases import cases
from tests.plugin import samples


class HandedOutTest(base.BaseTestCase):

    def _check(self, *promised):
        case = cases.make(
            test_plain.TestPlainBesidePool, cloud=mock.Mock(),
            inventory=mock.Mock(path='hosts.yaml'), hosts=[
                cases.host('h%d' % number, declared=dataclasses.replace(
                    samples.LARGE_PAGE, memory_mb_without_pools=each))
                for number, each in enumerate(promised)])
        for host in case.hosts:
            host.survey.return_value = samples.host_survey()
        case.cloud.provider.return_value = samples.provider(
            memory_total=8000, memory_reserved=self.reserved)
        case.test_memory_of_pools_is_handed_out()

    def test_nobody_promises(self):
        self.reserved = 0
        error = str(self.assertRaises(testtools.TestCase.skipException,
                                      self._check, False))
        self.assertIn('hosts.yaml has memory_mb_without_pools', error)
        self.assertIn('hands them out once more', error)

    def test_promised(self):
        self.reserved = 512
        self._check(True, False)

    def test_promise_is_broken(self):
        self.reserved = 511
        cases.assert_fails(self, self._check, True, False)


class NodeBesidePoolTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatch(
            'mempage_tempest_plugin.evidence.ordinary_memory.'
            'beyond_small_pages', return_value=6000))
        self.used = [0, 0]
        self.server = servers.RequestedServer(
            'uuid', 6000, host='h', status='ERROR',
            fault='No valid host was found. Not enough hosts')
        self.case = cases.make(
            test_plain.TestNodeBesidePool, cloud=mock.Mock(), nova=mock.Mock(),
            boot=mock.Mock(return_value=self.server),
            create_flavor=mock.Mock())
        self.case.cloud.provider.return_value = samples.provider(
            memory_total=8000, memory_reserved=0)
        self.case.cloud.used_memory.side_effect = lambda host: self.used.pop()

    def _check(self):
        self.case._check_refused(cases.host('h'))

    def test_refused(self):
        self._check()
        self.assertEqual([], self.used)

    def test_taken(self):
        self.server.status, self.server.fault = 'ACTIVE', ''
        cases.assert_fails(self, self._check)

    def test_refused_where_the_pages_were_to_be(self):
        self.server.fault = 'Exceeded maximum number of retries.'
        cases.assert_fails(self, self._check)

    def test_others_have_taken_the_room_meanwhile(self):
        """Then placement has refused it, and nobody looked at the node"""
        self.used = [2001, 0]
        error = self.assertRaises(testtools.TestCase.skipException,
                                  self._check)
        self.assertIn('it has 5999 MiB for guests on host h', str(error))
