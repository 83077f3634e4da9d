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

"""What the role mempage_collect keeps of a host."""

import ddt

from tests.devstack import base

SCRIPT = (base.LIBRARIES.parents[1] / 'roles' / 'mempage_collect' / 'files'
          / 'host-memory.sh')


@ddt.ddt
class CollectTest(base.ShellTest):

    def _collect(self, qemu_conf):
        return self.succeed(
            'cp -a /etc etc; mount --bind etc /etc; mkdir -p /etc/libvirt\n'
            f"cat <<'EOF' >/etc/libvirt/qemu.conf\n{qemu_conf}\nEOF\n"
            'mkdir one two; touch one/of-one two/of-two\n'
            'sed -i "s,@,$PWD," /etc/libvirt/qemu.conf\n'
            f'bash {SCRIPT}')

    @ddt.data('memory_backing_dir = "@/one"', "\tmemory_backing_dir='@/one'",
              'memory_backing_dir = "@/one/" # "/x"',
              '#memory_backing_dir = "@/two"\nmemory_backing_dir = "@/one"',
              'memory_backing_dir = "@/one"\nmemory_backing_dir = "@/two"')
    def test_files_of_the_backing_directory(self, qemu_conf):
        collected = self._collect(qemu_conf)
        self.assertIn('/of-one', collected)
        self.assertNotIn('/of-two', collected)

    def test_passwords_of_consoles(self):
        collected = self._collect('# remark\nvnc_password = "HIDDEN"\na = 1')
        self.assertIn('vnc_password = ***\na = 1', collected)
        self.assertNotIn('HIDDEN', collected)
        self.assertNotIn('remark', collected)
