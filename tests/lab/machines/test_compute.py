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
import re
import subprocess
from unittest import mock

import ddt

from mempage_lab import errors
from mempage_lab.machines import compute
from mempage_lab.machines import environment
from mempage_lab.machines import image
from mempage_lab.machines import node
from mempage_lab.machines import qemu
from mempage_lab.machines import snapshot
from mempage_lab import paths
from mempage_lab import topology
from tests.lab import base

POOL = ('hosts: {a: {machine: {numa: [{memory_mib: 512}, {memory_mib: 512}]}, '
        'pools: %s}}')
#: That the machine which the lab runs on has pages is nothing to machines.
MACHINE_PAGES = {2048: 7}


@ddt.ddt
class MachineComputeTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        paths.KEYS.mkdir(parents=True)
        for name in ('tempest', 'nova', 'a', 'device1', 'device2', 'plain1',
                     'numa1', 'numa2'):
            for path in (paths.KEYS / name, paths.KEYS / (name + '.pub')):
                path.write_text('ssh-ed25519 %s comment' % name)
        self.pid = self.patch_object(node.MachineNode, 'pid', None)
        self.started = self.patch_object(node.MachineNode, 'start')
        self.extension = self.patch_object(environment.Environment,
                                           'extension')
        self.run_inside = self.patch_object(node.MachineNode, 'run')

    def _part(self, declared, name):
        path = topology.SHIPPED / (declared + '.yaml')
        if not path.exists():
            path = self.write_topology(declared)
        self.topology = topology.load(path, [])
        [host] = [host for host in self.topology.hosts if host.name == name]
        return compute.MachineCompute(host, self.topology, MACHINE_PAGES)

    def _start(self, declared, name):
        part = self._part(declared, name)
        part.start({'a': '10.0.0.10'})
        self.setup_script = self.started.call_args.args[-1]
        return part

    def _written(self, part, path):
        """Return the lines of a file that the machine is to have."""
        return part.node._files[path].content.splitlines()

    def test_setup_is_a_script(self):
        for name, declared in (('device1', 'device'), ('numa1', 'numa')):
            self._start(declared, name)
            subprocess.run(['bash', '-n'], check=True, text=True,
                           input=self.setup_script)

    def test_sshd_runs_after_each_boot(self):
        self._start('numa', 'numa1')
        # What waits for it would wait for what runs this.
        self.assertEqual('systemctl start --no-block ssh',
                         self.setup_script.splitlines()[-1])

    @ddt.data(('device1', 'STORE1 ext4 /var/lib/libvirt/memory'),
              ('device2', 'STORE2 xfs /srv/memory'))
    @ddt.unpack
    def test_store_is_on_the_disk_of_its_serial(self, name, expected):
        self._start('device', name)
        serial, filesystem, directory = expected.split()
        lines = self.setup_script.splitlines()
        steps = [lines.index(line) for line in (
            'disk=/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_' + serial,
            'until [[ -b $disk ]]; do sleep 0.1; done',
            'build_backing_store %s %s 5120 $disk' % (directory, filesystem),
            'set_memory_backing_dir /etc/libvirt/qemu.conf ' + directory)]
        self.assertEqual(sorted(steps), steps)
        self.assertNotIn('hugepage_pool', self.setup_script)

    @ddt.data(('ext4', 'ext4 9 /var/lib/nova/backing-store.img'),
              ('tmpfs', 'tmpfs 9'))
    @ddt.unpack
    def test_store_without_a_disk(self, filesystem, expected):
        self._start('hosts: {a: {machine: {memory_mib: 512}, file_backed: '
                    '{capacity_mib: 9, size_mib: 9, filesystem: %s}}}'
                    % filesystem, 'a')
        self.assertIn('build_backing_store /var/lib/libvirt/memory %s\n'
                      % expected, self.setup_script)
        self.assertNotIn('$disk', self.setup_script)

    def test_pools_of_each_numa_node(self):
        self._start('numa', 'numa1')
        lines = self.setup_script.splitlines()
        steps = [lines.index(line) for line in (
            'mount_hugetlbfs /dev/hugepages 2048',
            'build_hugepage_pool 2048 64 0',
            # Guests have 192 of them, and 32 are kept back.
            'build_hugepage_pool 2048 224 1')]
        self.assertEqual(sorted(steps), steps)
        self.assertNotIn('build_backing_store ', self.setup_script)

    def test_a_pool_of_all_nodes(self):
        self._start(POOL % '[{size_kib: 1048576, pages: 1}]', 'a')
        self.assertIn('mount_hugetlbfs /dev/hugepages1048576 1048576\n'
                      'build_hugepage_pool 1048576 1\n', self.setup_script)

    @ddt.data(('numa1', ['node:1,size:2048,count:32']), ('numa2', []))
    @ddt.unpack
    def test_reserved_pages_by_numa_node(self, name, expected):
        part = self._start('numa', name)
        self.assertEqual(expected, [
            line.removeprefix('reserved_huge_pages = ')
            for line in self._written(part, '/etc/nova/nova.conf')
            if line.startswith('reserved_huge_pages')])

    def test_reserved_pages_of_the_only_node(self):
        part = self._part(
            'hosts: {a: {machine: {memory_mib: 512}, pools: [{size_kib: 2048, '
            'pages: 5, reserved: 3}]}}', 'a')
        self.assertEqual([(0, 2048, 3)], part.reserved_huge_pages())

    def test_memory_of_pools_is_the_machines_own(self):
        part = self._start('numa', 'numa1')
        self.assertEqual((64 + 192 + 32) * 2, part.pools_mib())

    @ddt.data(True, False)
    def test_nova_conf(self, kvm):
        part = self._part('device', 'device1')
        part.kvm = kvm
        part.start({})
        lines = self._written(part, '/etc/nova/nova.conf')
        for line in ('host = device1', 'my_ip = %s' % part.node.address,
                     'log_file = /var/log/nova-compute.log',
                     'compute_driver = mempage.LibvirtDriver',
                     'file_backed_memory = 4096',
                     # Its own guests are emulated, whatever it is itself.
                     'virt_type = qemu', 'cpu_mode = none'):
            self.assertIn(line, lines)
        self.assertEqual(0o600, part.node._files['/etc/nova/nova.conf'].mode)

    def test_qemu_is_confined_as_the_system_does_it(self):
        part = self._start('device', 'device1')
        text = '\n'.join(self._written(part, '/etc/libvirt/qemu.conf'))
        self.assertIn('migration_address = "%s"' % part.node.address, text)
        for name in 'security_driver', 'namespaces', 'cgroup_controllers':
            self.assertIsNone(re.search('(?m)^%s' % name, text), name)

    def test_libvirt_waits_longer_for_who_is_slow(self):
        part = self._start('device', 'device1')
        for name in 'libvirtd.conf', 'qemu.conf':
            self.assertIn('keepalive_interval = %d' % (5 * node.SLOWER),
                          self._written(part, '/etc/libvirt/' + name))

    def test_shell_functions_are_there(self):
        part = self._start('numa', 'numa1')
        for name in re.findall('(?m)^source (.*)$', self.setup_script):
            self.assertIn(name, part.node._files)

    def test_open_vswitch_in_the_kernel(self):
        part = self._part('numa', 'numa1')
        self.run_inside.return_value = ''
        part.configure_network()
        told = self.run_inside.call_args.args
        self.assertIn('datapath_type=system', told)
        self.assertIn('external_ids:ovn-bridge-datapath-type="system"', told)

    def test_disks(self):
        self.assertEqual((qemu.Nvme('STORE1', 5120),),
                         self._part('device', 'device1').node.disks)

    def test_what_it_starts_with(self):
        self.extension.return_value = {'/venv/nova/mempage.py': 'new'}
        part = self._start('numa', 'numa1')
        made, extension, hosts, _ = self.started.call_args.args
        self.assertEqual(
            qemu.Hardware((qemu.Numa(896), qemu.Numa(896)), part.kvm),
            made.hardware)
        self.assertEqual('debian-13', made.image.system.name)
        self.assertIs(self.topology.installation(self.topology.hosts[0]),
                      made.environment.installation)
        self.assertEqual(self.extension.return_value, extension)
        self.assertEqual({'a': '10.0.0.10'}, hosts)

    def test_a_machine_that_runs_is_left_alone(self):
        self.patch_object(node.MachineNode, 'has_begun', True)
        wait = self.patch_object(node.MachineNode, 'wait_for_supervisor')
        self._part('numa', 'numa1').start({})
        wait.assert_called_once_with()
        self.started.assert_not_called()

    def test_a_machine_that_did_not_get_all_begins_anew(self):
        self.patch_object(node.MachineNode, 'pid', 7)
        self._start('numa', 'numa1')
        self.started.assert_called_once()

    def test_those_alike_share_a_snapshot(self):
        self.patch_object(qemu, 'version').return_value = '1'
        self.patch_object(image, 'disk_uuid').return_value = '1'
        one, two, other = [
            self._part(*names).snapshot.directory for names in (
                ('numa', 'numa1'), ('numa', 'numa2'), ('device', 'device1'))]
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)

    @ddt.data(True, False)
    def test_reboot(self, hard):
        reboot = self.patch_object(node.MachineNode, 'reboot')
        self._part('numa', 'numa1').reboot(hard)
        reboot.assert_called_once_with(mock.ANY, hard)
        self.assertIsInstance(reboot.call_args.args[0], snapshot.Snapshot)

    def _pool(self, where, size_kib, pages, free):
        path = self.directory / where / ('hugepages-%dkB' % size_kib)
        path.mkdir(parents=True)
        (path / 'nr_hugepages').write_text('%d\n' % pages)
        (path / 'free_hugepages').write_text('%d\n' % free)

    def _run_here(self, *command):
        return subprocess.check_output(
            [re.sub('^/sys', str(self.directory), word) for word in command],
            text=True)

    def test_used_pages(self):
        self.run_inside.side_effect = self._run_here
        self._pool('devices/system/node/node0/hugepages', 2048, 64, 60)
        self._pool('devices/system/node/node1/hugepages', 2048, 224, 32)
        self._pool('kernel/mm/hugepages', 2048, 288, 92)
        self.assertEqual([4, 192],
                         self._part('numa', 'numa1').used_pages([]))
        self.assertEqual([196], self._part(
            POOL % '[{size_kib: 2048, pages: 288}]', 'a').used_pages([]))

    def test_used_pages_of_a_machine_that_does_not_answer(self):
        self.run_inside.side_effect = errors.LabError('gone')
        self.assertEqual([0, 0], self._part('numa', 'numa1').used_pages([]))
