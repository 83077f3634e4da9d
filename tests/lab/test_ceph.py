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
import subprocess

import ddt

from mempage_lab import ceph
from mempage_lab import templates
from tests.lab import base

#: Stands for a command, and prints what it is called with.
FAKE = """#!/bin/bash
echo "$@"
while (($#)); do [[ $1 != --keyring ]] || cat "$2"; shift; done
"""


@ddt.ddt
class MountTest(base.LabTestCase):
    """What stands for mount.ceph."""

    def setUp(self):
        super().setUp()
        for name, text in (('ceph-fuse', FAKE), (
                'mount.ceph', templates.render('mount.ceph'))):
            (self.directory / name).write_text(text)
            (self.directory / name).chmod(0o755)

    def _mount(self, *arguments):
        return subprocess.run(
            [self.directory / 'mount.ceph', *arguments], text=True,
            stdout=subprocess.PIPE, check=True, env={
                'PATH': '%s:%s' % (self.directory, os.environ['PATH']),
                'TMPDIR': str(self.directory)}).stdout

    @ddt.data(('10.0.0.1:6789:/a/b', '10.0.0.1:6789', '/a/b'),
              ('10.0.0.1:6789,10.0.0.2:6789:/', '10.0.0.1:6789,10.0.0.2:6789',
               '/'),
              ('10.0.0.1:/volumes/x:y', '10.0.0.1', '/volumes/x:y'))
    @ddt.unpack
    def test_where_it_is(self, source, monitors, path):
        said = self._mount(source, '/mnt', '-o', 'rw,name=nova,secret=k==')
        self.assertRegex(said, '^--name client.nova --keyring [^ ]+ -m %s '
                         '--client_mountpoint %s /mnt\n' % (monitors, path))

    def test_the_key_is_told_in_a_file(self):
        said = self._mount('a:6789:/', '/mnt', '-o', 'name=nova,secret=k==')
        command, *keyring = said.splitlines()
        self.assertNotIn('k==', command)
        self.assertEqual(['[client.nova]', 'key = k=='], keyring)
        self.assertEqual(['ceph-fuse', 'mount.ceph'],
                         sorted(os.listdir(self.directory)))


class ScriptsTest(base.LabTestCase):

    def test_they_are_bash(self):
        written = {}

        class Node:
            address = '10.0.0.4'

            def write(self, path, text, **_):
                written[path] = text
        ceph.write(Node(), templates.render)
        scripts = [written[ceph.STORE], written[ceph.MAKE], templates.render(
            'shares-setup.sh', keyring=ceph.KEYRING)]
        for script in scripts:
            subprocess.run(['bash', '-n'], input=script, text=True,
                           check=True)
