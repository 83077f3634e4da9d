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

"""Drills of what Nova, libvirt and placement are told."""

from mempage_lab import controller
from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_lab.drills import told
from mempage_tempest_plugin.declared import which

DRILLS = {
    'option-off': drill.file_backed(
        what='file_backed_memory is not set on one host',
        fault=drill.nova('file_backed_memory', None),
        words=drill.first('source: expected file, libvirt says none')),
    'option-on': drill.plain(
        what='file_backed_memory is set on a host that is not file-backed',
        fault=faults.Options({
            ('libvirt', 'file_backed_memory'): '1024',
            ('DEFAULT', 'reserved_host_memory_mb'): '0',
            ('DEFAULT', 'ram_allocation_ratio'): '1.0'}),
        words=drill.first('source: expected none, libvirt says file')),
    'capacity-misreported': drill.file_backed(
        what='file_backed_memory is half of what is declared',
        fault=drill.nova('file_backed_memory', '512'),
        tests=drill.CAPACITY_TEST,
        words='MEMORY_MB total: expected 1024, placement says 512'),
    'page-sizes-option-off': drill.large_page(
        what='allowed_memory_pagesize is not set on one host',
        fault=drill.nova('allowed_memory_pagesize', None),
        tests=drill.ALLOWED_TESTS,
        caught_by=r'\.test_mp1',
        words=r'\[2048\] != \[4, 2048\]: host huge1 must allow large'),
    'page-sizes-widened': drill.Drill(
        what='allowed_memory_pagesize is any where only small is declared',
        where=drill.SMALL_ONLY,
        fault=drill.nova('allowed_memory_pagesize', 'any'),
        tests=drill.ALLOWED_TESTS,
        caught_by=r'\.test_mp1',
        words='host small1 must allow small, and reports other page sizes'),
    'pages-counted-twice': drill.large_page(
        what='reserved_huge_pages is not set: a host takes all pages for its '
             'own',
        fault=drill.nova('reserved_huge_pages', None, 'DEFAULT'),
        tests=drill.FILL_TEST,
        words='had to refuse .* hands out more memory'),
    'memory-counted-twice': drill.Drill(
        what='reserved_host_memory_mb is forgotten where the memory of pools '
             'was to be kept back',
        where=which.pools_kept_back,
        fault=drill.nova('reserved_host_memory_mb', None, 'DEFAULT'),
        tests=r'TestPlainBesidePool\.test_memory_of_pools',
        words=r'expected at most \d+, Nova says \d+: the pools have'),
    'stock-driver': drill.large_page(
        what="Nova's own driver is back, and the traits of ours stay",
        fault=drill.nova('compute_driver', 'libvirt.LibvirtDriver',
                         'DEFAULT'),
        tests=drill.ALLOWED_TESTS,
        caught_by=r'\.test_mp4',
        words='page size small: .* runs on huge1 with page size 4;',
        unsaid='reports other page sizes'),
    'directory-elsewhere': drill.file_backed(
        what='memory_backing_dir is another directory',
        fault=faults.Setting('memory_backing_dir = "%s"' % drill.ELSEWHERE),
        words=drill.first(r'pc\.ram: mem-path: expected below %s, QEMU says %s'
                          % (drill.STORE, drill.ELSEWHERE))),
    'destination-full': drill.plain(
        what='a host has no memory to hand out: it refuses all guests',
        fault=drill.nova('ram_allocation_ratio', '0.0001', 'DEFAULT'),
        tests=drill.PLAIN_CAPACITY_TEST,
        words=r'by its ratio: expected at least \d+, placement says \d\b'),
    'refused-for-another-reason': drill.plain(
        # Guests without a system ask for no disk.
        what='a host that has no pages for guests has no CPUs for them either',
        fault=drill.nova('cpu_allocation_ratio', '0.0001', 'DEFAULT'),
        tests=r'TestColdMigrationWithoutPages\.test_refused',
        words='servers that ask for no page size'),
    'host-disabled': drill.file_backed(
        what='somebody has disabled a host, and forgotten it',
        fault=told.Told(told.disable, told.enable),
        tests=drill.CAPACITY_TEST,
        words='COMPUTE_STATUS_DISABLED: expected no, placement says yes'),
    'ratio-told-to-placement': drill.file_backed(
        what='placement was told to hand out sixteen times the memory',
        fault=told.Told(told.inventory(allocation_ratio=16.0),
                        told.inventory(allocation_ratio=1.0)),
        tests=drill.CAPACITY_TEST,
        words='allocation ratio: expected 1.0, placement says 16.0'),
    'inventory-stale': drill.file_backed(
        what='placement has the capacity that a host had before',
        fault=told.Told(told.inventory(total=768, max_unit=768),
                        told.inventory(total=1024, max_unit=1024)),
        tests=drill.CAPACITY_TEST,
        words='MEMORY_MB total: expected 1024, placement says 768'),
    'trait-stale': drill.large_page(
        what='placement has the trait of a page size that is not for guests',
        fault=told.Told(*told.trait('CUSTOM_MEMORY_PAGE_SIZE_64')),
        tests=drill.ALLOWED_TESTS + 'test_mp1',
        words=r'\[2048\] != \[64, 2048\]: host huge1 must allow large'),
    'filter-off': drill.Drill(
        what='the scheduler does not use AggregateMemoryBackingFilter',
        where=controller.NAME,
        fault=faults.Options(
            {('filter_scheduler', 'enabled_filters'): ','.join(
                controller.SCHEDULER_FILTERS)},
            programs=('nova-scheduler',)),
        tests=r'TestAggregateMemoryBacking\.test_amb2',
        words='page size large: .* runs on .* with page size 2048; .*: none, '
              r"or else these faults: \['No valid host was found.'\]"),
    'numa-filter-off': drill.Drill(
        what='the scheduler does not use NUMATopologyFilter',
        where=controller.NAME,
        fault=faults.Options(
            {('filter_scheduler', 'enabled_filters'): ','.join(
                name for name in (*controller.SCHEDULER_FILTERS,
                                  *controller.EXTENSION_FILTERS)
                if name != 'NUMATopologyFilter')},
            programs=('nova-scheduler',)),
        tests=r'TestPageSizeOnHost\.test_request_._2048',
        words='is ERROR: .*(retries|cannot fit).*; allowed are these hosts'),
    'isolation-off': drill.Drill(
        what='the scheduler does not isolate aggregates',
        where=controller.NAME,
        fault=faults.Options(
            {('scheduler', 'enable_isolated_aggregate_filtering'): 'false'},
            programs=('nova-scheduler',)),
        tests=r'TestIsolatedAggregates\.',
        words='AssertionError: server .* runs on (fbm1|huge1) .*: none, or '
              r"else these faults: \['No valid host was found.'\]"),
    'migration-guard-removed': drill.plain(
        what='mixed live migrations are not refused before they begin',
        fault=drill.nova('refuse_mixed_live_migration', 'False'),
        tests=r'TestOrdinaryToFileBacked\.',
        words=r'to fbm\d was not refused before it began'),
    'live-migration-impossible': drill.file_backed(
        what='nova-compute asks a port for live migrations where nobody is',
        fault=drill.nova('live_migration_uri', 'qemu+tcp://%s:9/system'),
        tests=r'TestLiveMigrationWithoutCheck\.test_from_file',
        words='reason why libvirt did not migrate it: expected .* says '
              '.*onnection refused'),
    'live-migration-to-itself': drill.file_backed(
        what='hosts tell each other to send guests to 127.0.0.1',
        where=which.file_backed, everywhere=True,
        fault=drill.nova('live_migration_inbound_addr', '127.0.0.1'),
        tests=drill.ROUND_TRIP_TEST,
        words='127.0.0.1|to the same host'),
}
