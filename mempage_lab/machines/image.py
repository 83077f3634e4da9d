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

"""What machines boot: a kernel, an initramfs and a disk with Debian on it."""

import functools
import hashlib
import os
import pathlib
import re
import shutil
import struct
import tempfile
import uuid

from mempage_lab import errors
from mempage_lab import files
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import shell
from mempage_lab import systems

HERE = pathlib.Path(__file__).resolve().parent
ROOTFS = HERE / 'rootfs'
INIT = HERE / 'initramfs-init'

PACKAGES = (
    'linux-image-amd64', 'systemd', 'systemd-sysv', 'udev', 'dbus', 'kmod',
    'procps', 'sudo', 'polkitd', 'ca-certificates', 'openssh-server',
    'openssh-client', 'qemu-guest-agent', 'apparmor', 'apparmor-utils',
    # Disks, and memory that lies on them.
    'nvme-cli', 'smartmontools', 'fio', 'dmsetup', 'thin-provisioning-tools',
    'xfsprogs', 'e2fsprogs', 'numactl',
    'qemu-system-x86', 'qemu-utils', 'libvirt-daemon',
    'libvirt-daemon-driver-qemu', 'libvirt-daemon-system', 'libvirt-clients',
    'genisoimage', 'openvswitch-switch', 'ovn-host', 'ethtool', 'iproute2',
    'iputils-ping', 'hostname',
    # OpenStack's virtual environment has no Python of its own.
    'python3', 'libmariadb3')
#: Debian packages that the build needs on this machine.
BUILD_PACKAGES = ('mmdebstrap', 'busybox-static', 'cpio', 'e2fsprogs', 'kmod',
                  'xz-utils', 'zstd')
# What the root lies on. Debian's kernel has none of it built in.
MODULES = ('virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4')
# Units that nobody needs here; some cost an emulated CPU a second or more.
MASKED = (
    'apt-daily.timer', 'apt-daily-upgrade.timer', 'console-setup.service',
    'dpkg-db-backup.timer', 'e2scrub_all.timer', 'e2scrub_reap.service',
    'fstrim.timer', 'getty.target', 'hwclock.service',
    'keyboard-setup.service',
    'ldconfig.service', 'libvirt-guests.service', 'logrotate.timer',
    'modprobe@configfs.service', 'modprobe@drm.service',
    'modprobe@efi_pstore.service', 'modprobe@fuse.service',
    'nvmefc-boot-connections.service', 'nvmf-autoconnect.service',
    'proc-sys-fs-binfmt_misc.automount', 'smartmontools.service',
    # Of an image all machines would have the same keys.
    'sshd-keygen.service',
    'sys-kernel-debug.mount', 'sys-kernel-tracing.mount',
    'systemd-ask-password-console.path', 'systemd-ask-password-wall.path',
    'systemd-binfmt.service', 'systemd-firstboot.service',
    'systemd-fsck-root.service',
    'systemd-hibernate-clear.service', 'systemd-hwdb-update.service',
    'systemd-journal-catalog-update.service',
    'systemd-journal-flush.service', 'systemd-logind.service',
    'systemd-machine-id-commit.service', 'systemd-pcrmachine.service',
    'systemd-pcrphase.service', 'systemd-pcrphase-sysinit.service',
    'systemd-pstore.service', 'systemd-random-seed.service',
    'systemd-remount-fs.service',
    'systemd-sysusers.service', 'systemd-tmpfiles-clean.timer',
    'systemd-tpm2-setup.service', 'systemd-tpm2-setup-early.service',
    'systemd-update-done.service', 'uuidd.socket', 'xfs_scrub_all.timer')
# So do the programs that look for units to make.
MASKED_GENERATORS = ('debug', 'getty', 'gpt-auto', 'hibernate-resume',
                     'import', 'rc-local', 'run', 'ssh', 'system-update',
                     'sysv', 'tpm2')
# Of an image, they would be the same everywhere.
_IDENTITY = ('etc/ssh/ssh_host_*', 'etc/openvswitch/system-id.conf',
             'etc/hostname', 'etc/machine-id', 'var/lib/dbus/machine-id',
             'etc/resolv.conf', 'var/cache/apt/*.bin', 'var/lib/apt/lists/*_*')
#: Sparse: what a machine's own files may take, too.
ROOT_SIZE = '16G'


class Image:
    """The disk of one Debian with kernel and initramfs beside it.

    :param system: the :class:`mempage_lab.systems.System` that it is, of
        which only the name counts
    """

    def __init__(self, system):
        self.system = system
        self.kernel = self.directory / 'vmlinux'
        self.initramfs = self.directory / 'initramfs'
        self.root = self.directory / 'root.ext4'

    @functools.cached_property
    def directory(self):
        """Where it is kept, named after what it is made of."""
        digest = hashlib.sha256(repr(self.system.name).encode())
        recipe = [pathlib.Path(__file__), INIT, *sorted(
            filter(pathlib.Path.is_file, ROOTFS.rglob('*')))]
        for path in recipe:
            digest.update(str(path.relative_to(HERE)).encode())
            digest.update(path.read_bytes())
        return paths.CACHE / 'machine-{}-{}'.format(
            self.system.name, digest.hexdigest()[:12])

    def make(self):
        """Make it, unless it is there.

        It appears under its name when it is complete. A killed build leaves
        some gigabytes, which the next one removes.

        :raises LabError: with what went wrong
        """
        if self.directory.exists():
            return
        packages.install_debian(BUILD_PACKAGES)
        paths.CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = self.directory.with_suffix('.new')
        systems.remove_tree(unfinished)
        unfinished.mkdir()
        tree = unfinished / 'tree'
        self._bootstrap(tree)
        _adapt(tree)
        _make_kernel(tree, unfinished / self.kernel.name)
        _make_initramfs(tree, unfinished / self.initramfs.name)
        make_disk(tree, unfinished / self.root.name, ROOT_SIZE)
        systems.remove_tree(tree)
        unfinished.rename(self.directory)

    def _bootstrap(self, tree):
        systems.bootstrap(
            self.system.codename, tree, PACKAGES,
            # Machines are written to: documents are of no use there.
            '--dpkgopt=path-exclude=/usr/share/doc/*',
            '--dpkgopt=path-exclude=/usr/share/man/*',
            '--dpkgopt=path-exclude=/usr/share/locale/*')


def _adapt(tree):
    """Make a new Debian the one that machines boot."""
    for pattern in _IDENTITY:
        for path in tree.glob(pattern):
            path.unlink()
    # Compiling those of programs that are not there takes a minute.
    for profile in tree.glob('etc/apparmor.d/*'):
        if profile.is_file() and 'libvirt' not in profile.name:
            profile.unlink()
    shutil.copytree(ROOTFS, tree, dirs_exist_ok=True)
    for path in (tree / 'usr/local/sbin').iterdir():
        # A wheel's installer may lose the mode of the files.
        path.chmod(0o755)
    # systemd takes a machine without one for new, and presets all units.
    (tree / 'etc/machine-id').write_text(hashlib.md5(
        b'mempage-lab', usedforsecurity=False).hexdigest() + '\n')
    (tree / 'etc/hostname').write_text('machine\n')
    # The initramfs mounts the root, the kernel's command line has the rest.
    (tree / 'etc/fstab').unlink(missing_ok=True)
    units = tree / 'etc/systemd/system'
    for unit in MASKED:
        _link(units / unit, '/dev/null')
    for name in MASKED_GENERATORS:
        _link(tree / 'etc/systemd/system-generators'
              / ('systemd-%s-generator' % name), '/dev/null')
    _link(units / 'default.target', '/usr/lib/systemd/system/'
          'multi-user.target')
    for unit in ('mempage-settle.service', 'mempage-setup.service'):
        _enable(units, 'multi-user.target', unit)
    # sshd reads its keys when the first one connects, which is after the
    # machine got them.
    _enable(units, 'sockets.target', 'ssh.socket')
    (units / 'multi-user.target.wants/ssh.service').unlink(missing_ok=True)
    # Whoever adds the machine to a cloud says what Open vSwitch calls it. Not
    # masked: what requires a masked unit does not start, but for some boots.
    for link in units.glob('*.requires/ovs-record-hostname.service'):
        link.unlink()


def _enable(units, target, unit):
    _link(units / (target + '.wants') / unit,
          '/etc/systemd/system/' + unit if (units / unit).exists()
          else '/usr/lib/systemd/system/' + unit)


def _link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _make_kernel(tree, target):
    """Unpack the kernel, which an emulated CPU would take seconds for.

    QEMU starts an unpacked one by the entry point that Xen's guests use.
    """
    packed = files.only(tree, 'boot/vmlinuz-*').read_bytes()
    # The Linux/x86 boot protocol, 2.08 and later: sectors before the payload,
    # then where it is in what follows them and how long.
    sectors = packed[0x1f1] or 4
    offset, length = struct.unpack_from('<II', packed, 0x248)
    start = (sectors + 1) * 512 + offset
    payload = packed[start:start + length]
    for magic, tool in ((b'\x28\xb5\x2f\xfd', 'zstd'), (b'\xfd7zXZ', 'xz'),
                        (b'\x1f\x8b', 'gzip')):
        if payload.startswith(magic):
            _unpack(tool, payload, target)
            return
    raise errors.LabError('the kernel is packed in an unknown way: %s'
                          % payload[:6].hex())


def _unpack(tool, payload, target):
    with tempfile.NamedTemporaryFile(dir=target.parent) as packed:
        packed.write(payload)
        packed.flush()
        # The size that follows the packed data makes tools complain, after
        # they wrote everything.
        shell.run('sh', '-c', '%s -dc "$1" > "$2" 2> /dev/null || true'
                  % tool, 'sh', packed.name, target)
    with target.open('rb') as unpacked:
        if unpacked.read(4) != b'\x7fELF':
            raise errors.LabError('%s cannot unpack the kernel' % tool)


def _make_initramfs(tree, target):
    """Make one of busybox and the modules for the root only."""
    modules = files.only(tree, 'usr/lib/modules/*')
    plan = shell.run(
        'modprobe', '-d', tree, '-C', '/dev/null', '-S', modules.name, '--all',
        '--show-depends', *MODULES)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        content = pathlib.Path(scratch)
        (content / 'bin').mkdir()
        (content / 'modules').mkdir()
        shutil.copy('/bin/busybox', content / 'bin/busybox')
        shutil.copy(INIT, content / 'init')
        (content / 'init').chmod(0o755)
        order = []
        for path in re.findall(r'^insmod (\S+)', plan, re.MULTILINE):
            module = pathlib.Path(path)
            name = module.name.removesuffix('.xz')
            if name not in order:
                order.append(name)
                _copy_module(module, content / 'modules' / name)
        (content / 'modules/order').write_text('\n'.join(order) + '\n')
        names = '\n'.join(str(path.relative_to(content))
                          for path in sorted(content.rglob('*')))
        shell.run('cpio', '--create', '--format=newc', '--owner=0:0',
                  '--quiet', '--file=%s' % target, cwd=content, input=names)


def _copy_module(source, target):
    if source.suffix == '.xz':
        shell.run('sh', '-c', 'xz -dc "$1" > "$2"', 'sh', source, target)
    else:
        shutil.copy(source, target)


def make_disk(tree, target, size):
    """Make a disk with the files of a directory.

    :param tree: the directory
    :param target: path of the disk
    :param size: its size, as mke2fs takes it; it is sparse
    """
    # Checksums of metadata cost an emulated CPU more than others, and its
    # disk does not lose a bit.
    shell.run(*systems.ENDS_WITH_US, 'mke2fs', '-q', '-t', 'ext4', '-F',
              '-m', '0', '-O', '^metadata_csum,^resize_inode',
              '-E', 'root_owner=0:0', '-d', tree, target, size)
    os.chmod(target, 0o644)


def disk_uuid(disk):
    """Return what tells a disk from another one of the same recipe.

    :param disk: path of what :func:`make_disk` made
    """
    with disk.open('rb') as stream:
        # The superblock is 1024 bytes from the beginning.
        stream.seek(1024 + 0x68)
        return str(uuid.UUID(bytes=stream.read(16)))
