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

"""Applies the role that prepares hosts to a host of the lab, for real."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import uuid

import testtools

ROOT = pathlib.Path(__file__).parents[3]
SSH_CONFIG = pathlib.Path('/var/lib/mempage-lab/ssh_config')
# The one host of the lab's topology that has nothing enabled
HOST = 'plain1'

# Pages, of 2 MiB, and MiB: the machine has better uses for its memory.
PAGES = 8
RAMDISK_MIB = 16

# Everything on the host that the role may touch
STATE = r"""
cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
findmnt --raw --noheadings --output TARGET,FSTYPE,SOURCE,OPTIONS |
    grep '^/\(run\|var/tmp\)/'
ls /run /var/tmp
"""


class HostRoleTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        if shutil.which('ansible-playbook') is None:
            self.skipTest('no Ansible here: run "tox -e ansible-lab"')
        self.assertTrue(SSH_CONFIG.exists(),
                        'no lab is up: run "./lab.sh up" first')
        scratch = '/var/tmp/mempage-%s' % uuid.uuid4().hex
        self.directory = scratch + '/deep/ramdisk'
        self.before = self._state()
        self.addCleanup(self._apply, state='absent')

    def test_apply_twice_and_restore_twice(self):
        self.assertNotEqual(0, self._apply())
        self._assert_prepared()
        self.assertEqual(0, self._apply())
        self._assert_prepared()

        self.assertNotEqual(0, self._apply(state='absent'))
        self.assertEqual(self.before, self._state())
        self.assertEqual(0, self._apply(state='absent'))

    def test_pages_that_others_add_meanwhile_stay(self):
        before = self._pages()
        self._apply()
        self.addCleanup(self._add_pages, -1)
        self._add_pages(1)
        self._apply(state='absent')
        self.assertEqual(before + 1, self._pages())

    def test_fewer_pages_than_before(self):
        before = self._pages()
        self._apply()
        self._apply(pages=PAGES - 3)
        self.assertEqual(before + PAGES - 3, self._pages())

    def test_mount_of_somebody_else_stays(self):
        self._ssh('sudo mkdir -p {0}; sudo mount -t tmpfs other {0}'.format(
            self.directory))
        self.addCleanup(self._ssh, 'sudo umount {0}; sudo rm -r {1}'.format(
            self.directory, self.directory.removesuffix('/deep/ramdisk')))
        self.assertIn('tmpfs other is mounted there', self._refused())
        self._apply(state='absent')
        self.assertEqual('tmpfs other', self._mounted())

    def _assert_prepared(self):
        self.assertEqual('tmpfs mempage', self._mounted())
        size = self._ssh('findmnt -bno SIZE --mountpoint ' + self.directory)
        self.assertEqual(RAMDISK_MIB * 1024 ** 2, int(size))
        self.assertEqual(int(self.before.split(maxsplit=1)[0]) + PAGES,
                         self._pages())

    def _apply(self, **changes):
        result = self._play(**changes)
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        return int(re.search(r'changed=(\d+)', result.stdout).group(1))

    def _refused(self):
        result = self._play()
        self.assertNotEqual(0, result.returncode, result.stdout)
        return result.stdout

    def _play(self, state='present', pages=PAGES):
        variables = {
            'mempage_host_state': state,
            'mempage_host_hugepages': '2048:%d' % pages,
            'mempage_host_ramdisk_directory': self.directory,
            'mempage_host_ramdisk_size': RAMDISK_MIB}
        return subprocess.run(
            ['ansible-playbook', '--inventory', HOST + ',',
             '--ssh-common-args', '-F %s' % SSH_CONFIG,
             '--extra-vars', json.dumps(variables),
             str(pathlib.Path(__file__).with_name('host.yaml'))],
            env=dict(os.environ, ANSIBLE_ROLES_PATH=str(ROOT / 'roles'),
                     ANSIBLE_PYTHON_INTERPRETER='/usr/bin/python3',
                     ANSIBLE_PIPELINING='true'),
            capture_output=True, text=True, timeout=300)

    def _state(self):
        return self._ssh(STATE)

    def _pages(self):
        return int(self._state().split(maxsplit=1)[0])

    def _add_pages(self, pages):
        self._ssh('echo %d | sudo tee /sys/kernel/mm/hugepages/'
                  'hugepages-2048kB/nr_hugepages' % (self._pages() + pages))

    def _mounted(self):
        return self._ssh('findmnt -rno FSTYPE,SOURCE --mountpoint %s' %
                         self.directory).strip()

    def _ssh(self, command):
        return subprocess.run(
            ['ssh', '-F', str(SSH_CONFIG), HOST, command], check=True,
            capture_output=True, text=True, timeout=60).stdout
