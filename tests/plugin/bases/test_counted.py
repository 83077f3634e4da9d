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

"""Tests of the wait for pages of guests that are gone."""

import types
from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import counted
from mempage_tempest_plugin.tests.bases import leased
from tests.plugin.bases import cases
from tests.plugin import samples


class WaitTest(test_base.BaseTestCase):
    """512 MiB are reserved, and placement has handed out 256 on each host."""

    def setUp(self):
        super().setUp()
        self.slept = self.useFixture(fixtures.MockPatch('time.sleep')).mock
        log = self.useFixture(fixtures.FakeLogger())
        self.warned = lambda: log.output
        self.cloud = mock.Mock()
        self.cloud.provider.return_value = types.SimpleNamespace(
            memory_reserved=512)
        self.cloud.used_memory.return_value = 256
        self.services = mock.Mock()

    def _wait(self, declared, *used):
        self.services.used_memory.side_effect = [*used, AssertionError]
        counted.wait_for_pages(types.SimpleNamespace(
            hosts=[cases.host('a', declared=declared)], cloud=self.cloud,
            services=self.services), 0.01)

    def test_a_guest_that_was_moved_there_counts_still(self):
        self._wait(samples.LARGE_PAGE, 1024, 1024, 768)
        self.assertEqual(2, self.slept.call_count)

    def test_others_that_were_given_memory_right_now(self):
        self._wait(samples.LARGE_PAGE, 512)
        self.slept.assert_not_called()

    def test_hosts_without_large_pages_are_not_asked(self):
        self._wait(samples.FILE_BACKED)
        self.services.used_memory.assert_not_called()

    def test_it_is_no_failure(self):
        with mock.patch('tempest.lib.common.utils.test_utils.'
                        'call_until_true', return_value=False) as until:
            self._wait(samples.LARGE_PAGE)
        self.assertEqual(0.01, until.call_args.args[1])
        self.assertIn('a still takes more memory', self.warned())


class BaseMemoryTestTest(test_base.BaseTestCase):
    """Who takes pages waits, others do not."""

    def test_setup(self):
        wait = self.useFixture(fixtures.MockPatchObject(
            counted, 'wait_for_pages')).mock
        for pools, calls in ((None, 0), (leased.COUNTS, 0),
                             (leased.TAKES, 1)):
            with mock.patch.object(base.BaseMemoryTest, 'pools', pools):
                cases.make(base.BaseMemoryTest)
            self.assertEqual(calls, wait.call_count, pools)
