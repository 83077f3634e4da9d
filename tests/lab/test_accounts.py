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

from mempage_lab import accounts
from mempage_lab import errors
from mempage_lab import paths
from mempage_lab import shell
from tests.lab import base

CREDENTIALS = {'username': 'a', 'password': 'b c', 'project_name': 'd'}


class AccountsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        paths.STATE.mkdir(exist_ok=True)
        self.tempest = self.patch_object(shell, 'run')
        self.tempest.side_effect = self._generate

    def _generate(self, *command, umask, env):
        path = str(command[-1])
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666 & ~umask))

    def test_private(self):
        accounts.create(CREDENTIALS, 7)
        self.assertEqual(0o600, paths.ACCOUNTS.stat().st_mode & 0o777)
        self.assertEqual('b c', self.tempest.call_args.kwargs['env'][
            'OS_PASSWORD'])
        self.assertNotIn('b c', map(str, self.tempest.call_args.args))

    def test_once(self):
        accounts.create(CREDENTIALS, 7)
        accounts.create(CREDENTIALS, 7)
        self.tempest.assert_called_once()

    def test_half_of_them_do_not_count(self):
        self.tempest.side_effect = errors.CommandFailed(['tempest'], 1, '')
        self.assertRaises(errors.CommandFailed, accounts.create, CREDENTIALS,
                          7)
        self.assertFalse(paths.ACCOUNTS.exists())

    def test_one_for_each_lane(self):
        for hosts, sets in (1, 4), (7, 7), (24, 12):
            paths.ACCOUNTS.unlink(missing_ok=True)
            accounts.create(CREDENTIALS, hosts)
            command = list(self.tempest.call_args.args)
            self.assertEqual(
                sets, command[command.index('--concurrency') + 1])

    def test_release(self):
        accounts.release()
        locks = paths.TEMPEST_WORKSPACE / 'lock'
        locks.mkdir(parents=True)
        (locks / '0123456789abcdef0123456789abcdef').touch()
        (locks / 'mempage-lease-all').touch()
        accounts.release()
        self.assertEqual(['mempage-lease-all'],
                         [path.name for path in locks.iterdir()])
