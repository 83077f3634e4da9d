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
import pathlib
import platform
import shutil
from unittest import mock

import ddt
import psutil

from mempage_lab import errors
from mempage_lab.machines import qemu
from mempage_lab import preflight
from mempage_lab import shares
from mempage_lab import shell
from mempage_lab import switch
from mempage_lab import topology
from tests.lab import base


@ddt.ddt
class PreflightTest(base.LabTestCase):

    def _error(self, function, *arguments):
        return str(self.assertRaises(errors.LabError, function, *arguments))

    def test_not_root(self):
        self.patch_object(os, 'geteuid').return_value = 1000
        self.assertIn('as root or with sudo',
                      self._error(preflight.check_root))

    def _system(self, name, version, machine='x86_64'):
        self.patch_object(platform, 'freedesktop_os_release').return_value = {
            'ID': name, 'VERSION_ID': version}
        self.patch_object(platform, 'machine').return_value = machine

    @ddt.data('12', '13')
    def test_known_system(self, version):
        self._system('debian', version)
        preflight.check_system()

    @ddt.data(('ubuntu', '24.04', 'x86_64'), ('debian', '11', 'x86_64'),
              ('debian', '12', 'aarch64'))
    def test_unknown_system(self, system):
        self._system(*system)
        error = self._error(preflight.check_system)
        self.assertIn('debian 12 and debian 13, x86_64', error)
        self.assertIn('this is %s %s, %s' % system, error)

    def _machine(self, available_mib, free_gib, total_mib=None):
        self.patch_object(psutil, 'virtual_memory').return_value = mock.Mock(
            available=available_mib * 2 ** 20,
            total=(total_mib or available_mib) * 2 ** 20)
        self.patch_object(shutil, 'disk_usage').return_value = mock.Mock(
            free=free_gib * 2 ** 30)

    def test_the_default_topology_fits_8_gib(self):
        self._machine(8 * 1024, 100)
        preflight.check_resources(self.default_topology())

    def test_too_little_memory(self):
        self._machine(1000, 100)
        default = self.default_topology()
        error = self._error(preflight.check_resources, default)
        self.assertIn('1000 MiB of memory are available', error)
        self.assertIn('these %d hosts take' % len(default.hosts), error)

    def test_pools_need_memory(self):
        default = self.default_topology()
        hosts = [host for host in default.hosts if host.policy.pools]
        with_pools = topology.Topology(default.network, tuple(hosts))
        without = topology.Topology(default.network, tuple(
            topology.LabHost(host.name, host.index) for host in hosts))
        self.assertEqual(768 + 768 + 2048 + 128,
                         preflight.memory_needed(with_pools)
                         - preflight.memory_needed(without))

    def test_shares_need_disk_until_they_are_made(self):
        consumers = topology.load(topology.find('consumers'), [])
        needed = preflight.DISK_GIB + preflight.CONSUMERS_GIB
        self._machine(100 * 1024, needed - 1)
        self.assertIn('the lab takes %d GiB' % needed, self._error(
            preflight.check_resources, consumers))
        for found in (*consumers.installations, shares.manila(consumers)):
            found.venv.mkdir(parents=True)
            (found.venv / 'complete').touch()
        preflight.check_resources(consumers)

    def test_shares_and_switches_need_memory(self):
        path = topology.find('consumers')
        consumers = topology.load(path, [])
        text = path.read_text().replace('shares: true', '').replace(
            'switch: dpdk', '')
        without = topology.load(self.write_topology(text), [])
        self.assertEqual(
            preflight.SHARES_MIB + 5 * switch.PAGES * 2,
            preflight.memory_needed(consumers)
            - preflight.memory_needed(without))

    def test_machines_need_memory(self):
        default = self.default_topology()
        machine = topology.LabMachine((qemu.Numa(512), qemu.Numa(700)))
        pools = (topology.LabPool(2048, 100),)
        hosts = [topology.LabHost('a', 0, topology.LabPolicy(pools=pools),
                                  machine=machine), topology.LabHost('b', 1)]
        with_machine = topology.Topology(default.network, tuple(hosts))
        without = topology.Topology(default.network, tuple(
            topology.LabHost(host.name, host.index) for host in hosts))
        # Its pools are of its own memory.
        self.assertEqual(512 + 700, preflight.memory_needed(with_machine)
                         - preflight.memory_needed(without))

    def test_optional_pools_may_be_left_out(self):
        default = self.default_topology()
        self._machine(preflight.memory_needed(default) - 1, 100)
        preflight.check_resources(default)

    def test_too_little_disk(self):
        self._machine(100 * 1024, 1)
        error = self._error(preflight.check_resources,
                            self.default_topology())
        self.assertIn('1 GiB are free for %s' % (self.directory / 'cache'),
                      error)

    def test_less_disk_is_enough_where_the_cache_is_filled(self):
        complete = self.default_topology().installation().venv / 'complete'
        complete.parent.mkdir(parents=True)
        complete.touch()
        self._machine(100 * 1024, 2)
        preflight.check_resources(self.default_topology())
        self._machine(100 * 1024, 1)
        self._error(preflight.check_resources, self.default_topology())

    def _store(self, filesystem, size_mib):
        return topology.load(self.write_topology(
            'hosts: {a: , b: {file_backed: {capacity_mib: 1, filesystem: %s, '
            'size_mib: %d}}}' % (filesystem, size_mib)), [])

    @ddt.data(('tmpfs', 20 * 1024), ('ext4', 30 * 1024), ('xfs', 30 * 1024))
    @ddt.unpack
    def test_a_store_that_the_machine_just_holds(self, filesystem, size_mib):
        # What others take now, they need not take when tests fill it.
        self._machine(10 * 1024, 30, total_mib=20 * 1024)
        preflight.check_resources(self._store(filesystem, size_mib))

    @ddt.data(('tmpfs', 20 * 1024, 'memory'), ('ext4', 30 * 1024, 'disk'),
              ('xfs', 30 * 1024, 'disk'))
    @ddt.unpack
    def test_a_store_that_the_machine_cannot_hold(self, filesystem, room,
                                                  place):
        self._machine(10 * 1024, 30, total_mib=20 * 1024)
        error = self._error(preflight.check_resources,
                            self._store(filesystem, room + 1))
        self.assertIn(
            'hosts.b.file_backed.size_mib: a store of %d MiB on %s takes up '
            'to as much %s, and the machine has %d MiB' % (
                room + 1, filesystem, place, room), error)

    @ddt.data(('tmpfs', 512), ('ext4', 10 * 1024))
    @ddt.unpack
    def test_stores_of_machines(self, filesystem, size_mib):
        self._machine(8 * 1024, 13, total_mib=256)
        preflight.check_resources(self._machines_store(filesystem, size_mib))

    def test_a_machines_store_that_the_disk_cannot_hold(self):
        self._machine(8 * 1024, 13)
        self.assertIn('on ext4 takes up to as much disk', self._error(
            preflight.check_resources,
            self._machines_store('ext4', 13 * 1024 + 1)))

    def test_machines_take_more_disk(self):
        self._machine(8 * 1024, 12)
        self.assertIn('12 GiB are free', self._error(
            preflight.check_resources, self._machines_store('ext4', 1)))

    def _machines_store(self, filesystem, size_mib):
        return topology.load(self.write_topology(
            'hosts: {a: {machine: {memory_mib: 512}, file_backed: '
            '{capacity_mib: 1, filesystem: %s, size_mib: %d}}}' % (
                filesystem, size_mib)), [])

    @ddt.data(True, False)
    def test_loop_devices_of_machines_are_their_own(self, is_machine):
        wanted = (self._machines_store('ext4', 9) if is_machine
                  else self._store('ext4', 9))
        self.patch_object(shell, 'run')
        self.patch_object(pathlib.Path, 'exists',
                          lambda path: path.name != 'loop-control')
        if is_machine:
            preflight.check_kernel(wanted)
        else:
            self.assertIn('no /dev/loop-control', self._error(
                preflight.check_kernel, wanted))

    def test_page_size_that_the_kernel_lacks(self):
        self.patch_object(pathlib.Path, 'glob').return_value = [
            pathlib.Path('hugepages-1048576kB')]
        error = self._error(preflight.check_page_sizes,
                            self.default_topology())
        self.assertIn('no pages of 2048 KiB; it has 1048576', error)
