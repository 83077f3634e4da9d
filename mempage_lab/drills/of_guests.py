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

"""Drills of guests' memory: what QEMU does, and what becomes of its files."""

from mempage_lab import cloud
from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_tempest_plugin.declared import which

GUESTS = drill.STORE + '/libvirt/qemu'
COMMON_FILE = GUESTS + '/common'
# Bytes of a guest's RAM, and of what is missing there.
RAM = cloud.FLAVORS['m1.mempage'] * 2 ** 20
HOLE = 2 ** 24
#: The file of the guest that a hook is about.
FILE = '%s/*-"$1"/pc.ram' % GUESTS
MAP = ("import mmap, sys, time; file = open(sys.argv[1], 'r+b'); "
       'pages = mmap.mmap(file.fileno(), 0); time.sleep(600)')
HOLD_TWO_PAGES = (
    'import mmap, time; pages = mmap.mmap(-1, 2 ** 22, '
    'mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000); '
    'pages[0] = pages[2 ** 21] = 1; time.sleep(600)')
# Lines of the pattern that tests have in guests: nothing else is damaged, so
# that these run on. What comes with the guest comes over the first of them.
DAMAGE = """
import glob, os, re, sys, time
for _ in range(30):
    time.sleep(1)
    for path in filter(os.path.getsize, glob.glob(sys.argv[1])):
        with open(path, 'r+b', buffering=0) as file:
            lines = re.finditer(b'[0-9a-f]{32}0{20}[0-9]{11}', file.read())
            for number, found in enumerate(lines):
                if number % 4096 == 0:
                    file.seek(found.start())
                    file.write(b'X')
"""
IN_RAM = ('memory["qom-type"] = "memory-backend-ram"\n'
          'memory.pop("mem-path", None)\n'
          'memory.pop("discard-data", None)')
ON_RAMDISK = ('memory["qom-type"] = "memory-backend-file"\n'
              'memory["mem-path"] = "/dev/shm"')

DRILLS = {
    # What QEMU does, whatever libvirt says.
    'memory-not-in-file': drill.file_backed(
        what='QEMU has anonymous memory, libvirt says it is in a file',
        fault=faults.Emulator(IN_RAM),
        words=drill.first(r'pc\.ram: type: expected memory-backend-file, QEMU '
                          'says memory-backend-ram')),
    'memory-private': drill.file_backed(
        what='QEMU maps the file privately, libvirt says shared',
        fault=faults.Emulator('memory["share"] = False'),
        words=drill.first(r'pc\.ram: share: expected yes, QEMU says no')),
    'memory-on-demand': drill.file_backed(
        what='QEMU does not allocate the file at once',
        fault=faults.Emulator('memory["prealloc"] = False'),
        words=drill.first(r'pc\.ram: prealloc: expected yes, QEMU says no')),
    'file-of-another-guest': drill.file_backed(
        what="QEMU's memory is a file that all guests share",
        fault=faults.Emulator('memory["mem-path"] = "%s"' % COMMON_FILE,
                              'rm -f ' + COMMON_FILE),
        tests=drill.DELETION_TEST,
        words='files and directories left: expected none, file system says '
              '.*' + COMMON_FILE),
    'memory-not-in-large-pages': drill.large_page(
        what='QEMU has ordinary memory, libvirt says large pages',
        fault=faults.Emulator(IN_RAM),
        words=drill.first('ram-node0: type: expected memory-backend-file, '
                          'QEMU says memory-backend-ram')),
    'large-pages-private': drill.large_page(
        what='QEMU maps large pages privately, libvirt says shared',
        fault=faults.Emulator('memory["share"] = False'),
        words=drill.first('ram-node0: share: expected yes, QEMU says no')),
    'large-pages-on-demand': drill.large_page(
        what='QEMU does not take its large pages at once',
        fault=faults.Emulator('memory["prealloc"] = False'),
        words=drill.first('ram-node0: prealloc: expected yes, QEMU says no')),
    'large-pages-on-a-ramdisk': drill.large_page(
        what='what QEMU takes for hugetlbfs is a ramdisk of small pages',
        fault=faults.Emulator(ON_RAMDISK),
        words='file system type of /dev/shm.*: expected hugetlbfs, kernel '
              'says tmpfs'),
    'ordinary-memory-in-file': drill.plain(
        what='QEMU has its memory in a file, libvirt says in none',
        fault=faults.Emulator(ON_RAMDISK),
        words=drill.first('mem-path: expected none, QEMU says /dev/shm')),
    'ordinary-memory-shared': drill.plain(
        what='QEMU has shared memory, libvirt says private',
        fault=faults.Emulator('memory["qom-type"] = "memory-backend-memfd"\n'
                              'memory["share"] = True'),
        words=drill.first('anonymous private mapping of the RAM: expected at '
                          'least 1, kernel says 0')),
    # What becomes of the file of a guest that runs.
    'wrong-owner': drill.file_backed(
        what="backing files belong to another user than QEMU's",
        fault=faults.Hook('chown backup ' + FILE),
        words=r"owner: expected QEMU's user (\d+), file system says QEMU's "
              r'user (?!\1\b)'),
    'open-to-others': drill.file_backed(
        what='everybody may read the backing files',
        fault=faults.Hook('chmod 0755 %s/*-"$1"; chmod 0644 %s' % (
            GUESTS, FILE)),
        words=r'pc\.ram: open to others: expected no, file system says yes'),
    'open-to-a-group': drill.file_backed(
        what='a group of people may read the backing files',
        fault=faults.Hook('chgrp adm {0}/*-"$1" {1}; chmod 0750 {0}/*-"$1"; '
                          'chmod 0640 {1}'.format(GUESTS, FILE)),
        words=r'pc\.ram: open to groups: expected none, file system says \d+'),
    'changed-for-the-next-start': drill.file_backed(
        what='somebody edits a guest: at its next start it has no file',
        fault=faults.Hook(faults.in_background(
            'virsh dumpxml --inactive "$1" | sed "/<source type=.file/d" > '
            '{0}/guest.xml; virsh define {0}/guest.xml'.format(
                faults.DIRECTORY))),
        words=r'changes at the next start: expected none, libvirt says .*'
              'source: None'),
    'file-with-a-hole': drill.file_backed(
        what='a part of the backing files is not allocated',
        fault=faults.Hook('fallocate --punch-hole --offset %d --length %d %s'
                          % (RAM // 2, HOLE, FILE)),
        words='allocated, bytes: expected at least %d, file system says %d'
              % (RAM, RAM - HOLE)),
    'file-grown': drill.file_backed(
        what='somebody writes more into a backing file than its guest has RAM',
        fault=faults.Hook('truncate --size +%d %s' % (HOLE, FILE)),
        words='size, bytes: expected %d, file system says %d'
              % (RAM, RAM + HOLE)),
    'file-removed': drill.file_backed(
        what='somebody tidies up, and removes files of guests that run',
        fault=faults.Hook('rm ' + FILE),
        words=drill.first(
            r'pc\.ram: kind: expected f, file system says none')),
    'file-replaced': drill.file_backed(
        what='somebody puts a copy in the place of a backing file',
        fault=faults.Hook(
            'cp --preserve=all --sparse=never {file} {file}.copy; '
            'mv {file}.copy {file}'.format(file='"$(echo %s)"' % FILE)),
        words=drill.first(r'pc\.ram: mapped inode: expected (\d+), kernel '
                          r'says (?!\1\b)')),
    'file-mapped-by-a-stranger': drill.file_backed(
        what="a process that is not QEMU maps a guest's memory",
        fault=faults.Hook(faults.in_background(
            'exec python3 -c "%s" %s' % (MAP, FILE)) + '; sleep 1'),
        words=drill.first(r'pc\.ram: mapped by: expected (\d+), kernel says '
                          r'.*, ')),
    'damaged-on-the-way': drill.file_backed(
        what='guests that come to a host have some other memory there',
        fault=faults.Hook(faults.in_background(
            'exec python3 -c "%s" "%s/*-$1/pc.ram"' % (DAMAGE, GUESTS)),
            when='migrate'),
        tests=drill.ROUND_TRIP_TEST,
        words=r'digest of the pattern: expected (\w+), guest says (?!\1\b)'),
    # What becomes of it when the guest is gone.
    'file-left-behind': drill.file_backed(
        what='backing files stay when their guests are gone',
        fault=faults.Hook(
            'for file in %s/*-"$1"/*; do %s; done' % (
                GUESTS, faults.in_background(
                    'while [[ -e $file ]]; do sleep 0.1; done; '
                    'mkdir -p "${file%/*}"; touch "$file"')),
            'rm -rf %s/*-instance-*' % GUESTS),
        tests=drill.DELETION_TEST,
        words='files and directories left: expected none, file system says '
              r'.*/pc\.ram'),
    'file-of-refused-guest-stays': drill.file_backed(
        what='a guest that could not start leaves a part of its file',
        fault=faults.Hook(
            'left=%s/lost-"$1"; mkdir -p "$left"; '
            'head -c 4M /dev/zero > "$left/pc.ram"' % GUESTS,
            'rm -rf %s/lost-*' % GUESTS, when='release'),
        tests=r'TestFileBackedConflicts\.test_store_too_small',
        words='files, MiB: expected 16, file system says 4, 16'),
    'content-left-behind': drill.file_backed(
        what='what guests had in their memory stays in the store',
        where=which.on_a_device,
        fault=faults.Hook(
            'kept="%s/kept-$1"; for file in %s/*-"$1"/*; do %s; '
            'done' % (drill.STORE, GUESTS, faults.in_background(
                # Some of it: a slow disk takes its time for all. In its last
                # moments the file is empty: QEMU has discarded what it had.
                'n=0; while dd if="$file" of="$kept-$((n++ % 4))" bs=1M '
                'skip=96 count=32; do sleep 1; done')),
            'rm -f %s/kept-*' % drill.STORE),
        tests=r'TestMemoryTruth\.test_next_guest_finds_nothing',
        words='what the deleted guest had written is found in: expected '),
    'killed-memory-kept': drill.file_backed(
        what='what a guest had in its memory stays when QEMU is killed',
        fault=faults.Hook(
            faults.in_background(
                'for i in {1..600}; do LC_ALL=C grep -zaoh '
                '"MARK-OF-[0-9a-f-]*" %(guests)s/*-"$1"/* >> %(store)s/kept; '
                'sleep 0.2; done' % {'guests': GUESTS, 'store': drill.STORE}),
            'rm -f %s/kept' % drill.STORE),
        tests=r'TestQemuKilled\.test_next_guest_finds_nothing',
        words='what the killed guest had in memory is found in: expected '
              '.*/kept.*MARK-OF-'),
    # QEMU gives back the space of its own file even if that is open. The suite
    # minds half of a guest's RAM and more: others come and go meanwhile.
    'space-kept': drill.file_backed(
        what='somebody keeps a deleted file on the store open',
        fault=faults.Hook(faults.in_background(
            'head -c 128M /dev/zero > {0}; exec 3< {0}; rm {0}; '
            'exec sleep 600'.format(drill.STORE + '/kept'))),
        tests=drill.DELETION_TEST,
        words=r'space kept by deleted files, MiB: expected less than \d+, '
              r'file system says \d\d\d'),
    'pages-leaked': drill.large_page(
        what='large pages are not free again when their guests are gone',
        fault=faults.Hook(faults.in_background(
            'exec python3 -c "%s"' % HOLD_TWO_PAGES)),
        tests='TestEveryPageSize',
        words=r'free pages of 2048 KiB: expected (\d+), kernel says (?!\1\b)'),
}
