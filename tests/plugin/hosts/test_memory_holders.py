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

"""Tests of who has mapped a guest's memory, on this machine."""

import mmap
import os
import pathlib
import shutil
import subprocess
import sys

import fixtures
from oslotest import base
from tempest.lib.common.utils import data_utils

from mempage_tempest_plugin.hosts import memory_holders
from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.hosts import scripts

SIZE = 16 * 1024 * 1024
# It maps the file as QEMU does its RAM, and takes its name away.
GUEST = '''
import mmap, os, sys
with open(sys.argv[2], 'r+b') as stream:
    memory = mmap.mmap(stream.fileno(), 0, flags=int(sys.argv[3]))
print(len(memory), flush=True)
sys.stdin.read()
'''


class MemoryHoldersTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.qemu = directory / 'qemu-system-x86'
        shutil.copy(os.path.realpath(sys.executable), self.qemu)
        self.file = directory / 'pc.ram'
        self.guest = data_utils.rand_uuid()

    def _start(self, size, flags=mmap.MAP_SHARED):
        """Start what looks like the guest's QEMU; returns its PID."""
        with self.file.open('wb') as stream:
            stream.truncate(size)
        process = subprocess.Popen(
            [self.qemu, '-c', GUEST, self.guest, self.file, str(int(flags))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={'PYTHONHOME': sys.base_prefix})
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.assertEqual(b'%d\n' % size, process.stdout.readline())
        return process.pid

    def _map(self):
        with self.file.open('r+b') as stream:
            mapped = mmap.mmap(stream.fileno(), 4096)
        self.addCleanup(mapped.close)

    def _find(self, guest=None):
        return page_holders.parse(subprocess.run(
            ['sh'], text=True, check=True, stdout=subprocess.PIPE,
            input=scripts.with_values(memory_holders.SCRIPT,
                                      guest=guest or self.guest)).stdout)

    def test_qemu_alone(self):
        pid = self._start(SIZE)
        self.assertEqual([page_holders.Holder(pid, 'qemu-system-x86')],
                         self._find())

    def test_others(self):
        """They have mapped a part of it, and it has no name any more"""
        pid = self._start(SIZE)
        self._map()
        self.file.unlink()
        self.assertEqual({pid, os.getpid()},
                         {holder.pid for holder in self._find()})

    def test_private_memory(self):
        pid = self._start(SIZE, mmap.MAP_PRIVATE)
        self._map()
        self.assertEqual({pid, os.getpid()},
                         {holder.pid for holder in self._find()})

    def test_what_is_no_memory(self):
        self._start(SIZE - 4096)
        self._map()
        self.assertEqual([], self._find())

    def test_no_such_guest(self):
        self._start(SIZE)
        self.assertEqual([], self._find(data_utils.rand_uuid()))
