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

"""Drills of the hosts themselves: stores, pools, names and rights."""

from mempage_lab.drills import drill
from mempage_lab.drills import faults
from mempage_lab import paths
from mempage_tempest_plugin.declared import which

STORE = drill.STORE
ELSEWHERE = drill.ELSEWHERE
LINKED = '/var/lib/libvirt/linked'
DEAD_GUEST = STORE + '/libvirt/qemu/4711-instance-7fffffff'
# More pages than the lab's other hosts have to spare.
HOLD_PAGES = (
    'import mmap, time; pages = mmap.mmap(-1, 2 ** 28, '
    'mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000); '
    'pages[::2 ** 21] = bytes(128); time.sleep(3600)')
# Whatever was mounted over the store, but not the store.
UNCOVER = ('while [[ $(grep -c " %s " /proc/self/mounts) -gt 1 ]]; '
           'do umount %s || exit; done' % (STORE, STORE))
# Where libvirt has guests' files if memory_backing_dir is not set.
OLD = '/var/lib/libvirt/qemu/ram/7-instance-7fffffff'
# That of each checkout: another one than that which drills may have brought
# the lab up. Of other systems there is one for all.
SUPERVISORCTL = '/usr/bin/supervisorctl %s/*/bin/supervisorctl' % paths.CACHE
SUDOERS = '/etc/sudoers.d/mempage-lab'
POOL = '/proc/sys/vm/nr_hugepages'
FEWER_PAGES = 320
LIBVIRT = ('libvirtd', 'nova-compute')

DRILLS = {
    # The store.
    'store-not-mounted': drill.file_backed(
        what='the store is not mounted: memory is on the root file system',
        fault=faults.Commands(
            'mkdir -p %s; mount --bind %s %s' % (ELSEWHERE, ELSEWHERE, STORE),
            UNCOVER, LIBVIRT),
        tests=drill.CAPACITY_TEST,
        words='store: on the root file system: expected no, kernel says yes'),
    'store-mounted-late': drill.file_backed(
        what='the store was mounted when libvirt was there already',
        fault=faults.Commands(
            'mount -t tmpfs -o size=1024M,mode=0755 late %s' % STORE,
            UNCOVER),
        words="can't open backing store %s.*: Permission denied" % STORE),
    'store-too-small': drill.file_backed(
        what='the store is smaller than declared',
        fault=faults.Commands('mount -o remount,size=512M %s' % STORE,
                              'mount -o remount,size=1024M %s' % STORE),
        tests=drill.CAPACITY_TEST,
        words='store: space, MiB: expected at least 1024, file system says '
              '512'),
    'store-full': drill.file_backed(
        what='somebody has put his backups into the store',
        fault=faults.Commands('head -c 300M /dev/zero > %s/backup.tar' % STORE,
                              'rm -f %s/backup.tar' % STORE),
        tests=drill.CAPACITY_TEST,
        words=r'check_host: [^:]*: store: room for guests, MiB: expected at '
              'least 1024, file system says 7'),
    'store-out-of-inodes': drill.file_backed(
        what='the store has space, and no room for another file',
        fault=faults.Commands('mount -o remount,nr_inodes=4 %s' % STORE,
                              'mount -o remount,nr_inodes=100k %s' % STORE),
        words='No space left on device'),
    'store-read-only': drill.file_backed(
        what='the store is read-only, as after an error of its file system',
        where=which.on_a_device,
        fault=faults.Commands('mount -o remount,ro %s' % STORE,
                              'mount -o remount,rw %s' % STORE),
        words='Read-only file system'),
    'store-is-a-link': drill.file_backed(
        what="libvirt's directory in the store is a link to another place",
        fault=faults.Commands(
            'mkdir -p {1}; cp -a {0}/libvirt {1}/; '
            'mv {0}/libvirt {0}/libvirt.kept; ln -s {1}/libvirt {0}/libvirt'
            .format(STORE, LINKED),
            'test ! -d {0}/libvirt.kept || {{ rm {0}/libvirt; '
            'mv {0}/libvirt.kept {0}/libvirt; }}'.format(STORE)),
        words=drill.first(r'pc\.ram: mem-path: expected below %s, QEMU says %s'
                          % (STORE, LINKED))),
    'other-file-system': drill.file_backed(
        what='a ramdisk is mounted over the store on a disk',
        where=which.on_a_device,
        fault=faults.Commands(
            'mount -t tmpfs -o size=1152M,mode=0755 drill %s' % STORE,
            UNCOVER, LIBVIRT),
        tests=drill.CAPACITY_TEST,
        words='store: file system type: expected ext4, kernel says tmpfs'),
    'file-of-nobody': drill.file_backed(
        what='a file of a guest that is gone takes space of the store',
        fault=faults.Commands(
            'mkdir -p %(guest)s; head -c 64M /dev/zero > %(guest)s/pc.ram'
            % {'guest': DEAD_GUEST}, 'rm -rf ' + DEAD_GUEST),
        tests=drill.CAPACITY_TEST,
        words='files of guests that are gone: .*' + DEAD_GUEST),
    'file-where-none-belongs': drill.plain(
        what='a host that was file-backed once has a file of a guest still',
        fault=faults.Commands(
            'mkdir -p {0}; head -c 16M /dev/zero > {0}/pc.ram'.format(OLD),
            'rm -rf ' + OLD),
        words='files of guests: expected none, file system says .*' + OLD),
    # The pools.
    'pages-of-somebody': drill.large_page(
        what='somebody else has large pages that are for guests',
        fault=faults.Commands(
            faults.in_background('exec python3 -c "%s"' % HOLD_PAGES)
            + '; sleep 2', faults.END_BACKGROUND),
        tests=drill.FILL_TEST,
        words='note_pools: .*pages of 2048 KiB, for guests: expected '
              'at least'),
    'pool-too-small': drill.large_page(
        what='after a reboot the kernel has made fewer large pages',
        fault=faults.Commands(
            'cat {0} > {1}/pages; echo {2} > {0}'.format(
                POOL, faults.DIRECTORY, FEWER_PAGES),
            # Memory may be in pieces for a while.
            'test ! -e {1}/pages || for _ in {{1..30}}; do '
            'cat {1}/pages > {0}; ! cmp -s {1}/pages {0} || break; '
            'echo 1 > /proc/sys/vm/compact_memory; sleep 1; done'.format(
                POOL, faults.DIRECTORY)),
        words=r'check_host: .*: pages of 2048 KiB: expected at least \d+, '
              'kernel says %d' % FEWER_PAGES),
    # Names and rights.
    'host-renamed': drill.file_backed(
        what='libvirt calls the host by its name with its domain',
        fault=faults.Commands(
            'hostname "$(hostname -s).example.org"',
            'hostname "$(cat /etc/hostname)"', ('libvirtd',)),
        tests=drill.CAPACITY_TEST,
        words=r'check_host: [^:]*: name: expected (\w+), libvirt says '
              r'\1\.example\.org'),
    'restart-without-effect': drill.file_backed(
        what='the command that restarts libvirt does nothing, and says yes',
        fault=faults.Commands(
            'for each in %s; do test ! -e "$each" || '
            'mount --bind /bin/true "$each"; done' % SUPERVISORCTL,
            'grep -o " [^ ]*/bin/supervisorctl " /proc/self/mounts | '
            'xargs --no-run-if-empty umount'),
        tests=r'TestDaemonsRestarted\.test_libvirt',
        words='the libvirt that answers at .*fbm1.* is still that of before'),
    'sudo-asks-for-a-password': drill.file_backed(
        what='who logs in for the tests may not become root',
        fault=faults.Commands(
            'mv {0} {0}.kept'.format(SUDOERS),
            'test ! -e {0}.kept || mv {0}.kept {0}'.format(SUDOERS)),
        tests=drill.CAPACITY_TEST,
        words='sudo: a password is required'),
}
