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

"""Runs the shell functions below devstack/lib for real, out of harm's way."""

import fcntl
import os
import pathlib
import subprocess
import tempfile
import time

import fixtures
import testtools

LIBRARIES = pathlib.Path(__file__).parents[2] / 'devstack' / 'lib'

# The machine's pool of hugepages
POOL = pathlib.Path('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages')

# Seconds that the kernel may take to let go of a loop device
LOOP_TIMEOUT = 10

# What a script would need in any case: both libraries, errexit as DevStack
# has it, a directory in memory, so that no test writes to a disk, and a name
# for a loop file that is like no other on the machine.
PREAMBLE = """
set -eu
mount -t tmpfs -o mode=0755 tmpfs {directory}
cd {directory}
image={directory}/image-{name}
source {libraries}/backing-store
source {libraries}/hugepages
"""


class HugepagePool(fixtures.Fixture):
    """The machine's pool of hugepages, to one test at a time.

    :ivar before: how many pages it has
    """

    def _setUp(self):
        lock = open(os.path.join(tempfile.gettempdir(),
                                 'mempage-test-pool.lock'), 'w')
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.before = int(POOL.read_text())
        self.addCleanup(self._put_back)

    def _put_back(self):
        # A test that failed leaves a few pages. More are someone else's.
        if 0 < int(POOL.read_text()) - self.before <= 8:
            POOL.write_text(str(self.before))


class ShellTest(testtools.TestCase):
    """Runs scripts as root, each in a mount namespace that goes with it."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest('mounting needs root')
        probe = self._run('unshare', '--mount', 'mount', '--make-rprivate',
                          '/')
        if probe.returncode != 0:
            self.skipTest('no mount namespaces here: %s' % probe.stderr)
        self.directory = self.useFixture(fixtures.TempDir()).path

    def require_pool(self):
        """Have the machine's pool of hugepages to this test alone.

        :returns: how many pages it has
        """
        if not POOL.exists():
            self.skipTest('the kernel has no 2 MiB hugepages')
        return self.useFixture(HugepagePool()).before

    def succeed(self, script):
        """Run a script that must succeed.

        :param script: shell commands; "." is a fresh directory in memory,
            $image a path in it for a loop file
        :returns: what it wrote to standard output
        """
        result = self._run_script(script)
        self.assertEqual(0, result.returncode, result.stderr)
        return result.stdout

    def refuse(self, message, script):
        """Run a script that must end with an error.

        :param message: regular expression that standard error must match
        :param script: shell commands; "." is a fresh directory in memory,
            $image a path in it for a loop file
        """
        result = self._run_script(script)
        self.assertNotEqual(0, result.returncode, result.stdout)
        self.assertRegex(result.stderr, message)

    def _run_script(self, script):
        name = os.path.basename(self.directory)
        preamble = PREAMBLE.format(directory=self.directory, name=name,
                                   libraries=LIBRARIES)
        result = self._run('unshare', '--mount', '--net', '--propagation',
                           'private', 'bash', '-c', preamble + script)
        self._assert_no_loop_device('image-' + name)
        return result

    def _assert_no_loop_device(self, name):
        deadline = time.monotonic() + LOOP_TIMEOUT
        while used := self._loop_devices(name):
            self.assertLess(time.monotonic(), deadline, used)
            time.sleep(0.05)

    @staticmethod
    def _loop_devices(name):
        files = pathlib.Path('/sys/block').glob('loop*/loop/backing_file')
        return [str(file) for file in files if name in file.read_text()]

    @staticmethod
    def _run(*command):
        return subprocess.run(command, capture_output=True, text=True,
                              timeout=60)
