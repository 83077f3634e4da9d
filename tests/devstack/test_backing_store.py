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

import os
import pathlib

import ddt
import fixtures

from tests.devstack import base


@ddt.ddt
class BackingStoreTest(base.ShellTest):

    # file system, size in MiB, least number of MiB that guests can have
    STORES = (('tmpfs', 64, 64), ('ext4', 64, 61), ('xfs', 300, 205))

    @ddt.unpack
    @ddt.data(*STORES)
    def test_store_is_mounted_as_asked(self, filesystem, size, usable):
        source = '' if filesystem == 'tmpfs' else '$image'
        script = f'build_backing_store $PWD/ram {filesystem} {size} {source}\n'
        mounted = self.succeed(
            script + script +
            'findmnt -rno FSTYPE,OPTIONS $PWD/ram\n'
            'findmnt -rn $PWD/ram | wc -l\n'
            'stat -c "%a %U" ram; stat -fc "%a %S" ram').splitlines()

        self.assertRegex(mounted[0], f'{filesystem} rw,nosuid,nodev,noexec,')
        self.assertEqual(['1', '755 root'], mounted[1:3])
        blocks, block_size = (int(word) for word in mounted[3].split())
        self.assertGreaterEqual(blocks * block_size, usable << 20)

    @ddt.data('tmpfs', 'ext4')
    def test_removal_leaves_nothing(self, filesystem):
        source = '' if filesystem == 'tmpfs' else '$image'
        left = self.succeed(
            f'build_backing_store $PWD/ram {filesystem} 64 {source}\n'
            f'remove_backing_store $PWD/ram {source}\n'
            f'remove_backing_store $PWD/ram {source}\n'
            'ls; findmnt -rn $PWD/ram || true')
        self.assertEqual('ram\n', left)

    def test_removal_takes_a_half_made_loop_file(self):
        self.assertEqual('image.new\nram\nram\n', self.succeed(
            'image=$PWD/image; function mkfs.ext4 { false; }\n'
            '(build_backing_store $PWD/ram ext4 64 $image) || ls\n'
            'remove_backing_store $PWD/ram $image; ls'))

    def test_loop_file_has_its_blocks_and_is_private(self):
        mode, size, blocks = self.succeed(
            'build_backing_store $PWD/ram ext4 64 $image\n'
            'stat -c "%a %s %b" $image').split()
        self.assertEqual(('600', str(64 << 20)), (mode, size))
        self.assertGreaterEqual(int(blocks) * 512, 63 << 20)

    def test_old_store_is_made_anew(self):
        self.assertEqual('lost+found\n', self.succeed(
            'build_backing_store $PWD/ram ext4 64 $image\n'
            'touch ram/old; umount ram\n'
            'build_backing_store $PWD/ram ext4 64 $image; ls ram'))

    @ddt.unpack
    @ddt.data(
        ('tmpfs 0', 'size of 0 MiB'),
        ('tmpfs 1G', "'1G' is not a whole number"),
        ('tmpfs 64 /some/file', 'tmpfs has no source'),
        ('btrfs 64', "'btrfs' is none of tmpfs, ext4 and xfs"),
        ('ext4 64', 'ext4 needs a block device or the absolute path'),
        ('xfs 299 $image', 'xfs needs at least 300 MiB, not 299'))
    def test_senseless_request_is_refused(self, request, message):
        self.refuse(message, f'build_backing_store $PWD/ram {request}')

    @ddt.data('ram', '/a,b', '/a b', '/a"b', '/')
    def test_unsafe_directory_is_refused(self, directory):
        self.refuse('give an absolute path',
                    f"build_backing_store '{directory}' tmpfs 64")

    @ddt.data('tmpfs 32', 'ext4 64 $image')
    def test_other_mount_is_refused(self, request):
        self.refuse('tmpfs mempage is mounted there, not the',
                    'build_backing_store $PWD/ram tmpfs 64\n'
                    f'build_backing_store $PWD/ram {request}')

    def test_mount_of_the_operator_is_used_and_stays(self):
        self.assertEqual('own\n', self.succeed(
            'mkdir ram; mount -t tmpfs -o size=64M own ram\n'
            'build_backing_store $PWD/ram tmpfs 64\n'
            'remove_backing_store $PWD/ram\n'
            'findmnt -rno SOURCE $PWD/ram'))

    def test_foreign_file_is_refused_and_stays(self):
        self.refuse('image-.* exists and is not a backing store',
                    'echo precious >$image\n'
                    'remove_backing_store $PWD/ram $image\n'
                    'grep -q precious $image\n'
                    'build_backing_store $PWD/ram ext4 64 $image')

    def test_lack_of_room_is_refused_and_leaves_no_file(self):
        self.refuse('no room for .*/small/image of 64 MiB',
                    'trap "ls -A small >&2" EXIT\n'
                    'mkdir small; mount -t tmpfs -o size=8M small small\n'
                    'build_backing_store $PWD/ram ext4 64 $PWD/small/image')

    def test_busy_store_is_refused_with_its_users(self):
        self.refuse(r'used by: bash\(\d+\)',
                    'build_backing_store $PWD/ram tmpfs 64\n'
                    'exec 3>ram/file\n'
                    'remove_backing_store $PWD/ram')

    def test_missing_loop_node_is_made_in_a_private_dev(self):
        self.succeed(
            'mkdir dev; mount -t tmpfs dev dev\n'
            'mknod dev/null c 1 3; mknod dev/loop-control c 10 237\n'
            'mount --move dev /dev\n'
            'build_backing_store $PWD/ram ext4 64 $image\n'
            'build_backing_store $PWD/ram ext4 64 $image\n'
            'remove_backing_store $PWD/ram $image')

    def test_lack_of_loop_devices_is_explained(self):
        self.refuse('is the loop module loaded, and /dev/loop-control there',
                    'function losetup { return 1; }\n'
                    'mkdir dev; mount -t tmpfs dev dev\n'
                    'mknod dev/null c 1 3; mount --move dev /dev\n'
                    'build_backing_store $PWD/ram ext4 64 $image')


@ddt.ddt
class BlockDeviceTest(base.ShellTest):

    # a loop device serves as the disk
    DISK = """
truncate -s 64M $image
disk=$(losetup --find --show $image)
trap 'umount -q $PWD/ram || true; losetup -d $disk' EXIT
"""

    def test_disk_can_be_used_again_and_again(self):
        self.assertEqual('ext4\n', self.succeed(
            self.DISK +
            'build_backing_store $PWD/ram ext4 64 $disk\n'
            'build_backing_store $PWD/ram ext4 64 $disk\n'
            'remove_backing_store $PWD/ram $disk\n'
            '[[ -b $disk ]]\n'
            'build_backing_store $PWD/ram ext4 64 $disk\n'
            'findmnt -rno FSTYPE $PWD/ram'))

    @ddt.data('mkfs.ext4 -q -L precious ', 'mkswap ',
              r"printf 'LUKS\272\276\0\1' | dd conv=notrunc status=none of=")
    def test_disk_with_anything_on_it_is_refused(self, command):
        self.refuse('it carries (ext4 precious|swap|crypto_LUKS) - if',
                    self.DISK + command + '$disk >/dev/null\n'
                    'build_backing_store $PWD/ram ext4 64 $disk')

    def test_small_disk_is_refused(self):
        self.refuse('has 64 MiB, not the 65 MiB asked for',
                    self.DISK +
                    'build_backing_store $PWD/ram ext4 65 $disk')


@ddt.ddt
class QemuConfTest(base.ShellTest):

    BLOCK = ('# BEGIN mempage: where guests have their memory\n'
             'memory_backing_dir = "/%s"\n'
             '# END mempage\n')

    def setUp(self):
        super().setUp()
        self.conf = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'qemu.conf')
        self._write('user = "root"\n#memory_backing_dir = "/x"\n')
        os.chmod(self.conf, 0o600)

    def _write(self, text):
        pathlib.Path(self.conf).write_text(text)

    def _read(self):
        return pathlib.Path(self.conf).read_text()

    def _set(self, directory):
        self.succeed(f'set_memory_backing_dir {self.conf} {directory}')

    def test_directory_is_set_once_with_the_mode_kept(self):
        before = self._read()
        self._set('/one')
        self._set('/one')
        self.assertEqual(before + self.BLOCK % 'one', self._read())
        self.assertEqual(0o600, os.stat(self.conf).st_mode & 0o777)

    def test_directory_can_change(self):
        before = self._read()
        self._set('/one')
        self._set('/two/')
        self.assertEqual(before + self.BLOCK % 'two', self._read())

    def test_unset_puts_the_file_back(self):
        before = self._read()
        self._set('/one')
        self.succeed(f'unset_memory_backing_dir {self.conf}\n' * 2)
        self.assertEqual(before, self._read())

    def test_file_without_a_last_newline(self):
        self._write('a = 1')
        self._set('/one')
        self.assertEqual('a = 1\n' + self.BLOCK % 'one', self._read())

    def test_line_of_the_operator_with_the_same_directory_serves(self):
        self._write('memory_backing_dir = "/one"\n')
        self._set('/one')
        self.assertEqual('memory_backing_dir = "/one"\n', self._read())

    @ddt.data('memory_backing_dir="/one/"', "  memory_backing_dir = '/one'",
              'memory_backing_dir = "/one" # "/two"', "memory_backing_dir\t="
              "\t'//one/.' ", 'memory_backing_dir = "/one"\n'
              'memory_backing_dir = "/two"')
    def test_line_of_the_operator_in_another_spelling_serves(self, line):
        self._write(line + '\n')
        self._set('/one')
        self.assertEqual(line + '\n', self._read())

    def test_link_to_the_directory_serves(self):
        self._write('memory_backing_dir = "/proc/self/root/one"\n')
        self._set('/one')
        self.assertNotIn('BEGIN', self._read())

    def test_block_before_the_line_of_the_operator_goes(self):
        self._set('/two')
        self._write(self._read() + 'memory_backing_dir = "/one/"\n')
        self._set('/one')
        self.assertNotIn('two', self._read())

    @ddt.data('memory_backing_dir = "/two"',
              'memory_backing_dir = "/two" # "/one"',
              'memory_backing_dir = "/two"\nmemory_backing_dir = "/one"')
    def test_line_of_the_operator_with_another_one_is_refused(self, line):
        self._write(line + '\n')
        self.refuse('already says \'memory_backing_dir = "/two"',
                    f'set_memory_backing_dir {self.conf} /one')

    def test_missing_file_is_refused(self):
        self.refuse('/none does not exist', 'set_memory_backing_dir /none /a')
