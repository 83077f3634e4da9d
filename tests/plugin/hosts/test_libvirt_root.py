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

"""Tests of what commands see that run with libvirt's root directory."""

import os
import subprocess
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import survey

# As PID 1 of a PID namespace, so that no other libvirt is found, and this one
# by nobody else. Arguments: what the service is called, a directory, and the
# command.
CONTAINER = '''
unshare --mount sh -c '
    mount -t tmpfs none "$2"
    cp "$(command -v sleep)" "$2/$1"
    echo "of libvirt" >"$2/text"
    exec "$2/$1" 60' sh "$1" "$2" &
until pgrep -x "$1" >/dev/null; do sleep 0.05; done
shift 2
"$@"
'''


class LibvirtRootTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        if os.geteuid():
            self.skipTest('only root makes mount namespaces')
        self.directory = self.useFixture(fixtures.TempDir()).path
        self._write('text', 'of the host')
        self.ssh = mock.Mock()
        self.ssh.execute.side_effect = self._execute
        self.service = 'libvirtd'

    def _write(self, name, text):
        with open(os.path.join(self.directory, name), 'w',
                  encoding='utf-8') as stream:
            stream.write(text + '\n')

    def _execute(self, command, root, stdin=''):
        self.assertTrue(root)
        return subprocess.run(
            ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c',
             CONTAINER, 'sh', self.service, self.directory, *command],
            input=stdin, check=True, capture_output=True, text=True)

    def _text(self):
        return libvirt_root.execute(self.ssh, [
            'cat', os.path.join(self.directory, 'text')]).stdout

    def test_container(self):
        for self.service in 'libvirtd', 'virtqemud':
            self.assertEqual('of libvirt\n', self._text())

    def test_another_service(self):
        self.service = 'libvirt-dbus'
        self.assertEqual('of the host\n', self._text())

    def test_survey(self):
        found = survey.take(self.ssh, 'here', self.directory, self.directory,
                            [], [])
        self.assertIsNotNone(found.store)
        self.assertEqual(self.directory, found.mounts[-1].point)
        self.assertEqual(len('of libvirt\n'), found.files[
            os.path.join(self.directory, 'text')].size)
