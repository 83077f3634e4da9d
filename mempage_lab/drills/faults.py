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

"""The ways to break one node of the lab, and to mend it again.

A fault is known to the node alone: what all nodes share, such as Nova's
source, is changed for this node by a mount over it. Whatever a fault needs to
be taken back lies in a directory of the node, until it is taken back: whoever
is killed meanwhile leaves enough for the next one to do it.
"""

import abc
import dataclasses

from mempage_lab import files
from mempage_tempest_plugin.changes import ini

#: Where a node keeps what is needed to mend it, as the node sees it.
DIRECTORY = '/etc/mempage-lab/drill'
#: A command that ends what :func:`in_background` has begun.
END_BACKGROUND = 'xargs --no-run-if-empty kill < %s/pids || true' % DIRECTORY
NOVA_CONF = '/etc/nova/nova.conf'
EMULATOR = '/usr/bin/qemu-system-x86_64'
# QEMU finds its modules and firmware from where it lies: while something else
# is in its place, the real one lies over this one, which no guest uses.
UNUSED = '/usr/bin/qemu-system-i386'


def _kept(node, name):
    path = node.private(DIRECTORY) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _mount_over(node, path, text, mode=0o644):
    """Let a node see another text where all nodes see a file."""
    name = path.strip('/').replace('/', '-')
    node.write('%s/%s' % (DIRECTORY, name), text, mode=mode)
    node.run('mount', '--bind', '%s/%s' % (DIRECTORY, name), path)


def _unmount(node, path):
    if str(path) in node.run('cat', '/proc/self/mounts').split():
        node.run('umount', path)


class Fault(abc.ABC):
    """A way to break a node, and to mend it.

    :ivar programs: names of the programs that notice either only when they
        start, in the order of their restart
    """

    programs: tuple

    @abc.abstractmethod
    def put_in(self, node):
        """Break a node.

        :param node: the :class:`mempage_lab.node.Node`
        :raises LabError: if it cannot be broken like that
        """

    @abc.abstractmethod
    def put_back(self, node):
        """Mend a node, as often as this is called.

        :param node: the :class:`mempage_lab.node.Node`, which may have been
            broken in part only
        """


@dataclasses.dataclass(frozen=True)
class Source(Fault):
    """Other source of a Python module that the node's services run.

    :ivar module: path below site-packages
    :ivar old: what stands there, once
    :ivar new: what is to stand there
    """

    module: str
    old: str
    new: str
    programs: tuple = ('nova-compute',)

    def put_in(self, node):
        path = node.installation.module(self.module)
        _mount_over(node, str(path), files.replaced(path, self.old, self.new))

    def put_back(self, node):
        _unmount(node, node.installation.module(self.module))


class _OwnFile(Fault):
    """Another text in a file of the node's own.

    :ivar file: its path as the node sees it
    """

    file: str

    @abc.abstractmethod
    def _change(self, text):
        """Return the other text."""

    def put_in(self, node):
        path = node.private(self.file)
        text = path.read_text()
        _kept(node, 'original').write_text(text)
        path.write_text(self._change(text))

    def put_back(self, node):
        original = _kept(node, 'original')
        if original.exists():
            node.private(self.file).write_text(original.read_text())


@dataclasses.dataclass(frozen=True)
class Options(_OwnFile):
    """Other options in a file of the node's own.

    :ivar changes: as mempage_tempest_plugin.changes.ini.edit takes them
    """

    changes: dict
    file: str = NOVA_CONF
    programs: tuple = ('nova-compute',)

    def _change(self, text):
        return ini.edit(text, self.changes)


@dataclasses.dataclass(frozen=True)
class Setting(_OwnFile):
    """Another line at the end of one of libvirt's files of the node's own."""

    line: str
    file: str = '/etc/libvirt/qemu.conf'
    programs: tuple = ('libvirtd', 'nova-compute')

    def _change(self, text):
        name = self.line.partition('=')[0].strip()
        return ''.join(
            line for line in text.splitlines(keepends=True)
            if line.partition('=')[0].strip() != name) + self.line + '\n'


@dataclasses.dataclass(frozen=True)
class Emulator(Fault):
    """A QEMU that does something else than libvirt asks for.

    :ivar code: Python that changes ``memory``, a dict: the object that is the
        guest's RAM
    :ivar mending: shell commands that remove what guests with it leave
    """

    code: str
    mending: str = 'true'
    programs: tuple = ()

    _WRAPPER = '''#!/usr/bin/python3 -I
import json, os, sys
arguments = sys.argv[1:]
for position, word in enumerate(arguments):
    if word.startswith('{"qom-type":"memory-backend'):
        memory = json.loads(word)
%s
        arguments[position] = json.dumps(memory)
os.execv(%r, [sys.argv[0], *arguments])
'''

    def put_in(self, node):
        node.run('mount', '--bind', EMULATOR, UNUSED)
        _mount_over(node, EMULATOR, self._WRAPPER % (
            '\n'.join(' ' * 8 + line for line in self.code.splitlines()),
            UNUSED), mode=0o755)

    def put_back(self, node):
        _unmount(node, EMULATOR)
        _unmount(node, UNUSED)
        node.run('bash', '-uc', self.mending)


@dataclasses.dataclass(frozen=True)
class Commands(Fault):
    """Shell commands on the node.

    :ivar breaking: what puts the fault in
    :ivar mending: what takes it back, as often as it is run
    """

    breaking: str
    mending: str
    programs: tuple = ()

    def put_in(self, node):
        node.run('bash', '-euc', self.breaking)

    def put_back(self, node):
        node.run('bash', '-uc', self.mending)


@dataclasses.dataclass(frozen=True)
class Hook(Fault):
    """What libvirt runs with a guest's name as $1.

    :ivar when: what happens to the guest then, in libvirt's words
    """

    script: str
    mending: str = 'true'
    programs: tuple = ('libvirtd', 'nova-compute')
    when: str = 'started'

    _FILE = '/etc/libvirt/hooks/qemu'

    def put_in(self, node):
        # libvirt looks for its hooks when it starts.
        node.write(self._FILE, '#!/bin/bash\n[[ $2 == %s ]] || exit 0\n'
                   '%s\nexit 0\n' % (self.when, self.script), mode=0o755)

    def put_back(self, node):
        node.private(self._FILE).unlink(missing_ok=True)
        pids = _kept(node, 'pids')
        if pids.exists():
            node.run('bash', '-c', END_BACKGROUND)
        node.run('bash', '-uc', self.mending)


def in_background(command):
    """Let a command run on, until :data:`END_BACKGROUND` ends it."""
    return ('{ %s; } < /dev/null > /dev/null 2>&1 & echo $! >> %s/pids' % (
        command, DIRECTORY))


def left_on(node):
    """Return the name of the drill that somebody left on a node, or None."""
    record = node.private(DIRECTORY) / 'drill'
    return record.read_text() if record.exists() else None


def record(node, name):
    """Note on a node which drill is about to be put in."""
    _kept(node, 'drill').write_text(name)


def forget(node):
    """Remove what was kept for mending a node."""
    node.run('rm', '-rf', '--one-file-system', DIRECTORY)
