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

"""The lab's guest image: a bootable disk made of Debian packages.

A FAT file system with syslinux, Debian's cloud kernel and an initramfs, which
is the guest's root: nothing is mounted to build it and nothing is resized
when it boots.
"""

import hashlib
import lzma
import os
import pathlib
import re
import shutil
import tempfile

from mempage_lab import errors
from mempage_lab import files
from mempage_lab import shell

#: Debian packages that the build needs on this machine.
PACKAGES = ['busybox-static', 'cpio', 'dropbear-bin', 'fdisk', 'ioping',
            'jshon', 'kmod', 'lz4', 'mbw', 'memtester', 'mtools', 'syslinux',
            'util-linux']

#: Who logs in over ssh, with the server's key.
LOGIN_USER = 'guest'

RECIPE = pathlib.Path(__file__).resolve().parent / 'guest'

KERNEL = 'linux-image-cloud-amd64'

# The standard pc machine: the network, the power button, a config drive on
# an IDE cdrom or a virtio disk, and what nova adds to every guest.
MODULES = ['virtio_pci', 'virtio_net', 'virtio_blk', 'virtio_balloon',
           'virtio_rng', 'ata_piix', 'sr_mod', 'isofs', 'vfat', 'nls_ascii',
           'nls_cp437', 'nls_utf8', 'button', 'evdev']

# To mount shares.
SHARE_MODULES = ('virtiofs',)

# What busybox lacks: the ssh server, a parser for the metadata, and what
# Tempest and measurements ask a guest for.
PROGRAMS = ['dropbear', 'dropbearkey', 'jshon', 'memtester', 'blkid',
            'lsblk', 'ioping', 'mbw']

DIRECTORIES = ['dev', 'etc/dropbear', 'home/guest/.ssh', 'mnt', 'proc', 'root',
               'run/guest', 'sys', 'tmp', 'var/log', 'var/run']

# Of the package syslinux. It boots the partition that is marked.
_MASTER_BOOT_RECORD = pathlib.Path('/usr/lib/SYSLINUX/mbr.bin')
_SECTOR = 512
_FIRST_SECTOR = 2048

# As root the search path may lack these, as a user it does.
SEARCH_PATH = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'

_SIGNATURE_MAGIC = b'~Module signature appended~\n'

# Beside kernel and initramfs, in MiB: syslinux and the file system itself.
SPARE = 2


def fingerprint(extra=()):
    """Identify what :func:`build` would build.

    :param extra: as of it
    :returns: a hash that changes with the recipe and with the kernel that
        the distribution offers
    :raises CommandFailed: if apt does not know the kernel package
    """
    digest = hashlib.sha256(' '.join((*_kernel_package(), *extra)).encode())
    digest.update(pathlib.Path(__file__).read_bytes())
    for path in sorted(RECIPE.rglob('*')):
        if path.is_file():
            digest.update(str(path.relative_to(RECIPE)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def build(destination, workdir, extra=()):
    """Build the image as a raw disk.

    It appears under its name when it is complete: a build that fails, is
    killed or runs beside another one harms nothing.

    :param destination: pathlib.Path of the image
    :param workdir: pathlib.Path of a directory for temporary files, about
        200 MiB; a killed build leaves some there, which may be removed
    :param extra: modules of the kernel that it has besides, as those of
        :data:`SHARE_MODULES`
    :raises CommandFailed: if a command failed, with the end of its output
    :raises LabError: if a program or a file of a package is missing
    """
    workdir = workdir.resolve()
    workdir.mkdir(parents=True, exist_ok=True)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workdir) as scratch:
        scratch = pathlib.Path(scratch)
        kernel = _fetch_kernel(scratch)
        root = scratch / 'root'
        _add_directories(root)
        _add_recipe(root)
        for program in PROGRAMS:
            _add_program(root, program)
        _add_busybox(root)
        _add_modules(root, kernel, extra)
        initramfs = scratch / 'initramfs'
        _pack(root, initramfs)
        disk = scratch / 'disk'
        _make_disk(disk, files.only(kernel, 'boot/vmlinuz-*'), initramfs)
        _publish(disk, destination)


def _kernel_package():
    """Return name and version of the package behind the metapackage."""
    record = shell.run('apt-cache', 'show', '--no-all-versions', KERNEL)
    depends = re.search(r'^Depends: (linux-image-\S+) \(= (\S+)\)', record,
                        re.MULTILINE)
    if depends is None:
        raise errors.LabError(
            '%s names no kernel package in its dependencies: %s'
            % (KERNEL, record))
    return depends.groups()


def _fetch_kernel(scratch):
    """Download and unpack the kernel without installing it."""
    name, version = _kernel_package()
    shell.run('apt-get', 'download', '-o', 'APT::Sandbox::User=root',
              '-o', 'Acquire::Retries=3', '%s=%s' % (name, version),
              cwd=scratch)
    kernel = scratch / 'kernel'
    shell.run('dpkg-deb', '--extract', files.only(scratch, '*.deb'), kernel)
    return kernel


def _which(program):
    """Return the path of a program that a package of ours brings."""
    path = shutil.which(program, path=SEARCH_PATH)
    if path is None:
        raise errors.LabError(
            '%s is not installed. The guest image needs: apt-get install %s'
            % (program, ' '.join(PACKAGES)))
    return pathlib.Path(path)


def _add_directories(root):
    for directory in DIRECTORIES:
        (root / directory).mkdir(parents=True)


def _add_recipe(root):
    """Copy the recipe's files; scripts become executable.

    A wheel's installer may lose the mode of the files.
    """
    shutil.copytree(RECIPE / 'rootfs', root, dirs_exist_ok=True)
    for path in root.rglob('*'):
        if path.is_file():
            script = path.read_bytes().startswith(b'#!')
            path.chmod(0o755 if script else 0o644)
    # sshd refuses a key that others could have written.
    for directory in ('home/guest', 'home/guest/.ssh'):
        (root / directory).chmod(0o700)


def _add_program(root, program):
    """Copy a program and the libraries that it is linked with."""
    source = _which(program)
    _copy(source, root / 'usr/bin' / program)
    for library in _libraries(shell.run('ldd', source)):
        _copy(library, root / library.relative_to('/'))


def _libraries(text):
    """Return the files in the output of ldd."""
    return [pathlib.Path(path)
            for path in re.findall(r'(/\S+) \(0x', text)]


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _add_busybox(root):
    """Copy busybox, with links for what no other file provides."""
    source = _which('busybox')
    _copy(source, root / 'bin/busybox')
    for applet in shell.run(source, '--list-full').split():
        link = root / applet
        link.parent.mkdir(parents=True, exist_ok=True)
        if not (root / 'usr/bin' / link.name).exists() and not link.exists():
            link.symlink_to('/bin/busybox')
    (root / 'init').symlink_to('/bin/busybox')


def _add_modules(root, kernel, extra):
    """Copy the kernel modules and those that they depend on."""
    tree = files.only(kernel, 'lib/modules/*', 'usr/lib/modules/*')
    release = tree.name
    base = tree.parents[2]
    shell.run(_which('depmod'), '-b', base, release)
    plan = shell.run(_which('modprobe'), '-d', base, '-C', '/dev/null',
                     '-S', release, '--all', '--show-depends', *MODULES,
                     *extra)
    modules = root / 'lib/modules' / release
    for module in re.findall(r'^insmod (\S+)', plan, re.MULTILINE):
        target = modules / pathlib.Path(module).relative_to(tree)
        _copy(module, target)
        if target.suffix == '.xz':
            module = target.with_suffix('')
            module.write_bytes(lzma.open(target).read())
            target.unlink()
            target = module
        _remove_signature(target)
    for name in ('modules.builtin', 'modules.order'):
        _copy(tree / name, modules / name)
    shell.run(_which('depmod'), '-b', root, release)


def _remove_signature(module):
    """Remove a kernel module's signature: the kernel loads it without, too.

    To verify it takes an emulated CPU longer than all else that loading does.
    The format is that of the kernel's include/linux/module_signature.h.
    """
    content = module.read_bytes()
    if content.endswith(_SIGNATURE_MAGIC):
        end = len(content) - len(_SIGNATURE_MAGIC)
        length = int.from_bytes(content[end - 4:end], 'big')
        module.write_bytes(content[:end - 12 - length])


def _pack(root, initramfs):
    """Pack the root: lz4 costs an emulated CPU the least."""
    names = '\n'.join(str(path.relative_to(root))
                      for path in sorted(root.rglob('*')))
    archive = initramfs.with_suffix('.cpio')
    shell.run('cpio', '--create', '--format=newc', '--owner=0:0', '--quiet',
              '--file=%s' % archive, cwd=root, input=names)
    # -l: the format that the kernel reads
    shell.run('lz4', '-l', '-9', '-q', archive, initramfs)


def _make_disk(disk, vmlinuz, initramfs):
    """Make a bootable disk with a FAT file system that fits its files.

    Without a table of partitions, Nova 30 takes its first bytes for a broken
    one: "Image does not pass safety check".
    """
    content = vmlinuz.stat().st_size + initramfs.stat().st_size
    sectors = (content // 2 ** 20 + 1 + SPARE) * 2 ** 20 // _SECTOR
    with open(disk, 'wb') as stream:
        stream.write(_MASTER_BOOT_RECORD.read_bytes())
        stream.truncate((_FIRST_SECTOR + sectors) * _SECTOR)
    shell.run(_which('sfdisk'), '--quiet', disk, input=(
        'label: dos\nstart=%d, size=%d, type=c, bootable\n'
        % (_FIRST_SECTOR, sectors)))
    offset = _FIRST_SECTOR * _SECTOR
    part = '%s@@%d' % (disk, offset)
    shell.run('mformat', '-i', part, '-v', 'GUEST', '-T', sectors,
              '-H', _FIRST_SECTOR, '-h', 16, '-s', 63, '::')
    shell.run('mcopy', '-i', part, vmlinuz, '::vmlinuz')
    shell.run('mcopy', '-i', part, initramfs, '::initramfs')
    shell.run('mcopy', '-i', part, RECIPE / 'syslinux.cfg', '::syslinux.cfg')
    shell.run('syslinux', '--install', '--offset', offset, disk)


def _publish(disk, destination):
    """Give the complete image its name, also on another file system."""
    handle, part = tempfile.mkstemp(dir=destination.parent,
                                    prefix='.%s.' % destination.name)
    os.close(handle)
    try:
        shutil.copyfile(disk, part)
        os.chmod(part, 0o644)
        os.replace(part, destination)
    except BaseException:
        os.unlink(part)
        raise
