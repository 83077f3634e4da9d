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

"""The Debian that nodes run: the machine's own, or a tree of another one.

A tree is made once and kept in the cache, named after what is in it. Nodes
mount their own directories over it and never write to it.
"""

import functools
import hashlib
import pathlib
import platform
import shutil
import sys

from mempage_lab import errors
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import shell

#: The code name of each Debian that hosts can run, and the minor version of
#: its Python 3.
DEBIANS = {'debian-12': ('bookworm', 11), 'debian-13': ('trixie', 13)}
#: What a tree has beside the packages that a machine needs: the supervisor of
#: a node is the lab's own Python on a machine, which a tree does not have.
TREE_PACKAGES = (*packages.DEBIAN, *packages.BUILD, 'ca-certificates', 'dbus',
                 'kmod', 'procps', 'supervisor')
MIRROR = 'http://deb.debian.org/debian'
#: Of the machine, for the network's sake.
_COPIED = ('/etc/pip.conf', '/etc/resolv.conf',
           '/etc/ssl/certs/ca-certificates.crt')
#: A killed lab must leave neither mounts nor a command that goes on.
ENDS_WITH_US = ('setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount',
                '--propagation', 'private', '--pid', '--fork',
                '--kill-child=SIGKILL')


class System:
    """One Debian.

    :param name: one of :data:`DEBIANS`
    :param extra: names of packages that it has besides
    """

    def __init__(self, name, extra=()):
        self.name = name
        self.extra = tuple(extra)
        self.codename, self.python = DEBIANS[name]

    @functools.cached_property
    def is_machine(self):
        """Whether it is that of the machine."""
        return self.name == machine_name()

    @functools.cached_property
    def root(self):
        """Where the machine has its files; a :class:`pathlib.Path`."""
        if self.is_machine:
            return pathlib.Path('/')
        recipe = repr((self.name, self._packages)).encode()
        return paths.CACHE / 'system-{}-{}'.format(
            self.name, hashlib.sha256(recipe).hexdigest()[:12])

    @property
    def _packages(self):
        return (*TREE_PACKAGES, *self.extra)

    @property
    def supervisor(self):
        """The directory of the Python that has the supervisor's modules.

        As nodes see it; a :class:`pathlib.Path`.
        """
        if self.is_machine:
            return pathlib.Path(sys.prefix, 'bin')
        return pathlib.Path('/usr/bin')

    def seen(self, path):
        """Return where the machine sees a path of the system's.

        :param path: an absolute path
        """
        return self.root / str(path).lstrip('/')

    def make(self):
        """Make the tree, unless it is there or none is needed.

        :raises CommandFailed: with the end of what the tool printed
        """
        if self.is_machine and self.extra:
            packages.install_debian(self.extra)
        if self.is_machine or self.root.exists():
            return
        packages.install_debian(['mmdebstrap'])
        paths.CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = self.root.with_suffix('.new')
        remove_tree(unfinished)
        bootstrap(self.codename, unfinished, self._packages)
        for path in filter(pathlib.Path.exists, map(pathlib.Path, _COPIED)):
            copy = unfinished / str(path).lstrip('/')
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        unfinished.rename(self.root)

    def run(self, *command, visible=(), **kwargs):
        """Run a command in the system and return what it printed.

        :param visible: paths of the machine's that it sees beside the cache;
            the machine's own system sees all of them anyway
        """
        if self.is_machine:
            return shell.run(*command, **kwargs)
        script = ['set -e', 'root=$1', 'shift',
                  'mount -t proc proc "$root/proc"',
                  'mount --rbind /dev "$root/dev"',
                  'mount -t tmpfs tmpfs "$root/tmp"']
        for path in (paths.CACHE, *visible):
            script.append('mkdir -p "$root/{0}"; mount --rbind "{0}" '
                          '"$root/{0}"'.format(path))
        script.append('exec chroot "$root" "$@"')
        return shell.run(
            *ENDS_WITH_US, 'sh', '-c', '\n'.join(script), 'sh', self.root,
            *command, **kwargs)

    def uid(self, user):
        """Return the numbers of a user and of his group.

        :raises LabError: if the system has no such user
        """
        for line in self.seen('/etc/passwd').read_text().splitlines():
            name, _, uid, gid, *_ = line.split(':')
            if name == user:
                return int(uid), int(gid)
        raise errors.LabError('%s has no user %s' % (self.name, user))


def bootstrap(codename, tree, wanted, *options):
    """Make a tree of a Debian from where the machine's own packages are.

    :param codename: of the Debian
    :param tree: where, a :class:`pathlib.Path`
    :param wanted: names of packages
    :param options: more of mmdebstrap's
    """
    shell.run(
        *ENDS_WITH_US, 'mmdebstrap', '--quiet', '--variant=minbase',
        '--aptopt=APT::Install-Recommends "false"', *options,
        '--include=' + ','.join(wanted), codename, tree, mirror())


def mirror():
    """Return where the machine's own packages are from."""
    # Others' repositories may have a main, too.
    known = ['%s main' % codename for codename, _ in DEBIANS.values()]
    for line in shell.run(
            'apt-get', 'indextargets', '--format',
            '$(REPO_URI) $(CODENAME) $(COMPONENT)',
            'Identifier: Packages').splitlines():
        uri, _, suite = line.partition(' ')
        if suite in known:
            return uri
    return MIRROR


def remove_tree(path):
    """Remove a tree, unless something is mounted in it."""
    if path.exists():
        shell.run('rm', '-rf', '--one-file-system', path)


@functools.cache
def machine_name():
    """Return the name of the machine's own system."""
    release = platform.freedesktop_os_release()
    return '%s-%s' % (release.get('ID', '?'), release.get('VERSION_ID', '?'))
