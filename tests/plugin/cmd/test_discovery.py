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

import ddt
from oslotest import base

from mempage_tempest_plugin.cmd import discovery
from mempage_tempest_plugin.declared import inventory
from tests.plugin import samples

# NUMA node, page size in KiB, pages
ONE_NODE = ((0, 2048, 128), (0, 1048576, 0))
TWO_NODES = ((0, 2048, 100), (1, 2048, 28), (0, 1048576, 0))
RESERVED = 'node:0,size:2048,count:64\nnode:1, size:2MB, count:36'


def _pools(pools):
    return '\n'.join(
        '/sys/devices/system/node/node%d/hugepages/hugepages-%dkB/'
        'nr_hugepages:%d' % pool for pool in pools)


@ddt.ddt
class PolicyTest(base.BaseTestCase):

    def test_file_backed(self):
        self.assertEqual(
            inventory.Policy(inventory.FileBacked(
                2048, '/srv/memory/guests', '/srv/memory', 'xfs')),
            discovery.policy({
                'capacity': '2048', 'directory': '/srv/memory/guests',
                'mount': '/srv/memory     xfs', 'pools': ''}))

    @ddt.data(
        (ONE_NODE, '', [(2048, 128, None, 0)]),
        (ONE_NODE, 'node:0,size:2048,count:28', [(2048, 100, None, 28)]),
        (TWO_NODES, '', [(2048, 100, 0, 0), (2048, 28, 1, 0)]),
        # More than there are
        (TWO_NODES, RESERVED, [(2048, 36, 0, 64), (2048, 0, 1, 28)]))
    @ddt.unpack
    def test_pools(self, pools, reserved, expected):
        policy = discovery.policy({
            'capacity': '0', 'pools': _pools(pools), 'reserved': reserved})
        self.assertEqual([inventory.DeclaredPool(*pool) for pool in expected],
                         list(policy.pools))


@ddt.ddt
class LogTest(base.BaseTestCase):

    @ddt.data(
        ({'journal': 'devstack@n-cpu\nnova-compute', 'log': '/a.log'},
         inventory.Log(unit='devstack@n-cpu')),
        ({'journal': '', 'log': '/a.log'}, inventory.Log(file='/a.log')),
        ({}, None))
    @ddt.unpack
    def test_log(self, found, expected):
        self.assertEqual(expected, discovery.log(found))


class DraftTest(base.BaseTestCase):

    @mock.patch('mempage_tempest_plugin.hosts.compute_host.ComputeHost')
    @mock.patch('mempage_tempest_plugin.hosts.libvirt_root.run',
                return_value='\n=== directory\n/\n=== mount\n/ ext4\n')
    @mock.patch('mempage_tempest_plugin.hosts.scripts.run')
    def test_draft(self, run, _, living):
        run.return_value = ('=== capacity\n\n=== pools\n%s\n\n'
                            '=== log\n/a.log\n' % _pools(ONE_NODE))
        drafted = discovery.draft(samples.PLAIN, 9)
        self.assertEqual(
            (samples.PLAIN.address, (inventory.DeclaredPool(2048, 128),),
             inventory.Log(file='/a.log')),
            (drafted.address, drafted.pools, drafted.compute_log))
        living.return_value.close.assert_called_once_with()


# As PID 1 of a PID namespace: services whose /etc is not that of the one who
# logs in. Arguments: what nova-compute is told, and the command.
CONTAINER = '''
unshare --mount sh -c '
    mount -t tmpfs none /etc
    mkdir -p /etc/nova/nova.conf.d /etc/libvirt
    echo "file_backed_memory = 1" >/etc/nova/nova.conf
    echo "file_backed_memory = 2" >/etc/nova/nova.conf.d/b.conf
    echo "file_backed_memory = 3" >/etc/nova/nova.conf.d/a.conf
    echo "memory_backing_dir = \\"/etc/libvirt/\\"" >/etc/libvirt/qemu.conf
    cp "$(command -v sleep)" /etc/libvirtd
    /etc/libvirtd 60 &
    echo "sleep 60" >/etc/nova-compute
    sh /etc/nova-compute $1' sh "$1" &
until pgrep -x libvirtd >/dev/null && pgrep -f ^sh./etc/nova-compute >/dev/null
do sleep 0.05; done
shift
"$@"
'''


@ddt.ddt
class ContainerTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        if os.geteuid():
            self.skipTest('only root makes mount namespaces')

    def _draft(self, options):
        def execute(command, root, stdin=''):
            return subprocess.run(
                ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c',
                 CONTAINER, 'sh', options, *command],
                input=stdin, check=True, capture_output=True, text=True)

        with mock.patch('mempage_tempest_plugin.hosts.compute_host.'
                        'ComputeHost') as living:
            living.return_value.ssh.execute.side_effect = execute
            return discovery.draft(samples.PLAIN, 9).file_backed

    @ddt.data(('', 2), ('--config-file=/etc/nova/nova.conf', 1),
              ('--config-file /etc/nova/nova.conf.d/a.conf', 3))
    @ddt.unpack
    def test_where_the_services_see_it(self, options, capacity):
        self.assertEqual(
            inventory.FileBacked(capacity, '/etc/libvirt', '/etc', 'tmpfs'),
            self._draft(options))
