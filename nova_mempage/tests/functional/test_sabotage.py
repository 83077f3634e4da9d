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

"""The wrong ways to do it, and that the tests notice them."""

import unittest
from unittest import mock

import ddt
from nova import exception
from nova.virt.libvirt import driver as libvirt_driver
import testtools

from tests.functional import test_filter
from tests.functional import test_guests_without_page_size
from tests.functional import test_page_size_filter
from tests.functional import test_spec
from tests.functional import test_start


def remove(cells, allowed):
    """Remove page sizes instead of reporting none of them."""
    for cell in cells:
        smallest = min(page.size_kb for page in cell.mempages)
        cell.mempages = [page for page in cell.mempages
                         if allowed.allows(page.size_kb, smallest)]


def guard_xml(self, context, instance, *args, **kwargs):
    """Refuse guests when their XML is written, as it is for a reboot."""
    if self.page_size_refusal(instance.numa_topology):
        raise exception.MemoryPagesUnsupported()
    return libvirt_driver.LibvirtDriver._get_guest_xml(
        self, context, instance, *args, **kwargs)


@ddt.ddt
class SabotageTest(unittest.TestCase):

    @ddt.unpack
    @ddt.named_data(
        ('removal_is_seen_in_the_report',
         'nova_mempage.pages.withhold', remove,
         test_spec.AllowedMemoryPagesizeTest,
         'test_reported_03_large_reports_2m_and_1g_only'),
        ('removal_is_seen_in_the_guest',
         'nova_mempage.pages.withhold', remove,
         test_spec.AllowedMemoryPagesizeTest,
         'test_large_guest_runs_on_hugepages'),
        ('filter_that_passes_all',
         'nova_mempage.filters.AggregateMemoryBackingFilter._passes',
         lambda *args: True,
         test_filter.AggregateMemoryBackingFilterTest,
         'test_scheduled_06_large_refuses_plain'),
        ('guard_that_bricks_a_reboot',
         'nova_mempage.driver.LibvirtDriver._get_guest_xml', guard_xml,
         test_guests_without_page_size.LeftAloneTest, 'test_hard_reboot'),
        ('no_guard_at_all',
         'nova_mempage.driver.LibvirtDriver.page_size_refusal',
         lambda *args: None,
         test_guests_without_page_size.RefusedTest,
         'test_boot_goes_on_to_the_next_host'),
        ('refusal_without_rollback',
         'nova_mempage.claims._WITH_ROLLBACK', (),
         test_guests_without_page_size.RefusedTest,
         'test_cold_migration_leaves_the_server_running'),
        ('refusal_that_counts_as_a_failed_build',
         'nova_mempage.claims.PageSizeNotAllowed',
         exception.ComputeResourcesUnavailable,
         test_guests_without_page_size.RefusedTest,
         'test_refused_boot_is_no_failed_build'),
        ('page_size_filter_that_passes_all',
         'nova_mempage.filters.MemoryPageSizeFilter._passes',
         lambda *args: True, test_page_size_filter.FilterOnlyTest,
         'test_no_claim_is_refused'),
        ('pre_filter_that_forbids_nothing',
         'nova_mempage.prefilter._is_known', lambda trait: False,
         test_page_size_filter.PreFilterTest,
         'test_placement_leaves_it_out'),
        ('traits_that_stay',
         'nova_mempage.report.is_ours', lambda trait: False,
         test_start.TraitsTest,
         'test_what_the_host_does_not_know_any_more_is_withdrawn'))
    def test_goes_red(self, target, wrong, test_class, name):
        result = testtools.TestResult()
        with mock.patch(target, wrong):
            test_class(name).run(result)
        self.assertEqual(1, result.testsRun)
        self.assertEqual([], result.errors)
        self.assertTrue(result.failures)
