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

"""Commands that start tests, with a real stestr and few tests."""

import os
import pathlib
import subprocess
import sys
import textwrap
import time

import fixtures
from oslotest import base

import mempage_tempest_plugin

ROOT = pathlib.Path(mempage_tempest_plugin.__file__).parents[1]
# Tells the command which tests there are, and how to foretell them.
_COMMAND = '''
import sys
from mempage_tempest_plugin.cmd import mempage_tempest
from mempage_tempest_plugin.cmd import runner
from mempage_tempest_plugin.cmd import suite
suite.PLACE = sys.argv[2:4]
runner.EXPECT = [sys.executable, '-c', sys.argv[1], *sys.argv[1:4], 'expect']
if sys.argv[4] == 'expect':
    sys.exit(mempage_tempest.main(sys.argv[4:]))
'''


class ProcessTestCase(base.BaseTestCase):
    """A directory with a configuration, an inventory and a few tests.

    :cvar tests: source of a module of tests, with %s where a test does what
        is written for it
    :cvar main: source that runs the command with ``sys.argv[4:]``
    :cvar declared: text of the inventory
    :cvar seconds: how long a command may take
    """

    tests = ''
    main = ''
    declared = ''
    seconds = 400

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.package = self.directory / 'top' / 'few'
        self.package.mkdir(parents=True)
        (self.package / '__init__.py').touch()
        self.private = self.directory / 'private'
        self.private.mkdir()
        (self.directory / 'inventory.yaml').write_text(self.declared)
        self.configure()

    def configure(self, options=''):
        """Write tempest.conf.

        :param options: more lines of its section ``[mempage]``
        """
        (self.directory / 'tempest.conf').write_text(
            '[mempage]\nhost_inventory = %s\n%s\n[identity]\n'
            'password = hushhush\n' % (
                self.directory / 'inventory.yaml', options))

    def write_tests(self, what=''):
        """Write tests.

        :param what: that of a host does, beside what all do
        """
        head, tail = self.tests.split('%s\n', 1)
        (self.package / 'test_few.py').write_text(head + textwrap.indent(
            textwrap.dedent(what), ' ' * 8) + '\n' + tail)

    def start(self, *arguments):
        """Start the command.

        :returns: a subprocess.Popen, which does not outlive the test
        """
        command = _COMMAND + self.main
        process = subprocess.Popen(
            [sys.executable, '-c', command, command, str(self.package),
             str(self.package.parent), 'run', '--config-file',
             str(self.directory / 'tempest.conf'), *map(str, arguments)],
            cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={
                **os.environ, 'HERE': str(self.directory),
                'PYTHONPATH': str(ROOT), 'TMPDIR': str(self.private)})
        self.addCleanup(process.kill)
        return process

    def end(self, process):
        """Wait for the end of a command, and keep what it has said.

        :returns: its exit status
        """
        self.out, self.err = process.communicate(timeout=self.seconds)
        return process.returncode

    def wait_for(self, *names):
        """Wait for files that tests write."""
        limit = time.monotonic() + self.seconds
        while not all((self.directory / name).exists() for name in names):
            self.assertLess(time.monotonic(), limit, names)
            time.sleep(0.05)

    def log(self):
        """List the lines that tests have written about themselves."""
        return (self.directory / 'log').read_text().splitlines()
