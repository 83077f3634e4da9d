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

"""Tests of what the commands of mempage-tempest share."""

import errno
import io
import os
import subprocess
import sys
from unittest import mock

import ddt
from oslo_config import cfg
from oslotest import base
from tempest.lib import exceptions as lib_exc
import urllib3

from mempage_tempest_plugin.cmd import cleanup
from mempage_tempest_plugin.cmd import ending
from mempage_tempest_plugin.cmd import mempage_tempest as command
from mempage_tempest_plugin import exceptions


COMMAND = """
import sys
from mempage_tempest_plugin.cmd import ending
def command(arguments):
    print(%r)
    %s
sys.exit(ending.call('x', command, None))
"""


@ddt.ddt
class MainTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        for target, name, field in (
                (command, 'tempest_conf', 'conf'),
                (cleanup, 'cleanup', 'cleanup')):
            patch = mock.patch.object(target, name)
            setattr(self, field, patch.start())
            self.addCleanup(patch.stop)

    def test_status_is_that_of_the_command(self):
        self.cleanup.return_value = 3
        self.assertEqual(3, command.main(['cleanup']))

    def test_configuration(self):
        for arguments, path in (([], 'etc/tempest.conf'),
                                (['--config-file', 'x.conf'], 'x.conf')):
            command.main(['cleanup', *arguments])
            self.conf.use.assert_called_with(path)

    @ddt.data(exceptions.TestsRunning('they hold x'),
              lib_exc.Unauthorized('they hold x'), cfg.Error('they hold x'),
              urllib3.exceptions.MaxRetryError(None, '/', 'they hold x'),
              OSError(errno.EACCES, 'they hold x', 'tempest.log'))
    def test_errors_are_told_in_short(self, error):
        self.cleanup.side_effect = error
        with mock.patch('sys.stderr', new_callable=io.StringIO) as stderr:
            self.assertEqual(1, command.main(['cleanup']))
        self.assertIn('mempage-tempest: ', stderr.getvalue())
        self.assertIn('they hold x', stderr.getvalue())
        self.assertNotIn('Traceback', stderr.getvalue())

    def _ended(self, raised, written='x'):
        """Run a command that writes and ends in some way, elsewhere.

        :returns: tuple of its exit status and of what it said
        """
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, '-c', COMMAND % (written, raised)],
            stdout=writing if self.closed else subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.close(1) if self.closed is None else None)
        os.close(writing)
        return done.returncode, done.stderr

    closed = False

    def test_interrupted(self):
        self.assertEqual((130, 'x: interrupted\n'),
                         self._ended('raise KeyboardInterrupt'))

    def test_unforeseen(self):
        # A log of Tempest had it, and nobody else.
        status, said = self._ended('sys.excepthook = print\n    1 / 0')
        self.assertEqual(1, status)
        self.assertIn('ZeroDivisionError', said)
        self.assertTrue(said.endswith('that it runs on\n'), said)

    @ddt.data('x', 'x' * 100000)
    def test_reader_that_has_seen_enough(self, written):
        self.closed = True
        self.assertEqual((141, ''), self._ended('return 0', written))

    def test_no_stdout(self):
        self.closed = None
        self.assertEqual((0, ''), self._ended('return 0'))

    def test_full_disk(self):
        with open('/dev/full', 'w') as full, mock.patch(
                'sys.stdout', full), mock.patch(
                    'sys.stderr', new_callable=io.StringIO) as stderr:
            self.assertEqual(141, ending.call(
                'x', lambda arguments: print('y'), None))
        self.assertEqual('x: stdout: No space left on device\n',
                         stderr.getvalue())

    def test_no_command(self):
        with mock.patch('sys.stderr', new_callable=io.StringIO):
            self.assertRaises(SystemExit, command.main, [])
