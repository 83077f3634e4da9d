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

"""Drills of bugs in Nova and in its extension."""

from mempage_lab import controller
from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_tempest_plugin.declared import which

HARDWARE = 'nova/virt/hardware.py'
HOST = 'nova/virt/libvirt/host.py'
OUR_FILTER = 'nova_mempage/filters.py'
OUR_POLICY = 'nova_mempage/policy.py'
OUR_REPORT = 'nova_mempage/report.py'
API = ('nova-api',)
SCHEDULER = ('nova-scheduler',)
# Nova has the last word on traits of what a driver can do.
SUPPORTS = "'supports_mem_backing_file': "
SUPPORTED = 'self._host.supports_mem_backing_file'
START_TESTS = r'TestFileBackedGuards\.'
CONFLICT_TESTS = r'TestFileBackedConflicts\.'
FILTER_TESTS = r'TestAggregateMemoryBacking\.'

DRILLS = {
    # What nova-compute asks libvirt for.
    'access-private': drill.file_backed(
        what='Nova asks for private access',
        fault=faults.Source(drill.DRIVER, 'membacking.sharedaccess = True',
                            'membacking.sharedaccess = False'),
        words=drill.first('access: expected shared, libvirt says none')),
    'allocation-on-demand': drill.file_backed(
        what='Nova does not ask for allocation at once',
        fault=faults.Source(drill.DRIVER,
                            'membacking.allocateimmediate = True',
                            'membacking.allocateimmediate = False'),
        words=drill.first('allocation: expected immediate, libvirt says ')),
    'no-discard': drill.file_backed(
        what='Nova does not ask to discard the contents',
        fault=faults.Source(drill.DRIVER, 'membacking.discard = True',
                            'membacking.discard = False'),
        words=drill.first('discard: expected yes, libvirt says no')),
    'large-pages-not-asked-for': drill.large_page(
        what='Nova takes large pages off the books, and asks for none',
        fault=faults.Source(drill.DRIVER, 'membacking.hugepages = pages',
                            'pass'),
        words=drill.first('hugepages, KiB: expected 2048, libvirt says none')),
    'memory-less-than-flavor': drill.file_backed(
        what='guests get less RAM than their flavors have',
        fault=faults.Source(
            drill.DRIVER, 'guest.memory = flavor.memory_mb * units.Ki',
            'guest.memory = (flavor.memory_mb - 4) * units.Ki'),
        words=drill.first(r'memory, MiB: expected (\d+), libvirt says '
                          r'(?!\1\b)')),
    # What nova-compute reports.
    'ratio-wrong': drill.file_backed(
        what='Nova reports an allocation ratio of 1.5',
        fault=faults.Source(drill.DRIVER,
                            "'allocation_ratio': ratios[orc.MEMORY_MB],",
                            "'allocation_ratio': 1.5,"),
        tests=drill.CAPACITY_TEST,
        words='allocation ratio: expected 1.0, placement says 1.5'),
    'memory-reserved': drill.file_backed(
        what='Nova reserves a part of the capacity',
        fault=faults.Source(drill.DRIVER,
                            "'reserved': CONF.reserved_host_memory_mb,",
                            "'reserved': 128,"),
        tests=drill.CAPACITY_TEST,
        words='reserved: expected 0, placement says 128'),
    'trait-missing': drill.file_backed(
        what='a file-backed host does not report COMPUTE_MEM_BACKING_FILE',
        fault=faults.Source(drill.DRIVER, SUPPORTS + SUPPORTED,
                            SUPPORTS + 'False'),
        tests=drill.CAPACITY_TEST,
        words='COMPUTE_MEM_BACKING_FILE: expected yes, placement says no',
        unsaid='MEMORY_MB total: expected'),
    'trait-of-another': drill.plain(
        what='a host with ordinary memory reports COMPUTE_MEM_BACKING_FILE',
        fault=faults.Source(drill.DRIVER, SUPPORTS + SUPPORTED,
                            SUPPORTS + 'True'),
        tests=r'TestTraitsInFlavors\.test_required_1_file',
        words='AssertionError: server .* runs on plain1 with page size None; '
              '.*: none, or else these faults'),
    'page-size-traits-missing': drill.large_page(
        what='the driver does not report page sizes as traits',
        fault=faults.Source(OUR_REPORT, 'pages.usable_sizes(cells)', '()'),
        tests=drill.ALLOWED_TESTS + 'test_mp1',
        words=r'\[2048\] != \[\]: host huge1 must allow large'),
    'refusal-traits-missing': drill.file_backed(
        what='the driver does not report that it refuses page sizes',
        fault=faults.Source(OUR_REPORT, '        names.add(REFUSED)\n',
                            '        pass\n'),
        tests=drill.CAPACITY_TEST,
        words='check_capacity: [^:]*: traits of what the host refuses: '
              'expected .*REFUSED, placement says none'),
    'page-sizes-removed': drill.large_page(
        what='the driver removes page sizes instead of zeroing them',
        fault=faults.Source(
            drill.OUR_DRIVER, 'pages.withhold(topology.cells, self._allowed)',
            'for cell in topology.cells:\n'
            '                cell.mempages = [page for page in cell.mempages '
            'if page.size_kb != 4]'),
        tests=drill.ALLOWED_TESTS,
        caught_by=r'\.test_mp4',
        words='page size small: .* runs on .* with page size 2048'),
    # Whom nova-compute takes.
    'page-sizes-not-withheld': drill.Drill(
        what='the driver reports what is allowed, and hands out all pages',
        where=drill.SMALL_ONLY,
        fault=faults.Source(
            drill.OUR_DRIVER, 'pages.withhold(topology.cells, self._allowed)',
            'if "tree" in __import__("sys")._getframe(1).f_code.co_name:\n'
            '                pages.withhold(topology.cells, self._allowed)'),
        tests=drill.ALLOWED_TESTS,
        caught_by=r'\.test_mp[23]',
        words='page size 2048: .* runs on small1 with page size 2048',
        unsaid='reports other page sizes'),
    'guard-removed': drill.large_page(
        what='a host takes guests without page size though only large is '
             'allowed',
        fault=faults.Source(
            OUR_POLICY, 'return NO_PAGE_SIZE if self.no_page_size else None',
            'return None'),
        tests=drill.ALLOWED_TESTS,
        caught_by=r'\.test_mp[47]',
        words='page size not set: .* runs on huge1 with page size None;',
        unsaid='page size small'),
    'move-guard-removed': drill.large_page(
        what='guests without page size may move, running, to where only '
             'large is allowed',
        fault=faults.Source(
            drill.OUR_DRIVER,
            'reason = self.page_size_refusal(instance.numa_topology)',
            'reason = None'),
        tests=r'TestNoPageSizeForced\.',
        words=r'to huge\d was not refused before it began'),
    'page-sizes-in-files': drill.file_backed(
        what='the driver takes guests with page sizes for file-backed hosts',
        fault=faults.Source(
            OUR_POLICY, 'return PAGE_SIZE if self.page_size else None',
            'return None'),
        tests=CONFLICT_TESTS + 'test_page_sizes',
        words='why the server was refused: expected one of: guests that ask '
              'for a .* nova says Host does not support guests with custom '
              'memory page sizes'),
    'start-guard-removed': drill.file_backed(
        what='nova-compute starts with any allocation ratio',
        fault=faults.Source(HOST, 'if CONF.ram_allocation_ratio != 1.0:',
                            'if False:'),
        tests=START_TESTS,
        caught_by=r'test_refused_._ratio',
        words='expected to refuse to start and to log .*ram_allocation_ratio'),
    'reserved-guard-removed': drill.file_backed(
        what='nova-compute starts with reserved memory',
        fault=faults.Source(HOST, 'if CONF.reserved_host_memory_mb:',
                            'if False:'),
        tests=START_TESTS,
        caught_by=r'test_refused_._reserved',
        words='expected to refuse to start and to log .is not compatible'),
    'pages-guard-removed': drill.Drill(
        what='nova-compute starts with page sizes that its host does not know',
        where=which.with_pool & ~which.file_backed,
        fault=faults.Source(
            drill.OUR_DRIVER,
            'if cells and not pages.allowed_sizes(cells, self._allowed):',
            'if False:'),
        tests=r'TestAllowedPageSizesChanged\.test_refused_size',
        words='expected to refuse to start and to log .this host knows no '
              'such pages'),
    # What the API takes.
    'image-page-size-passes': drill.Drill(
        what='the API lets an image ask for another page size than its flavor',
        where=controller.NAME,
        fault=faults.Source(HARDWARE, '    elif image_request:\n',
                            '    elif False:\n', API),
        tests=r'TestPageSizeOfImage\.',
        words="page size 'small' in the flavor, .* in the image: refused: "
              'expected Page size'),
    'page-size-unit-ignored': drill.Drill(
        what='the API does not heed the unit of a page size',
        where=controller.NAME,
        fault=faults.Source(
            HARDWARE, '                request, return_int=True) / units.Ki\n'
            '        except ValueError:',
            '                request, return_int=True) // units.Mi\n'
            '        except ValueError:', API),
        tests=r'TestPageSizeSpelling\.',
        words=r'or as the number of a word: expected (\S+), nova says '
              r'(?!\1\b)'),
    'extra-spec-not-validated': drill.Drill(
        what='a flavor may ask for a page size that makes no sense',
        where=controller.NAME,
        fault=faults.Source(
            'nova/api/validation/extra_specs/hw.py',
            r"r'(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)'", "r'.*'", API),
        tests=r'TestPageSizeSpelling\.',
        words='refused: expected Validation failed.*, nova says set'),
    # What the scheduler does.
    'memory-half-claimed': drill.Drill(
        what='the scheduler claims half of the RAM in placement',
        where=controller.NAME,
        fault=faults.Source(
            'nova/scheduler/utils.py',
            'res_req._add_resource(orc.MEMORY_MB, request_spec.memory_mb)',
            'res_req._add_resource(orc.MEMORY_MB, '
            'request_spec.memory_mb // 2)', SCHEDULER),
        tests=drill.MEMORY_TEST,
        words=drill.first(r'MEMORY_MB allocated: expected (\d+), placement '
                          r'says (?!\1\b)')),
    'filter-passes-nothing': drill.Drill(
        what='AggregateMemoryBackingFilter passes no host of an aggregate',
        where=controller.NAME,
        fault=faults.Source(OUR_FILTER, '        allowed = _union(values)\n',
                            '        return False\n', SCHEDULER),
        tests=FILTER_TESTS + r'test_amb[16]',
        words='is ERROR: No valid host.*; allowed are these hosts with these '
              "page sizes in KiB: {'"),
    'filter-heeds-one-aggregate': drill.Drill(
        what='AggregateMemoryBackingFilter heeds one of several aggregates',
        where=controller.NAME,
        fault=faults.Source(
            OUR_FILTER, '    parsed = [_parse(value) for value in values]\n',
            '    parsed = [_parse(value) for value in sorted(values)[:1]]\n',
            SCHEDULER),
        tests=FILTER_TESTS + r'test_(amb3|amb4_several)',
        words='MemoryBacking = small and large and nothing',
        unsaid='MemoryBacking = large;'),
    'filter-passes-nonsense': drill.Drill(
        what='AggregateMemoryBackingFilter passes what it cannot understand',
        where=controller.NAME,
        fault=faults.Source(
            OUR_FILTER,
            '            self._report(host_state.aggregates)\n'
            '            return False\n',
            '            self._report(host_state.aggregates)\n'
            '            return True\n', SCHEDULER),
        tests=FILTER_TESTS + r'test_(amb3|unintelligible\[)',
        words='MemoryBacking = medium',
        unsaid='MemoryBacking = large;'),
}
