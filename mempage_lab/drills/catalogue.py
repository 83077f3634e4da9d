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

from mempage_lab import cloud
from mempage_lab import controller
from mempage_lab.drills import faults
from mempage_tempest_plugin.declared import which

DRIVER = 'nova/virt/libvirt/driver.py'
HARDWARE = 'nova/virt/hardware.py'
HOST = 'nova/virt/libvirt/host.py'
MANAGER = 'nova/compute/manager.py'
MIGRATION = 'nova/virt/libvirt/migration.py'
OUR_DRIVER = 'nova_mempage/driver.py'
OUR_FILTER = 'nova_mempage/filters.py'
OUR_POLICY = 'nova_mempage/policy.py'
OUR_REPORT = 'nova_mempage/report.py'
STORE = '/var/lib/libvirt/memory'
ELSEWHERE = '/var/lib/libvirt/elsewhere'
COMMON_FILE = STORE + '/libvirt/qemu/common'
# Bytes of a guest's RAM, and of what is missing there.
RAM = cloud.FLAVORS['m1.mempage'] * 2 ** 20
HOLE = 2 ** 24
DEAD_GUEST = STORE + '/libvirt/qemu/4711-instance-7fffffff'
# More pages than the lab's other hosts have to spare.
HOLD_PAGES = (
    'import mmap, time; pages = mmap.mmap(-1, 2 ** 28, '
    'mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000); '
    'pages[::2 ** 21] = bytes(128); time.sleep(3600)')
TAKE_TWO_PAGES = (
    'import mmap, time; pages = mmap.mmap(-1, 2 ** 22, '
    'mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000); '
    'pages[0] = pages[2 ** 21] = 1; time.sleep(600)')
# Whatever was mounted over the store, but not the store.
UNCOVER = ('while [[ $(grep -c " %s " /proc/self/mounts) -gt 1 ]]; '
           'do umount %s || exit; done' % (STORE, STORE))

# Which tests run: regular expressions.
BASIC_TESTS = r'TestFileBacked\.|TestLargePage\.|TestPlain'
PAGE_SIZE_TESTS = BASIC_TESTS + r'|TestAllowedPageSizes\.'
POOL_TESTS = BASIC_TESTS + r'|TestEveryPageSize'
FILL_TESTS = r'TestPoolExhaustion\.test_fill|TestLargePage\.'
FILTER_TESTS = (r'TestAggregateMemoryBacking\.|TestPageSizeAnywhere'
                r'|TestLargePage\.')
IMAGE_TESTS = r'TestPageSizeOfImage\.'
TRAIT_TESTS = BASIC_TESTS + r'|TestTraitsInFlavors|TestIsolatedAggregates'
CONFLICT_TESTS = r'TestFileBackedConflicts\.'
CAPACITY_TESTS = r'TestFileBackedCapacity\.'
EVACUATION_TEST = r'TestFileBackedEvacuation\.test_evacuate_to_ordinary'
MIGRATION_WITHOUT_CHECK_TEST = r'TestLiveMigrationWithoutCheck\.test_to_file'
MIGRATION_FROM_FILE_TEST = r'TestLiveMigrationWithoutCheck\.test_from_file'
REFUSED_MIGRATION_TEST = r'TestColdMigrationWithoutPages\.test_refused'
ROUND_TRIP_TEST = r'TestFileBackedLiveMigration\.test_round_trip'
START_TESTS = r'TestFileBackedGuards\.'
NEXT_GUEST_TEST = r'TestMemoryTruth\.test_next_guest_finds_nothing'
GUARD_TESTS = r'TestNoPageSizeForced|TestOrdinaryToFileBacked\.|TestPlain'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drill:
    """One fault, and what must come of it.

    :ivar what: the fault in a few words
    :ivar where: a function of a host's policy that tells whether the fault
        belongs there, or the name of a node
    :ivar fault: a :class:`mempage_lab.drills.faults.Fault`
    :ivar tests: which tests run: a regular expression
    :ivar caught_by: the tests of which one has to fail
    :ivar words: what it has to say: a regular expression
    """

    what: str
    where: object
    fault: faults.Fault
    tests: str
    caught_by: str
    words: str

    def host(self, topology):
        """Choose the node that gets the fault.

        :param topology: a :class:`mempage_lab.topology.Topology`
        :returns: its name, or None if the topology has no such host; those
            that are machines have no files that can be changed from here
        """
        if isinstance(self.where, str):
            return self.where
        return next((host.name for host in topology.hosts
                     if not host.machine and self.where(host.policy)), None)


ON_RAMDISK = which.file_backed & ~which.on_a_device
LARGE_ONLY = which.allowing('large')
SMALL_ONLY = which.allowing('small')


def _caught_by_all(tests, **kwargs):
    """Make a drill that every test which runs has to catch."""
    return Drill(tests=tests, caught_by=tests, **kwargs)


def _file_backed(test, where=ON_RAMDISK, **kwargs):
    return Drill(where=where, tests=BASIC_TESTS,
                 caught_by=r'TestFileBacked\.' + test, **kwargs)


def _nova(option, value, group='libvirt'):
    return faults.Options({(group, option): value})


DRILLS = {
    # What Nova is told.
    'option-off': _file_backed(
        what='file_backed_memory is not set on one host',
        fault=_nova('file_backed_memory', None),
        test='test_memory_is_in_file',
        words='source: expected file'),
    'capacity-misreported': _file_backed(
        what='file_backed_memory is half of what is declared',
        fault=_nova('file_backed_memory', '512'),
        test='test_capacity',
        words='MEMORY_MB total: expected 1024, .* 512'),
    'page-sizes-option-off': Drill(
        what='allowed_memory_pagesize is not set on one host',
        where=LARGE_ONLY,
        fault=_nova('allowed_memory_pagesize', None),
        tests=PAGE_SIZE_TESTS,
        caught_by=r'TestAllowedPageSizes\.test_mp[147]',
        words='allowed_memory_pagesize'),
    'page-sizes-widened': Drill(
        what='allowed_memory_pagesize is any where only small is declared',
        where=SMALL_ONLY,
        fault=_nova('allowed_memory_pagesize', 'any'),
        tests=PAGE_SIZE_TESTS,
        caught_by=r'TestAllowedPageSizes\.test_mp[123]',
        words='allowed_memory_pagesize'),
    'pages-counted-twice': Drill(
        what='reserved_huge_pages is not set: a host takes all pages for its '
             'own',
        where=LARGE_ONLY,
        fault=_nova('reserved_huge_pages', None, 'DEFAULT'),
        tests=FILL_TESTS,
        caught_by=r'TestPoolExhaustion\.test_fill',
        words='had to refuse .* hands out more memory'),
    # What Nova does.
    'access-private': _file_backed(
        what='Nova asks for private access',
        fault=faults.Source(DRIVER, 'membacking.sharedaccess = True',
                            'membacking.sharedaccess = False'),
        test='test_memory_is_in_file',
        words='access: expected shared'),
    'allocation-on-demand': _file_backed(
        what='Nova does not ask for allocation at once',
        fault=faults.Source(DRIVER, 'membacking.allocateimmediate = True',
                            'membacking.allocateimmediate = False'),
        test='test_memory_is_in_file',
        words='allocation: expected immediate'),
    'no-discard': _file_backed(
        what='Nova does not ask to discard the contents',
        fault=faults.Source(DRIVER, 'membacking.discard = True',
                            'membacking.discard = False'),
        test='test_memory_is_in_file',
        words='discard: expected yes'),
    'ratio-wrong': _file_backed(
        what='Nova reports an allocation ratio of 1.5',
        fault=faults.Source(DRIVER,
                            "'allocation_ratio': ratios[orc.MEMORY_MB],",
                            "'allocation_ratio': 1.5,"),
        test='test_capacity',
        words=r'allocation ratio: expected 1\.0, .* 1\.5'),
    'memory-reserved': _file_backed(
        what='Nova reserves a part of the capacity',
        fault=faults.Source(DRIVER,
                            "'reserved': CONF.reserved_host_memory_mb,",
                            "'reserved': 128,"),
        test='test_capacity',
        words='reserved: expected 0, .* 128'),
    'trait-missing': _file_backed(
        what='Nova does not report COMPUTE_MEM_BACKING_FILE',
        fault=faults.Source(
            DRIVER,
            "'supports_mem_backing_file': "
            "self._host.supports_mem_backing_file",
            "'supports_mem_backing_file': False"),
        test='test_capacity',
        words='COMPUTE_MEM_BACKING_FILE: expected yes'),
    'start-guard-removed': Drill(
        what='nova-compute starts with any allocation ratio',
        where=ON_RAMDISK,
        fault=faults.Source(HOST, 'if CONF.ram_allocation_ratio != 1.0:',
                            'if False:'),
        tests=START_TESTS,
        caught_by=START_TESTS + 'test_refused_._ratio',
        words='expected to refuse to start'),
    'page-sizes-in-files': Drill(
        what='the driver takes guests with page sizes for file-backed hosts',
        where=ON_RAMDISK,
        fault=faults.Source(
            OUR_POLICY, 'return PAGE_SIZE if self.page_size else None',
            'return None'),
        tests=CONFLICT_TESTS,
        caught_by=CONFLICT_TESTS + 'test_page_sizes',
        words='had to refuse|expected was one of'),
    'files-without-space': Drill(
        what='guests get files for which the store has no space',
        where=ON_RAMDISK,
        fault=faults.Source(DRIVER, 'membacking.allocateimmediate = True',
                            'membacking.allocateimmediate = False'),
        tests=CONFLICT_TESTS,
        caught_by=CONFLICT_TESTS + 'test_store_too_small',
        words='allocated, MiB: expected at least'),
    'page-size-traits-missing': Drill(
        what='the driver does not report page sizes as traits',
        where=LARGE_ONLY,
        fault=faults.Source(OUR_REPORT, 'pages.usable_sizes(cells)', '()'),
        tests=TRAIT_TESTS,
        caught_by=r'TestLargePage\.',
        words='page sizes in traits'),
    'page-sizes-removed': Drill(
        what='the driver removes page sizes instead of zeroing them',
        where=LARGE_ONLY,
        fault=faults.Source(
            OUR_DRIVER, 'pages.withhold(topology.cells, self._allowed)',
            'for cell in topology.cells:\n'
            '                cell.mempages = [page for page in cell.mempages '
            'if page.size_kb != 4]'),
        tests=PAGE_SIZE_TESTS,
        caught_by=r'TestAllowedPageSizes\.test_mp4',
        words='page size small: .* runs on .* with page size 2048'),
    'page-sizes-not-withheld': Drill(
        what='the driver hands out pages that are not allowed',
        where=SMALL_ONLY,
        fault=faults.Source(
            OUR_DRIVER, 'pages.withhold(topology.cells, self._allowed)',
            'pass'),
        tests=PAGE_SIZE_TESTS,
        caught_by=r'TestAllowedPageSizes\.test_mp[123]',
        words='guests may have pages: small|reports other page sizes'),
    'guard-removed': Drill(
        what='a host takes guests without page size though only large is '
             'allowed',
        where=LARGE_ONLY,
        fault=faults.Source(
            OUR_POLICY, 'return NO_PAGE_SIZE if self.no_page_size else None',
            'return None'),
        tests=PAGE_SIZE_TESTS + '|TestNoPageSizeForced',
        caught_by=r'TestAllowedPageSizes\.test_mp[47]|TestNoPageSizeForced',
        words='page size not set|was not refused'),
    'migration-guard-removed': Drill(
        what='mixed live migrations are not refused before they begin',
        where=which.plain,
        fault=_nova('refuse_mixed_live_migration', 'False'),
        tests=GUARD_TESTS,
        caught_by=r'TestOrdinaryToFileBacked\.',
        words='was not refused before it began'),
    'memory-backing-not-rewritten': _caught_by_all(
        what='guests keep the memory backing of the host that they leave',
        where=which.plain,
        fault=faults.Source(
            MIGRATION,
            '    xml_doc = _update_memory_backing_xml(xml_doc, '
            'migrate_data)\n', ''),
        tests=MIGRATION_WITHOUT_CHECK_TEST,
        words='ERROR and error or .* says ACTIVE and completed'),
    'allocation-stays': _caught_by_all(
        what='what a live migration held stays held for a while',
        where=ON_RAMDISK,
        # Not for ever: nobody would give it back when the fault is gone.
        fault=faults.Source(
            MANAGER,
            "            migrate_data.migration.status = 'completed'\n"
            '            migrate_data.migration.save()\n',
            "            migrate_data.migration.status = 'completed'\n"
            '            migrate_data.migration.save()\n'
            '            __import__("time").sleep(40)\n'),
        tests=ROUND_TRIP_TEST,
        words='held by migrations of the server: expected'),
    'live-migration-impossible': _caught_by_all(
        what='nova-compute asks a port for live migrations where nobody is',
        where=ON_RAMDISK,
        fault=_nova('live_migration_uri', 'qemu+tcp://%s:9/system'),
        tests=MIGRATION_FROM_FILE_TEST,
        words='reason why libvirt did not migrate it: expected .* says '
              '.*onnect'),
    'destination-full': _caught_by_all(
        what='a host has no memory to hand out: it refuses all guests',
        where=which.plain,
        fault=_nova('ram_allocation_ratio', '0.001', 'DEFAULT'),
        tests=REFUSED_MIGRATION_TEST,
        words='servers that ask for no page size'),
    'evacuated-guest-stays': _caught_by_all(
        what='a host does not remove guests that were evacuated from it',
        where=which.file_backed,
        fault=faults.Source(
            MANAGER,
            '            self.driver.destroy(context, instance,\n'
            '                                network_info,\n'
            '                                bdi, destroy_disks)\n', ''),
        tests=EVACUATION_TEST,
        words='domain'),
    'image-page-size-passes': _caught_by_all(
        what='the API lets an image ask for another page size than its flavor',
        where=controller.NAME,
        fault=faults.Source(
            HARDWARE, '    elif image_request:\n', '    elif False:\n',
            ('nova-api',)),
        tests=IMAGE_TESTS,
        words="page size 'small' in the flavor, .* in the image: refused: "
              'expected Page size'),
    'evacuation-fails': _caught_by_all(
        what='a host cannot take guests of a host that is down',
        where=which.plain,
        fault=faults.Source(
            MANAGER,
            'if not self.driver.capabilities.get("supports_evacuate", False):',
            'if True:'),
        tests=EVACUATION_TEST,
        words='nstance evacuate is not supported'),
    # What the scheduler does.
    'filter-passes-all': Drill(
        what='AggregateMemoryBackingFilter passes every host',
        where=controller.NAME,
        fault=faults.Source(OUR_FILTER, '        if not values:\n'
                            '            return True\n',
                            '        return True\n', ('nova-scheduler',)),
        tests=FILTER_TESTS,
        caught_by=r'TestAggregateMemoryBacking\.',
        words='AggregateMemoryBackingFilter'),
    'filter-passes-nothing': Drill(
        what='AggregateMemoryBackingFilter passes no host of an aggregate',
        where=controller.NAME,
        fault=faults.Source(OUR_FILTER, '        allowed = _union(values)\n',
                            '        return False\n', ('nova-scheduler',)),
        tests=FILTER_TESTS,
        caught_by=r'TestAggregateMemoryBacking\.',
        words='AggregateMemoryBackingFilter'),
    'filter-off': Drill(
        what='the scheduler does not use AggregateMemoryBackingFilter',
        where=controller.NAME,
        fault=faults.Options(
            {('filter_scheduler', 'enabled_filters'): ','.join(
                controller.SCHEDULER_FILTERS)},
            programs=('nova-scheduler',)),
        tests=FILTER_TESTS,
        caught_by=r'TestAggregateMemoryBacking\.',
        words='AggregateMemoryBackingFilter'),
    'isolation-off': Drill(
        what='the scheduler does not isolate aggregates',
        where=controller.NAME,
        fault=faults.Options(
            {('scheduler', 'enable_isolated_aggregate_filtering'): 'false'},
            programs=('nova-scheduler',)),
        tests=TRAIT_TESTS,
        caught_by='TestIsolatedAggregates',
        words='runs on'),
    # What libvirt does.
    'directory-elsewhere': _file_backed(
        what='memory_backing_dir is another directory',
        fault=faults.Setting('memory_backing_dir = "%s"' % ELSEWHERE),
        test='test_memory_is_in_file',
        words='mem-path: expected below %s' % STORE),
    'store-not-mounted': _file_backed(
        what='the store is not mounted: memory is on the root file system',
        fault=faults.Commands(
            'mkdir -p %s; mount --bind %s %s' % (ELSEWHERE, ELSEWHERE, STORE),
            UNCOVER, ('libvirtd', 'nova-compute')),
        test=r'test_',
        words='on the root file system: expected no'),
    # What QEMU does, whatever libvirt says.
    'memory-not-in-file': _file_backed(
        what='QEMU has anonymous memory, libvirt says it is in a file',
        fault=faults.Emulator(
            'memory["qom-type"] = "memory-backend-ram"\n'
            'memory.pop("mem-path", None)\n'
            'memory.pop("discard-data", None)'),
        test='test_memory_is_in_file',
        words='type: expected memory-backend-file'),
    'memory-private': _file_backed(
        what='QEMU maps the file privately, libvirt says shared',
        fault=faults.Emulator('memory["share"] = False'),
        test='test_memory_is_in_file',
        words='pc.ram: share: expected yes'),
    'large-pages-private': Drill(
        what='QEMU maps large pages privately, libvirt says shared',
        where=LARGE_ONLY,
        fault=faults.Emulator('memory["share"] = False'),
        tests=BASIC_TESTS,
        caught_by=r'TestLargePage\.',
        words='ram-node0: share: expected yes'),
    'memory-on-demand': _file_backed(
        what='QEMU does not allocate the file at once',
        fault=faults.Emulator('memory["prealloc"] = False'),
        test='test_memory_is_in_file',
        words='prealloc: expected yes'),
    'space-on-demand': Drill(
        what='QEMU starts with files for which the store has no space',
        where=ON_RAMDISK,
        fault=faults.Emulator('memory["prealloc"] = False'),
        tests=CAPACITY_TESTS,
        caught_by=CAPACITY_TESTS + 'test_',
        words='allocated, MiB: expected at least'),
    'file-of-another-guest': _file_backed(
        what="QEMU's memory is a file that all guests share",
        fault=faults.Emulator(
            'memory["mem-path"] = "%s"' % COMMON_FILE,
            'rm -f ' + COMMON_FILE),
        test='test_',
        words='files and directories left|mapped by|inode|kind'),
    'memory-not-in-large-pages': Drill(
        what='QEMU has ordinary memory, libvirt says large pages',
        where=LARGE_ONLY,
        fault=faults.Emulator(
            'memory["qom-type"] = "memory-backend-ram"\n'
            'memory.pop("mem-path", None)'),
        tests=POOL_TESTS,
        caught_by=r'TestLargePage\.|TestEveryPageSize',
        words='type: expected memory-backend-file'),
    # What the host does.
    'wrong-owner': _file_backed(
        what="backing files belong to another user than QEMU's",
        fault=faults.Hook('chown backup %s/libvirt/qemu/*-"$1"/*' % STORE),
        test='test_memory_is_in_file',
        words='owner: expected'),
    'open-to-others': _file_backed(
        what='everybody may read the backing files',
        fault=faults.Hook(
            'chmod 0755 %s/libvirt/qemu/*-"$1"; '
            'chmod 0644 %s/libvirt/qemu/*-"$1"/*' % (STORE, STORE)),
        test='test_memory_is_in_file',
        words='open to others: expected no'),
    'file-left-behind': _file_backed(
        what='backing files stay when their guests are gone',
        fault=faults.Hook(
            'for file in %s/libvirt/qemu/*-"$1"/*; do %s; done' % (
                STORE, faults.in_background(
                    'while [[ -e $file ]]; do sleep 0.1; done; '
                    'mkdir -p "${file%/*}"; touch "$file"')),
            'rm -rf %s/libvirt/qemu/*-instance-*' % STORE),
        test='test_delete_frees_store',
        words='files and directories left'),
    'content-left-behind': _caught_by_all(
        what='what guests had in their memory stays in the store',
        where=which.on_a_device,
        fault=faults.Hook(
            'kept="%s/kept-$1"; for file in %s/libvirt/qemu/*-"$1"/*; do %s; '
            'done' % (STORE, STORE, faults.in_background(
                # Some of it: a slow disk takes its time for all. In its last
                # moments the file is empty: QEMU has discarded what it had.
                'n=0; while dd if="$file" of="$kept-$((n++ % 4))" bs=1M '
                'skip=96 count=32; do sleep 1; done')),
            'rm -f %s/kept-*' % STORE),
        tests=NEXT_GUEST_TEST,
        words='what a deleted guest wrote'),
    # QEMU gives back the space of its own file even if that is open. The suite
    # minds half of a guest's RAM and more: others come and go meanwhile.
    'space-kept': _file_backed(
        what='somebody keeps a deleted file on the store open',
        fault=faults.Hook(faults.in_background(
            'head -c 128M /dev/zero > %s/kept; exec 3< %s/kept; rm %s/kept; '
            'exec sleep 600' % (STORE, STORE, STORE))),
        test='test_delete_frees_store',
        words='kept by deleted files'),
    'store-too-small': _file_backed(
        what='the store is smaller than declared',
        fault=faults.Commands('mount -o remount,size=512M %s' % STORE,
                              'mount -o remount,size=1024M %s' % STORE),
        test='test_',
        words='space, MiB: expected at least 1024'),
    'other-file-system': _file_backed(
        what='a ramdisk is mounted over the store on a disk',
        where=which.on_a_device,
        fault=faults.Commands(
            'mount -t tmpfs -o size=1152M,mode=0755 drill %s' % STORE,
            UNCOVER, ('libvirtd', 'nova-compute')),
        test='test_',
        words='file system type: expected ext4'),
    'file-with-a-hole': _file_backed(
        what='a part of the backing files is not allocated',
        fault=faults.Hook(
            'fallocate --punch-hole --offset %d --length %d '
            '%s/libvirt/qemu/*-"$1"/*' % (RAM // 2, HOLE, STORE)),
        test='test_memory_is_in_file',
        words='allocated, bytes: expected at least %d, file system says %d'
              % (RAM, RAM - HOLE)),
    'file-of-nobody': _file_backed(
        what='a file of a guest that is gone takes space of the store',
        fault=faults.Commands(
            'mkdir -p %(guest)s; head -c 64M /dev/zero > %(guest)s/pc.ram'
            % {'guest': DEAD_GUEST}, 'rm -rf ' + DEAD_GUEST),
        test='test_capacity',
        words='files of guests that are gone: .*' + DEAD_GUEST),
    'pages-of-somebody': Drill(
        what='somebody else has large pages that are for guests',
        where=LARGE_ONLY,
        fault=faults.Commands(
            faults.in_background('exec python3 -c "%s"' % HOLD_PAGES)
            + '; sleep 2', faults.END_BACKGROUND),
        tests=FILL_TESTS,
        caught_by=r'TestPoolExhaustion\.test_fill',
        words='pages of 2048 KiB, for guests: expected at least'),
    'pages-leaked': Drill(
        what='large pages are not free again when their guests are gone',
        where=LARGE_ONLY,
        fault=faults.Hook(faults.in_background(
            'exec python3 -c "%s"' % TAKE_TWO_PAGES)),
        tests=POOL_TESTS,
        caught_by='TestEveryPageSize',
        words='pages of 2048 KiB'),
    # What operations do to memory.
    'reboot-left-out': _caught_by_all(
        r'TestFileBackedOperations\.test_after_1_hard_reboot'
        r'|TestPageSizeOperations\.test_after_1_hard_reboot',
        what='a hard reboot leaves the guest as it is, and reports success',
        where=ON_RAMDISK,
        fault=faults.Source(
            DRIVER,
            '        # NOTE(sbauza): Since we undefine the guest XML when '
            'destroying, we\n',
            '        return\n'
            '        # NOTE(sbauza): Since we undefine the guest XML when '
            'destroying, we\n'),
        words='QEMU processes: expected some, but none of'),
    'resume-boots-anew': _caught_by_all(
        r'TestFileBackedOperations\.test_after_4_suspend_resume',
        what='a guest that was suspended is booted anew',
        where=ON_RAMDISK,
        fault=faults.Source(
            DRIVER,
            '        # NOTE(efried): The instance should already have a '
            'vtpm_secret_uuid\n        # registered if appropriate.\n'
            '        guest = self._create_guest_with_network(\n'
            '            context, xml, instance, network_info, '
            'block_device_info,\n            vifs_already_plugged=True)\n'
            '        self._attach_pci_devices(',
            '        self._host.get_guest(instance)._domain.'
            'managedSaveRemove(0)\n'
            '        guest = self._create_guest_with_network(\n'
            '            context, xml, instance, network_info, '
            'block_device_info,\n            vifs_already_plugged=True)\n'
            '        self._attach_pci_devices('),
        words='what was written into the memory: expected MARK'),
    'memory-kept-beside': _caught_by_all(
        r'TestFileBackedOperations\.test_after_rebuild',
        what='what a guest had in its memory stays in the store',
        where=ON_RAMDISK,
        fault=faults.Hook(
            faults.in_background(
                'for i in {1..60}; do grep -aoh "MARK-[0-9a-f]*" '
                '%(store)s/libvirt/qemu/*-"$1"/* >> %(store)s/kept; '
                'sleep 0.5; done' % {'store': STORE}),
            'rm -f %s/kept' % STORE),
        words='what was written into the memory is found in: .*/kept'),
    'image-may-change-pages': _caught_by_all(
        r'TestPageSizeOperations\.test_rebuild_with_another_size',
        what='an image may ask for other pages in a rebuild',
        where=controller.NAME,
        fault=faults.Source(
            'nova/compute/api.py',
            '        old_image_meta = instance.image_meta\n'
            '        new_image_meta = objects.ImageMeta.from_dict(image)\n'
            '        old_constraints',
            '        return\n        old_image_meta = instance.image_meta\n'
            '        new_image_meta = objects.ImageMeta.from_dict(image)\n'
            '        old_constraints', ('nova-api',)),
        words='rebuild_server'),
    'moved-pages-kept': _caught_by_all(
        r'TestPagesOfMoved\.',
        what='pages of a guest that has moved are not handed out at once',
        where=LARGE_ONLY,
        fault=faults.Source(
            'nova/compute/resource_tracker.py',
            '            self._update_usage(usage, nodename, sign=-1)\n\n'
            '            ctxt = context.elevated()\n',
            '            ctxt = context.elevated()\n'),
        words='No valid host'),
    'pages-kept-by-somebody': _caught_by_all(
        r'TestQemuKilledOnPages\.test_killed_and_started',
        what='a process takes large pages when a guest starts',
        where=LARGE_ONLY,
        fault=faults.Hook(faults.in_background(
            'exec python3 -c "%s"' % TAKE_TWO_PAGES)),
        words=r'and are no guests: expected none, kernel says .*\(python3'),
    'pools-counted-for-nodes': _caught_by_all(
        r'TestNodeBesidePool\.',
        what='the scheduler takes pages of pools for small ones',
        where=controller.NAME,
        fault=faults.Source(
            HARDWARE,
            '            if not host_cell.can_fit_pagesize(\n'
            '                pagesize, instance_cell.memory',
            '            if False and not host_cell.can_fit_pagesize(\n'
            '                pagesize, instance_cell.memory',
            ('nova-scheduler',)),
        words='Exceeded maximum number of retries'),
}
