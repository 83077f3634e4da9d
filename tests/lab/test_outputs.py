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


import configparser
import shlex
import stat
import subprocess
import sys

import ddt
import yaml

from mempage_lab import cloud
from mempage_lab import controller
from mempage_lab.machines import node
from mempage_lab import outputs
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import secrets
from mempage_lab import topology
from mempage_tempest_plugin.declared import inventory
from tests.lab import base

RESOURCES = cloud.Resources('image', 'image-2', 'flavor', 'flavor-2', 'net',
                            'guests', ['router', 'external-net'])
HARD = "a b'c\"$(d)"


@ddt.ddt
class OutputsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.topology = self.default_topology()
        outputs.write(self.topology, RESOURCES, kvm=False)

    def test_inventory_is_the_plugins(self):
        hosts = inventory.load(paths.INVENTORY).hosts
        self.assertEqual([(host.name, host.policy.kind)
                          for host in self.topology.hosts],
                         [(name, host.kind) for name, host in hosts.items()])
        for declared in self.topology.hosts:
            host = hosts[declared.name]
            self.assertEqual(self.topology.address(declared), host.address)
            self.assertIsNotNone(host.compute_log.file)
        self.assertEqual(1024, hosts['fbm3'].file_backed.capacity_mib)
        self.assertEqual('ext4', hosts['fbm3'].file_backed.filesystem)
        small = inventory.DeclaredPool(2048, 384)
        self.assertEqual((small,), hosts['huge1'].pools)
        self.assertEqual(('large',), hosts['huge1'].allowed_page_sizes)
        self.assertEqual((small, inventory.DeclaredPool(1048576, 2)),
                         hosts['huge2'].pools)
        self.assertEqual(('any',), hosts['huge2'].allowed_page_sizes)
        self.assertEqual('/etc/nova/nova.conf',
                         hosts['fbm1'].compute_service.config)

    def test_tempest_configuration(self):
        parser = configparser.RawConfigParser()
        parser.read_string(paths.TEMPEST_CONF.read_text())
        self.assertEqual(secrets.load()['admin'],
                         parser['auth']['admin_password'])
        self.assertEqual('image-2', parser['compute']['image_ref_alt'])
        self.assertEqual('flavor', parser['compute']['flavor_ref'])
        self.assertEqual(str(len(self.topology.hosts)),
                         parser['compute']['min_compute_nodes'])
        self.assertEqual('net', parser['network']['public_network_id'])
        self.assertEqual(
            'router,external-net',
            parser['network-feature-enabled']['api_extensions'])
        self.assertEqual(str(paths.INVENTORY),
                         parser['mempage']['host_inventory'])

    def _tempest(self, declared, kvm=False):
        outputs.write(declared, RESOURCES, kvm)
        parser = configparser.RawConfigParser()
        parser.read_string(paths.TEMPEST_CONF.read_text())
        return parser

    def test_emulated_guests_do_not_run_while_they_migrate(self):
        for kvm in (False, True):
            self.assertEqual(kvm, self._tempest(
                self.topology, kvm)['mempage'].getboolean(
                    'live_migrate_running_guests'))

    @ddt.data(('system: debian-13\nhosts: {a: , b: }', True),
              ('system: debian-12\nhosts: {a: , b: }', False),
              ('hosts: {a: {system: debian-13}, b: {system: debian-13}}',
               True),
              ('hosts: {a: {system: debian-13}, b: }', False),
              ('system: debian-13\nhosts: {a: , b: {system: debian-12}}',
               False))
    @ddt.unpack
    def test_emulated_guests_that_can_run_while_they_migrate(
            self, text, expected):
        declared = topology.load(self.write_topology(text), [])
        for kvm in (False, True):
            self.assertEqual(kvm or expected, self._tempest(
                declared, kvm)['mempage'].getboolean(
                    'live_migrate_running_guests'))

    @ddt.data(True, False)
    def test_tempest_knows_the_schedulers_filters(self, stock):
        wanted = self.topology.made_of(releases.NEWEST, stock, None)
        features = self._tempest(wanted)['compute-feature-enabled']
        self.assertEqual(
            controller.SCHEDULER_FILTERS + (
                () if stock else ('AggregateMemoryBackingFilter',)),
            tuple(features['scheduler_enabled_filters'].split(',')))

    @ddt.data((True, 'false', 'refused-late'),
              (False, 'true', 'refused-early'))
    @ddt.unpack
    def test_tempest_knows_the_extension(self, stock, expected, refused):
        wanted = self.topology.made_of(releases.NEWEST, stock, None)
        mempage = self._tempest(wanted)['mempage']
        self.assertEqual((expected, expected, refused), (
            mempage['allowed_memory_pagesize'],
            mempage['aggregate_memory_backing_filter'],
            mempage['mixed_live_migration']))

    def test_a_stock_nova_hands_out_all_page_sizes(self):
        outputs.write(self.topology.made_of(releases.NEWEST, True, None),
                      RESOURCES, kvm=False)
        for name, host in inventory.load(paths.INVENTORY).hosts.items():
            self.assertEqual(('any',), host.allowed_page_sizes, name)

    def test_services_are_restarted_by_the_nodes_own_supervisor(self):
        declared = topology.load(self.write_topology(
            'hosts: {a: , b: {system: debian-13}}'), [])
        outputs.write(declared, RESOURCES, kvm=False)
        hosts = inventory.load(paths.INVENTORY).hosts
        for name, command in (('a', '%s/bin/supervisorctl -c ' % sys.prefix),
                              ('b', '/usr/bin/supervisorctl -c ')):
            service = hosts[name].compute_service
            self.assertTrue(service.restart.startswith(command))
            self.assertTrue(service.restart.endswith(' nova-compute'))
            self.assertTrue(hosts[name].libvirt_restart.startswith(command))

    def test_consumers(self):
        mempage = self._tempest(self._shipped('consumers'))['mempage']
        self.assertTrue(mempage.getboolean('vhost_user'))
        self.assertTrue(mempage.getboolean('shares'))
        self.assertEqual('CEPHFS', mempage['share_protocol'])
        for name, host in inventory.load(paths.INVENTORY).hosts.items():
            self.assertEqual('ovs-vswitchd', host.switch.program, name)
            self.assertRegex(host.switch.restart,
                             'supervisorctl .* restart ovs-vswitchd$')

    def test_other_topologies_have_no_consumers(self):
        mempage = self._tempest(self.topology)['mempage']
        for name in 'vhost_user', 'shares':
            self.assertNotIn(name, mempage)
        for host in inventory.load(paths.INVENTORY).hosts.values():
            self.assertIsNone(host.switch)

    def test_services_of_machines_are_systemds(self):
        outputs.write(self._shipped('device'), RESOURCES, kvm=False)
        hosts = inventory.load(paths.INVENTORY).hosts
        for name in 'device1', 'device2':
            self.assertEqual('systemctl restart nova-compute',
                             hosts[name].compute_service.restart)
            self.assertEqual('systemctl restart libvirtd',
                             hosts[name].libvirt_restart)
        self.assertIn('supervisorctl', hosts['plain1'].libvirt_restart)
        self.assertEqual('ext4', hosts['device1'].file_backed.filesystem)

    def test_pools_of_machines_are_declared_by_numa_node(self):
        outputs.write(self._shipped('numa'), RESOURCES, kvm=False)
        hosts = inventory.load(paths.INVENTORY).hosts
        self.assertEqual((inventory.DeclaredPool(2048, 64, 0),
                          inventory.DeclaredPool(2048, 192, 1, 32)),
                         hosts['numa1'].pools)

    @ddt.data(('default', 1), ('device', node.SLOWER), ('numa', node.SLOWER))
    @ddt.unpack
    def test_limits_of_machines(self, name, slowness):
        # Each server may get to one of them.
        for kvm in True, False:
            tempest = self._tempest(self._shipped(name), kvm)['validation']
            self.assertEqual((60 * slowness, 90 * slowness), (
                tempest.getint('ping_timeout'),
                tempest.getint('ssh_timeout')))

    def test_what_machines_are_declared_as(self):
        outputs.write(self._shipped('device'), RESOURCES, kvm=False)
        hosts = inventory.load(paths.INVENTORY).hosts
        self.assertEqual((node.SLOWER, 1), (hosts['device1'].slowness,
                                            hosts['plain1'].slowness))
        command = '%s/bin/mempage-lab reboot device1' % sys.prefix
        self.assertEqual(inventory.Power(command, command + ' --hard'),
                         hosts['device1'].power)
        self.assertEqual(inventory.Power(), hosts['plain1'].power)

    def _shipped(self, name):
        return topology.load(topology.SHIPPED / (name + '.yaml'), [])

    def test_files_are_roots_own(self):
        for path in (paths.INVENTORY, paths.TEMPEST_CONF, paths.OPENRC,
                     paths.CLOUDS):
            self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode), path)

    def test_clouds_yaml(self):
        auth = yaml.safe_load(
            paths.CLOUDS.read_text())['clouds']['mempage']['auth']
        self.assertEqual(cloud.credentials(self.topology.controller), auth)

    def test_openrc_is_quoted_for_the_shell(self):
        self.patch_object(secrets, 'load').return_value = {'admin': HARD}
        outputs.write(self.topology, RESOURCES, kvm=False)
        words = shlex.split(paths.OPENRC.read_text())
        self.assertIn('OS_PASSWORD=' + HARD, words)
        self.assertIn('OS_AUTH_URL=http://198.18.0.2:5000/v3', words)
        self.assertEqual(len(words) // 2, words.count('export'))


class ShapesTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.topology = topology.load(topology.SHIPPED / 'shapes.yaml', [])
        outputs.write(self.topology, RESOURCES, kvm=False)
        self.hosts = inventory.load(paths.INVENTORY).hosts

    def test_hosts_have_the_names_of_hypervisors(self):
        self.assertIn('fqdn1.example.org', self.hosts)
        self.assertNotIn('fqdn1', self.hosts)

    def test_contained_services(self):
        host = self.hosts['contained1']
        self.assertTrue(host.compute_service.restart.endswith(
            ' restart nova_compute'))
        self.assertTrue(host.libvirt_restart.endswith(
            ' restart nova_libvirt'))
        self.assertEqual('/var/log/nova_compute.log', host.compute_log.file)
        # Its options win over those of all files before it.
        self.assertEqual(
            '/etc/kolla/nova-compute/nova.conf.d/20-memory.conf',
            host.compute_service.config)

    def test_the_link_is_declared(self):
        # As it stands in qemu.conf.
        store = self.hosts['link1'].file_backed
        self.assertEqual(('/var/lib/memory', '/var/lib/libvirt/memory'),
                         (store.directory, store.mount))

    def test_jump_host(self):
        jumps = {name: host.ssh.jump and host.ssh.jump.address
                 for name, host in self.hosts.items()}
        self.assertEqual(self.hosts['fqdn1.example.org'].address,
                         jumps.pop('behind1'))
        self.assertEqual({None}, set(jumps.values()))

    def test_jump_host_of_ssh(self):
        for name, expected in (('behind1', 'fqdn1'), ('fqdn1', None)):
            lines = subprocess.run(
                ['ssh', '-G', '-F', paths.SSH_CONFIG, name], check=True,
                capture_output=True, text=True).stdout.splitlines()
            jumps = [line for line in lines if line.startswith('proxyjump')]
            self.assertEqual(
                ['proxyjump ' + expected] if expected else [], jumps)
