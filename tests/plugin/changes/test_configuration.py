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
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin.changes import configuration
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import ssh

TEXT = '[libvirt]\nallowed_memory_pagesize = large\n'
SIZES = ('libvirt', 'allowed_memory_pagesize')


def _execute(command, stdin='', root=False, check=True):
    """Do what an SSHConnection does, on this machine."""
    done = subprocess.run(command, input=stdin, capture_output=True,
                          text=True)
    result = ssh.Result('', done.returncode, done.stdout, done.stderr)
    if check and result.status:
        raise exceptions.HostCommandFailed('here', result)
    return result


class ConfigurationTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.directory, 'nova.conf')
        self._write(TEXT)
        os.chmod(self.path, 0o640)
        self.host = mock.Mock()
        self.host.name = 'here'
        self.host.declared.compute_service.config = self.path
        self.host.ssh.execute = _execute
        self.configuration = configuration.Configuration(self.host)
        self.configuration.keep()

    def _write(self, text):
        with open(self.path, 'w', encoding='utf-8') as stream:
            stream.write(text)

    def _read(self, path=None):
        with open(path or self.path, encoding='utf-8') as stream:
            return stream.read()

    def test_change_and_put_back(self):
        before = os.stat(self.path)
        self.configuration.change({SIZES: 'any'})
        self.assertIn('= any', self._read())
        self.assertEqual(TEXT, self._read(self.path + '.mempage-original'))
        self.assertEqual(before.st_mode, os.stat(self.path).st_mode)
        self.configuration.put_back()
        self.assertEqual(TEXT, self._read())
        self.assertTrue(self.configuration.is_kept())
        self.configuration.forget()
        self.assertEqual(before.st_mode, os.stat(self.path).st_mode)
        self.assertEqual(['nova.conf'], os.listdir(self.directory))

    def test_change_starts_from_the_original(self):
        self.configuration.change({SIZES: 'any', ('a', 'b'): 'c'})
        self.configuration.change({SIZES: 'small'})
        self.assertNotIn('b = c', self._read())

    def test_original_of_others_is_never_replaced(self):
        self.configuration.change({SIZES: 'any'})
        second = configuration.Configuration(self.host)
        error = self.assertRaises(exceptions.OriginalKept, second.keep)
        self.assertIn('mempage-tempest cleanup', str(error))
        self.assertEqual(TEXT, self._read(self.path + '.mempage-original'))
        self.assertIn('= any', self._read())

    def test_who_loses_a_race_changes_nothing(self):
        self.configuration.change({SIZES: 'any'})
        second = configuration.Configuration(self.host)
        with mock.patch.object(second, 'is_kept', return_value=False):
            self.assertRaises(exceptions.HostCommandFailed, second.keep)
        self.assertEqual(TEXT, self._read(self.path + '.mempage-original'))
        self.assertIn('= any', self._read())

    def test_put_back_can_be_interrupted_anywhere(self):
        self.configuration.change({SIZES: 'any'})
        with open(self.path + '.mempage-new', 'w', encoding='utf-8') as stream:
            stream.write('half of')
        for _ in range(2):
            self.configuration.put_back()
            self.assertEqual(TEXT, self._read())
        self.configuration.forget()
        self.configuration.forget()
        self.assertEqual(TEXT, self._read())
        self.assertEqual(['nova.conf'], os.listdir(self.directory))

    def test_link_stays_a_link(self):
        link = os.path.join(self.directory, 'link.conf')
        os.symlink('nova.conf', link)
        self.configuration.forget()
        self.host.declared.compute_service.config = link
        self.configuration.keep()
        self.configuration.change({SIZES: 'any'})
        self.assertIn('= any', self._read())
        self.configuration.put_back()
        self.assertTrue(os.path.islink(link))
        self.assertEqual(TEXT, self._read(link))
