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


"""MemoryPageSizeFilter and its pre-filter in the real scheduler."""

from unittest import mock

from nova_mempage import placement
from nova_mempage import policy
from nova_mempage import report
from tests.functional import base


class PageSizeFilterTestCase(base.TestCase):
    """More hosts that refuse a guest than Nova tries, and one that does not.

    max_attempts is 3, and the refusing hosts are tried first.
    """

    WEIGHTS = {'first': 100, 'second': 90, 'third': 80, 'fourth': 10}

    def setUp(self):
        super().setUp()
        for name in ('first', 'second', 'third'):
            self.start_large_only_host(name)
        self.start_host('fourth')

    def assert_no_claim_was_refused(self):
        self.assertNotIn('Failed to claim', self.log())


class FilterOnlyTest(PageSizeFilterTestCase):
    """Placement does not know the hosts' traits yet."""

    def setUp(self):
        super().setUp()
        self.useFixture(base.fixtures.MockPatch(
            'nova_mempage.placement.create',
            side_effect=placement.PlacementError('PUT /traits: no answer')))

    def test_no_claim_is_refused(self):
        server = self.boot()
        self.assertEqual('fourth', self.host_of(server))
        self.assert_no_claim_was_refused()
        self.assertIn('are left to MemoryPageSizeFilter: PUT /traits: no',
                      self.log())
        self.assertEqual('first', self.host_of(self.boot('2048')))


class PreFilterTest(PageSizeFilterTestCase):

    def test_placement_leaves_it_out(self):
        """The filter itself gets to see the other host only."""
        with mock.patch('nova_mempage.filters.MemoryPageSizeFilter._passes',
                        return_value=True) as passes:
            server = self.boot()
        self.assertEqual('fourth', self.host_of(server))
        self.assertEqual(['fourth'], [
            call.args[0].host for call in passes.call_args_list])

    def test_moves_go_straight_to_the_next_host(self):
        self.start_host('fifth')
        server = self.boot()
        self._migrate_server(server)
        self.assertEqual('fifth', self.host_of(server))
        self._confirm_resize(server)
        server = self._shelve_server(server)
        server = self._unshelve_server(server)
        host = self.host_of(server)
        self.assertIn(host, ('fourth', 'fifth'))
        self.take_down(host)
        self._evacuate_server(
            server, expected_state='SHUTOFF',
            expected_host='fifth' if host == 'fourth' else 'fourth')
        self.assert_no_claim_was_refused()

    def test_nobody_fits(self):
        server = self.boot(host='fourth')
        self.take_down('fourth')
        self.boot(expected_state='ERROR')
        self.assert_no_claim_was_refused()
        self._delete_server(server)

    def test_rebuild_in_place(self):
        server = self.boot()
        self.allow('large')
        self.restart_compute_service('fourth')
        self._rebuild_server(server, self.glance.image2['id'])


class FileBackedHostTestCase(base.TestCase):
    """A file-backed host, which is tried first, and one that is not."""

    def setUp(self):
        super().setUp()
        self.flags(ram_allocation_ratio=1.0, reserved_host_memory_mb=0)
        self.set_file_backed(True)
        self.start_host('first')
        self.set_file_backed(False)
        self.start_host('second')


class FileBackedHostTest(FileBackedHostTestCase):

    def test_guests_with_page_sizes_go_elsewhere(self):
        for page_size in ('small', '2048'):
            self.assertEqual('second', self.host_of(self.boot(page_size)))
        self.assertNotIn('Failed to claim', self.log())
        self.assertEqual({report.REFUSED}, self.traits_of('first'))
        self.assertEqual('first', self.host_of(self.boot()))

    def test_pre_filters_hold_for_forced_hosts(self):
        server = self.boot('2048', host='first', expected_state='ERROR')
        self.assertIn('No valid host', self.fault_of(server))


class FileBackedHostUnfilteredTest(FileBackedHostTestCase):

    ADDITIONAL_FILTERS = []

    def test_boot_goes_on_to_the_next_host(self):
        self.assertEqual('second', self.host_of(self.boot('2048')))
        self.assertEqual(
            1, self.log().count('Failed to claim: ' + policy.PAGE_SIZE))

    def test_boot_on_this_host_only_says_why(self):
        server = self.boot('2048', host='first', expected_state='ERROR')
        self.assertIn(policy.PAGE_SIZE, self.fault_of(server))
