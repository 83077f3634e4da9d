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

"""OpenStack in a machine: a disk with one virtual environment.

It is mounted where the machine that the lab runs on has it. The project's
extension of Nova is left out: it changes far more often than the rest, and is
small enough to be written into a machine that runs.
"""

import csv
import pathlib
import shutil

from mempage_lab.machines import agent
from mempage_lab.machines import image
from mempage_lab import paths
from mempage_lab import systems
from mempage_lab import templates

UNIT = '/etc/systemd/system/nova-compute.service'
#: Sparse.
SIZE = '4G'


class Environment:
    """The disk of an installation.

    :param installation: the :class:`mempage_lab.installation.Installation`,
        which must be complete
    """

    def __init__(self, installation):
        self.installation = installation

    @property
    def mount(self):
        """Where machines mount it."""
        return self.installation.venv

    @property
    def disk(self):
        """Where the disk is kept, named after what is on it."""
        return paths.CACHE / ('machine-%s.ext4' % self.mount.name)

    def make(self):
        """Make the disk, unless it is there."""
        if self.disk.exists():
            return
        tree = self.disk.with_suffix('.tree')
        systems.remove_tree(tree)
        # Nothing of it is written to, but directories lose entries.
        shutil.copytree(self.mount, tree, symlinks=True,
                        copy_function=_share)
        for path in self._extension_paths():
            (tree / path.relative_to(self.mount)).unlink()
        (tree / 'nova-mempage').unlink(missing_ok=True)
        unfinished = self.disk.with_suffix('.new')
        unfinished.unlink(missing_ok=True)
        image.make_disk(tree, unfinished, SIZE)
        systems.remove_tree(tree)
        unfinished.rename(self.disk)

    def extension(self):
        """Return the extension of Nova as files of a machine.

        :returns: dict of path to :class:`agent.File`; empty without it
        """
        return {path: agent.File(path.read_bytes(),
                                 path.stat().st_mode & 0o777)
                for path in self._extension_paths()}

    def unit(self):
        """Return the unit nova-compute, as files of a machine.

        It waits for /run/nova-compute.go when it has imported all it needs.
        """
        return {UNIT: agent.File(templates.render(
            'machine-nova-compute.service', venv=self.mount,
            search_path=self.installation.search_path))}

    def _extension_paths(self):
        """Yield what the extension's installation wrote."""
        for record in self.mount.glob(
                'lib/python3*/site-packages/nova_mempage-*.dist-info/RECORD'):
            packages = record.parent.parent
            with record.open(newline='') as stream:
                for name, *_ in csv.reader(stream):
                    path = pathlib.Path(packages, name).resolve()
                    if path.exists():
                        yield path


def _share(source, target, *, follow_symlinks=True):
    target = pathlib.Path(target)
    target.hardlink_to(source)
    return target
