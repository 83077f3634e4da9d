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

"""Tests of what tells what a host is made of."""

import subprocess

import ddt
from oslotest import base

from mempage_tempest_plugin.hosts import machine
from mempage_tempest_plugin.hosts import scripts

OUTPUT = '''
=== kernel
6.1.0-31-amd64

=== cpu
AMD EPYC 9354 32-Core Processor

=== nested
%s
=== nodes
2

=== huge
always [madvise] never

=== dirty
dirty_ratio 20
dirty_background_ratio 10
dirty_bytes 0
dirty_background_bytes 0
dirty_expire_centisecs 3000
dirty_writeback_centisecs 500

=== nova
34.0.0
'''


@ddt.ddt
class MachineTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data(('', False), ('hypervisor\n', True),
              ('/sys/class/dmi/id/sys_vendor:QEMU\n', True))
    def test_parse(self, told, nested):
        found = machine.parse(OUTPUT % told, 'kvm')
        self.assertEqual(machine.Machine(
            'kvm', nested, '6.1.0-31-amd64', '34.0.0',
            'AMD EPYC 9354 32-Core Processor', 2, 'madvise',
            {'ratio': 20, 'background_ratio': 10, 'bytes': 0,
             'background_bytes': 0, 'expire_centisecs': 3000,
             'writeback_centisecs': 500}), found)

    def test_kernel_without_transparent_hugepages(self):
        self.assertEqual('none', machine.parse(
            (OUTPUT % '').replace('always [madvise] never', ''))
            .transparent_hugepages)

    def test_script(self):
        """The script itself, on this machine, where no Nova runs"""
        text = subprocess.run(
            ['sh', '-s'], text=True, capture_output=True, check=True,
            input=scripts.with_values(machine.SCRIPT, nova='')).stdout
        found = machine.parse(text)
        with open('/proc/sys/kernel/osrelease') as stream:
            self.assertEqual(stream.read().strip(), found.kernel)
        self.assertEqual(6, len(found.dirty))
        self.assertEqual('', found.nova)
