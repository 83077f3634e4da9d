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


"""What the tests of the lab share."""

import pathlib
from unittest import mock

import fixtures
from oslotest import base

from mempage_lab import installation
from mempage_lab import node
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import systems
from mempage_lab import topology


class LabTestCase(base.BaseTestCase):
    """Keeps what the lab writes in a directory of the test's own.

    :ivar directory: that directory
    :ivar machine: a mock that returns the name of the machine's system
    """

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        roots = {paths.STATE: self.directory / 'state',
                 paths.CACHE: self.directory / 'cache'}
        for name, value in list(vars(paths).items()):
            for root, own in roots.items():
                if isinstance(value, pathlib.Path) and (
                        value.is_relative_to(root)):
                    self.patch_object(paths, name,
                                      own / value.relative_to(root))
        self.machine = self.patch_object(systems, 'machine_name')
        self.machine.return_value = 'debian-12'

    def patch_object(self, target, name, *value):
        """Replace an attribute, by a mock unless there is a value.

        :returns: what it was replaced by
        """
        patcher = mock.patch.object(target, name, *value)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def write_topology(self, text):
        """Write a topology file and return its path."""
        path = self.directory / 'topology.yaml'
        path.write_text(text)
        return path

    def default_topology(self):
        """Return the default topology."""
        return topology.load(topology.DEFAULT, [])

    def record_writes(self):
        """Keep nodes from being started, and their files from the disk.

        :returns: dict of path to text, filled as nodes write their files
        """
        written = {}
        self.patch_object(node.Node, 'write', lambda this, path, text,
                          **kwargs: written.update({path: text}))
        self.patch_object(node.Node, 'prepare')
        return written


def openstack(release=releases.NEWEST.name, stock=False, system='debian-12'):
    """Return an OpenStack that the machine does not have."""
    return installation.Installation(releases.RELEASES[release], stock,
                                     systems.System(system))


def process(**values):
    """Return what a supervisor tells of a program that runs."""
    return dict({'name': 'nova-compute', 'statename': 'RUNNING', 'pid': 7,
                 'start': 100, 'now': 165}, **values)


def supervisor(*infos):
    """Return a supervisor that tells of programs."""
    result = mock.Mock()
    result.getAllProcessInfo.return_value = list(infos)
    return result
