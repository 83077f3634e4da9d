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

"""All drills: what is broken, where, and which test has to say so."""

import dataclasses

from mempage_lab import controller
from mempage_lab.drills import faults

DRIVER = 'nova/virt/libvirt/driver.py'
HOST = 'nova/virt/libvirt/host.py'
MANAGER = 'nova/compute/manager.py'
MIGRATION = 'nova/virt/libvirt/migration.py'
OUR_DRIVER = 'nova_mempage/driver.py'
OUR_FILTER = 'nova_mempage/filters.py'
STORE = '/var/lib/libvirt/memory'
ELSEWHERE = '/var/lib/libvirt/elsewhere'
COMMON_FILE = STORE + '/libvirt/qemu/common'
# Whatever was mounted over the store, but not the store.
UNCOVER = ('while [[ $(grep -c " %s " /proc/self/mounts) -gt 1 ]]; '
           'do umount %s || exit; done' % (STORE, STORE))

SMOKE = r'TestFileBacked\.|TestLargePage\.|TestPlain'
FILE_BACKED = SMOKE
PAGE_SIZES = SMOKE + r'|TestAllowedPageSizes\.'
POOLS = SMOKE + r'|TestEveryPageSize'
FILTER = r'TestAggregateMemoryBacking\.|TestPageSizeAnywhere|TestLargePage\.'
TRAITS = SMOKE + r'|TestTraitsInFlavors|TestIsolatedAggregates'
CONFLICTS = r'TestFileBackedConflicts\.'
CAPACITY = r'TestFileBackedCapacity\.'
EVACUATION = r'TestFileBackedEvacuation\.test_evacuate_to_ordinary'
LATE = r'TestLiveMigrationWithoutCheck\.test_to_file'
START = r'TestFileBackedGuards\.'
NEXT_GUEST = r'TestMemoryTruth\.test_next_guest_finds_nothing'
GUARDS = r'TestNoPageSizeForced|TestOrdinaryToFileBacked\.|TestPlain'


@dataclasses.dataclass(frozen=True)
class Drill:
    """One fault, and what must come of it.

    :ivar what: the fault in a few words
    :ivar where: a function of a topology.Host that tells whether the fault
        belongs there, or the name of a node
    :ivar fault: see :mod:`mempage_lab.drills.faults`
    :ivar tests: which tests run: a regular expression
    :ivar caught_by: the tests of which one has to fail
    :ivar words: what it has to say: a regular expression
    """

    what: str
    where: object
    fault: object
    tests: str
    caught_by: str
    words: str

    def host(self, topology):
        """Choose the node that gets the fault.

        :param topology: a :class:`mempage_lab.topology.Topology`
        :returns: its name, or None if the topology has no such host
        """
        if isinstance(self.where, str):
            return self.where
        return next((host.name for host in topology.hosts
                     if self.where(host)), None)


def _on_ramdisk(host):
    return host.store and host.store.filesystem == 'tmpfs'


def _on_disk(host):
    return host.store and host.store.filesystem != 'tmpfs'


def _large_only(host):
    return host.allowed_page_sizes == ('large',)


def _small_only(host):
    return host.allowed_page_sizes == ('small',)


def _any_size(host):
    return host.pools and not host.allowed_page_sizes


def _file_backed(what, fault, test, words, where=_on_ramdisk):
    return Drill(what, where, fault, FILE_BACKED,
                 r'TestFileBacked\.' + test, words)


def _nova(option, value, group='libvirt'):
    return faults.Options({(group, option): value})


DRILLS = {
    # What Nova is told.
    'option-off': _file_backed(
        'file_backed_memory is not set on one host',
        _nova('file_backed_memory', None),
        'test_memory_is_in_file', 'source: expected file'),
    'capacity-misreported': _file_backed(
        'file_backed_memory is half of what is declared',
        _nova('file_backed_memory', '512'),
        'test_capacity', 'MEMORY_MB total: expected 1024, .* 512'),
    'page-sizes-option-off': Drill(
        'allowed_memory_pagesize is not set on one host', _large_only,
        _nova('allowed_memory_pagesize', None), PAGE_SIZES,
        r'TestAllowedPageSizes\.test_mp[147]', 'allowed_memory_pagesize'),
    'page-sizes-widened': Drill(
        'allowed_memory_pagesize is any where only small is declared',
        _small_only, _nova('allowed_memory_pagesize', 'any'), PAGE_SIZES,
        r'TestAllowedPageSizes\.test_mp[123]', 'allowed_memory_pagesize'),
    'pages-counted-twice': Drill(
        'reserved_huge_pages is not set: a host takes all pages for its own',
        _large_only, _nova('reserved_huge_pages', None, 'DEFAULT'),
        r'TestPoolExhaustion\.test_fill|TestLargePage\.',
        r'TestPoolExhaustion\.test_fill',
        'had to refuse .* hands out more memory'),
    # What Nova does.
    'access-private': _file_backed(
        'Nova asks for private access',
        faults.Source(DRIVER, 'membacking.sharedaccess = True',
                      'membacking.sharedaccess = False'),
        'test_memory_is_in_file', 'access: expected shared'),
    'allocation-on-demand': _file_backed(
        'Nova does not ask for allocation at once',
        faults.Source(DRIVER, 'membacking.allocateimmediate = True',
                      'membacking.allocateimmediate = False'),
        'test_memory_is_in_file', 'allocation: expected immediate'),
    'no-discard': _file_backed(
        'Nova does not ask to discard the contents',
        faults.Source(DRIVER, 'membacking.discard = True',
                      'membacking.discard = False'),
        'test_memory_is_in_file', 'discard: expected yes'),
    'ratio-wrong': _file_backed(
        'Nova reports an allocation ratio of 1.5',
        faults.Source(DRIVER,
                      "'allocation_ratio': ratios[orc.MEMORY_MB],",
                      "'allocation_ratio': 1.5,"),
        'test_capacity', r'allocation ratio: expected 1\.0, .* 1\.5'),
    'memory-reserved': _file_backed(
        'Nova reserves a part of the capacity',
        faults.Source(DRIVER,
                      "'reserved': CONF.reserved_host_memory_mb,",
                      "'reserved': 128,"),
        'test_capacity', 'reserved: expected 0, .* 128'),
    'trait-missing': _file_backed(
        'Nova does not report COMPUTE_MEM_BACKING_FILE',
        faults.Source(
            DRIVER,
            "'supports_mem_backing_file': "
            "self._host.supports_mem_backing_file",
            "'supports_mem_backing_file': False"),
        'test_capacity', 'COMPUTE_MEM_BACKING_FILE: expected yes'),
    'start-guard-removed': Drill(
        'nova-compute starts with any allocation ratio', _on_ramdisk,
        faults.Source(HOST, 'if CONF.ram_allocation_ratio != 1.0:',
                      'if False:'),
        START, START + 'test_refused_._ratio', 'expected to refuse to start'),
    'page-sizes-in-files': Drill(
        'Nova takes guests with page sizes for file-backed hosts',
        _on_ramdisk,
        faults.Source(DRIVER, 'if wantsmempages and wantsfilebacked:',
                      'if False:'),
        CONFLICTS, CONFLICTS + 'test_page_sizes',
        'had to refuse|expected was one of'),
    'files-without-space': Drill(
        'guests get files for which the store has no space', _on_ramdisk,
        faults.Source(DRIVER, 'membacking.allocateimmediate = True',
                      'membacking.allocateimmediate = False'),
        CONFLICTS, CONFLICTS + 'test_store_too_small',
        'allocated, MiB: expected at least'),
    'page-size-traits-missing': Drill(
        'the driver does not report page sizes as traits', _large_only,
        faults.Source(OUR_DRIVER, 'size in usable', 'False'),
        TRAITS, r'TestLargePage\.', 'page sizes in traits'),
    'page-sizes-removed': Drill(
        'the driver removes page sizes instead of zeroing them', _large_only,
        faults.Source(
            OUR_DRIVER, 'pages.withhold(topology.cells, self._allowed)',
            'for cell in topology.cells:\n'
            '                cell.mempages = [page for page in cell.mempages '
            'if page.size_kb != 4]'),
        PAGE_SIZES, r'TestAllowedPageSizes\.test_mp4',
        'page size small: .* runs on .* with page size 2048'),
    'page-sizes-not-withheld': Drill(
        'the driver hands out pages that are not allowed', _small_only,
        faults.Source(
            OUR_DRIVER, 'pages.withhold(topology.cells, self._allowed)',
            'pass'),
        PAGE_SIZES, r'TestAllowedPageSizes\.test_mp[123]',
        'guests may have pages: small|reports other page sizes'),
    'guard-removed': Drill(
        'a host takes guests without page size though only large is allowed',
        _large_only,
        faults.Source(OUR_DRIVER, 'if not self._refuses_small or',
                      'if True or'),
        PAGE_SIZES + '|TestNoPageSizeForced',
        r'TestAllowedPageSizes\.test_mp[47]|TestNoPageSizeForced',
        'page size not set|was not refused'),
    'migration-guard-removed': Drill(
        'mixed live migrations are not refused before they begin',
        lambda host: not host.store and not host.pools,
        _nova('refuse_mixed_live_migration', 'False'), GUARDS,
        r'TestOrdinaryToFileBacked\.', 'was not refused before it began'),
    'memory-backing-not-rewritten': Drill(
        'guests keep the memory backing of the host that they leave',
        lambda host: not host.store and not host.pools,
        faults.Source(
            MIGRATION,
            '    xml_doc = _update_memory_backing_xml(xml_doc, '
            'migrate_data)\n', ''),
        LATE, LATE, 'ERROR status'),
    'evacuated-guest-stays': Drill(
        'a host does not remove guests that were evacuated from it',
        lambda host: host.store,
        faults.Source(
            MANAGER,
            '            self.driver.destroy(context, instance,\n'
            '                                network_info,\n'
            '                                bdi, destroy_disks)\n', ''),
        EVACUATION, EVACUATION, 'domain'),
    # What the scheduler does.
    'filter-passes-all': Drill(
        'AggregateMemoryBackingFilter passes every host', controller.NAME,
        faults.Source(OUR_FILTER, '        if not values:\n'
                      '            return True\n',
                      '        return True\n', ('nova-scheduler',)),
        FILTER, r'TestAggregateMemoryBacking\.',
        'AggregateMemoryBackingFilter'),
    'filter-passes-nothing': Drill(
        'AggregateMemoryBackingFilter passes no host of an aggregate',
        controller.NAME,
        faults.Source(OUR_FILTER, '        allowed = _union(values)\n',
                      '        return False\n', ('nova-scheduler',)),
        FILTER, r'TestAggregateMemoryBacking\.',
        'AggregateMemoryBackingFilter'),
    'filter-off': Drill(
        'the scheduler does not use AggregateMemoryBackingFilter',
        controller.NAME,
        faults.Options({('filter_scheduler', 'enabled_filters'): ','.join(
            name for name in controller.SCHEDULER_FILTERS
            if name != 'AggregateMemoryBackingFilter')},
            programs=('nova-scheduler',)),
        FILTER, r'TestAggregateMemoryBacking\.',
        'AggregateMemoryBackingFilter'),
    'isolation-off': Drill(
        'the scheduler does not isolate aggregates', controller.NAME,
        faults.Options({('scheduler', 'enable_isolated_aggregate_filtering'):
                        'false'}, programs=('nova-scheduler',)),
        TRAITS, 'TestIsolatedAggregates', 'runs on'),
    # What libvirt does.
    'directory-elsewhere': _file_backed(
        'memory_backing_dir is another directory',
        faults.Setting('memory_backing_dir = "%s"' % ELSEWHERE),
        'test_memory_is_in_file', 'mem-path: expected below %s' % STORE),
    'store-not-mounted': _file_backed(
        'the store is not mounted: memory is on the root file system',
        faults.Commands(
            'mkdir -p %s; mount --bind %s %s' % (ELSEWHERE, ELSEWHERE, STORE),
            UNCOVER, ('libvirtd', 'nova-compute')),
        r'test_', 'on the root file system: expected no'),
    # What QEMU does, whatever libvirt says.
    'memory-not-in-file': _file_backed(
        'QEMU has anonymous memory, libvirt says it is in a file',
        faults.Emulator(
            'memory["qom-type"] = "memory-backend-ram"\n'
            'memory.pop("mem-path", None)\n'
            'memory.pop("discard-data", None)'),
        'test_memory_is_in_file', 'type: expected memory-backend-file'),
    'memory-private': _file_backed(
        'QEMU maps the file privately, libvirt says shared',
        faults.Emulator('memory["share"] = False'),
        'test_memory_is_in_file', 'share: expected yes'),
    'memory-on-demand': _file_backed(
        'QEMU does not allocate the file at once',
        faults.Emulator('memory["prealloc"] = False'),
        'test_memory_is_in_file', 'prealloc: expected yes'),
    'space-on-demand': Drill(
        'QEMU starts with files for which the store has no space',
        _on_ramdisk, faults.Emulator('memory["prealloc"] = False'),
        CAPACITY, CAPACITY + 'test_', 'allocated, MiB: expected at least'),
    'file-of-another-guest': _file_backed(
        "QEMU's memory is a file that all guests share",
        faults.Emulator(
            'memory["mem-path"] = "%s"' % COMMON_FILE,
            'rm -f ' + COMMON_FILE),
        'test_', 'files and directories left|mapped by|inode|kind'),
    'memory-not-in-large-pages': Drill(
        'QEMU has ordinary memory, libvirt says large pages', _large_only,
        faults.Emulator(
            'memory["qom-type"] = "memory-backend-ram"\n'
            'memory.pop("mem-path", None)'),
        POOLS, r'TestLargePage\.|TestEveryPageSize',
        'type: expected memory-backend-file'),
    # What the host does.
    'wrong-owner': _file_backed(
        "backing files belong to another user than QEMU's",
        faults.Hook('chown backup %s/libvirt/qemu/*-"$1"/*' % STORE),
        'test_memory_is_in_file', 'owner: expected'),
    'open-to-others': _file_backed(
        'everybody may read the backing files',
        faults.Hook('chmod 0755 %s/libvirt/qemu/*-"$1"; '
                    'chmod 0644 %s/libvirt/qemu/*-"$1"/*' % (STORE, STORE)),
        'test_memory_is_in_file', 'open to others: expected no'),
    'file-left-behind': _file_backed(
        'backing files stay when their guests are gone',
        faults.Hook(
            'for file in %s/libvirt/qemu/*-"$1"/*; do %s; done' % (
                STORE, faults.in_background(
                    'while [[ -e $file ]]; do sleep 0.1; done; '
                    'mkdir -p "${file%/*}"; touch "$file"')),
            'rm -rf %s/libvirt/qemu/*-instance-*' % STORE),
        'test_delete_frees_store', 'files and directories left'),
    'content-left-behind': Drill(
        'what guests had in their memory stays in the store', _on_disk,
        faults.Hook(
            'kept="%s/kept-$1"; for file in %s/libvirt/qemu/*-"$1"/*; do %s; '
            'done' % (STORE, STORE, faults.in_background(
                # Some of it: a slow disk takes its time for all. In its last
                # moments the file is empty: QEMU has discarded what it had.
                'n=0; while dd if="$file" of="$kept-$((n++ % 4))" bs=1M '
                'skip=96 count=32; do sleep 1; done')),
            'rm -f %s/kept-*' % STORE),
        NEXT_GUEST, NEXT_GUEST, 'what a deleted guest wrote'),
    # QEMU gives back the space of its own file even if that is open. The suite
    # minds half of a guest's RAM and more: others come and go meanwhile.
    'space-kept': _file_backed(
        'somebody keeps a deleted file on the store open',
        faults.Hook(faults.in_background(
            'head -c 128M /dev/zero > %s/kept; exec 3< %s/kept; rm %s/kept; '
            'exec sleep 600' % (STORE, STORE, STORE))),
        'test_delete_frees_store', 'kept by deleted files'),
    'store-too-small': _file_backed(
        'the store is smaller than declared',
        faults.Commands('mount -o remount,size=512M %s' % STORE,
                        'mount -o remount,size=1024M %s' % STORE),
        'test_', 'space, MiB: expected at least 1024'),
    'other-file-system': _file_backed(
        'a ramdisk is mounted over the store on a disk',
        faults.Commands(
            'mount -t tmpfs -o size=1152M,mode=0755 drill %s' % STORE,
            UNCOVER, ('libvirtd', 'nova-compute')),
        'test_', 'file system type: expected ext4', where=_on_disk),
    'pages-leaked': Drill(
        'large pages are not free again when their guests are gone',
        _large_only,
        faults.Hook(faults.in_background('exec python3 -c "%s"' % (
            'import mmap, time; pages = mmap.mmap(-1, 2 ** 22, '
            'mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000); '
            'pages[0] = pages[2 ** 21] = 1; time.sleep(600)'))),
        POOLS, 'TestEveryPageSize', 'pages of 2048 KiB'),
}
