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

"""Collects artefacts of a host and of a run of tests."""

from tests.zuul.lab import base

# What Tempest's environment would have
STESTR = """
mkdir -p {0}/tempest/.tox/tempest/bin
printf '#!/bin/sh\\necho "$@ of $PWD"' >{0}/tempest/.tox/tempest/bin/stestr
chmod +x {0}/tempest/.tox/tempest/bin/stestr
"""


class CollectRoleTest(base.RoleTest):

    role = 'mempage_collect'
    host = 'fbm1'

    def setUp(self):
        super().setUp()
        self.addCleanup(self.ssh, 'rm -rf ' + self.scratch)

    def test_host_and_results(self):
        self.ssh(STESTR.format(self.scratch))
        self._collect()
        memory = self._read('host-memory.txt')
        for expected in ('memory_backing_dir = "/var/lib/libvirt/memory"',
                         '/var/lib/libvirt/memory tmpfs mempage',
                         'nr_hugepages:', 'MemTotal:',
                         '# find /var/lib/libvirt/memory'):
            self.assertIn(expected, memory)
        self.assertEqual('last of %s/tempest\n' % self.scratch,
                         self._read('results.txt'))

    def test_host_without_tempest(self):
        self._collect()
        self.assertEqual('host-memory.txt\n',
                         self.ssh('ls %s/mempage' % self.scratch))

    def _collect(self):
        result = self.play(stage_dir=self.scratch,
                           mempage_collect_tempest=self.scratch + '/tempest')
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)

    def _read(self, name):
        return self.ssh('cat %s/mempage/%s' % (self.scratch, name))
