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


import ipaddress
import textwrap

import ddt

from mempage_lab import errors
from mempage_lab.machines import qemu
from mempage_lab import packages
from mempage_lab import releases
from mempage_lab import switch
from mempage_lab import systems
from mempage_lab import topology
from mempage_tempest_plugin.declared import inventory
from tests.lab import base
from tests.plugin import test_plain_yaml

MIXED = textwrap.dedent("""\
    network: 10.7.0.0/23
    hosts:
      a:
        file_backed: {capacity_mib: 512, filesystem: xfs, size_mib: 640}
      b:
        pools:
          - {size_kib: 2048, pages: 100}
          - {size_kib: 1048576, pages: 1, optional: true}
        allowed_page_sizes: [small, 2048]
      c:
        pools: [{size_kib: 2048, pages: 50}]
      d:
    """)
#: With one NUMA node or with two.
MACHINES = textwrap.dedent("""\
    hosts:
      a:
        machine: {memory_mib: 600, cpus: 2}
      b:
        machine:
          numa: [{memory_mib: 512}, {memory_mib: 700, cpus: 3}]
          disks:
            - {kind: nvme, serial: A1, size_mib: 64}
            - {serial: B2, size_mib: 32}
        file_backed:
          {capacity_mib: 40, size_mib: 64, filesystem: xfs, disk: A1}
        pools:
          - {size_kib: 2048, node: 0, pages: 5}
          - {size_kib: 2048, node: 1, pages: 7, reserved: 2}
      c: {pools: [{size_kib: 2048, pages: 9}]}
    """)
#: A store on a disk, or on one that is not there; pools.
ON_DISK = ('hosts: {a: {machine: {memory_mib: 512, disks: [{serial: A1, '
           'size_mib: 64}]}, file_backed: {capacity_mib: 1, filesystem: %s, '
           'size_mib: %d, disk: %s}}}')
POOL_OF_NODE = ('hosts: {a: {machine: {numa: [{memory_mib: 512}, {memory_mib: '
                '512}]}, pools: [{size_kib: 2048, pages: 1, node: %d}]}}')
SHAPES = textwrap.dedent("""\
    network: 10.7.0.0/23
    hosts:
      a:
        contained: true
        file_backed: {capacity_mib: 512, filesystem: tmpfs, size_mib: 512,
                      directory: /var/lib/guests, link: /var/lib/memory}
      b: {domain: example.org, tenant_guests: 2}
      c: {jump: a, system: debian-12}
      d:
    """)
STORE = ('file_backed: {capacity_mib: 1, filesystem: tmpfs, size_mib: 1, '
         'directory: /m/guests%s}')
#: The newest release runs on both.
TWO_SYSTEMS = 'hosts: {a: {system: debian-13}, b: , c: {system: debian-12}}'
SWITCHES = textwrap.dedent("""\
    hosts:
      a: {system: debian-13, switch: dpdk}
      b:
        system: debian-13
        switch: dpdk
        pools: [{size_kib: 2048, pages: 10}]
      c:
    """)


def _networks(*texts):
    return [ipaddress.ip_network(text) for text in texts]


@ddt.ddt
class TopologyTest(base.LabTestCase):

    def _load(self, text, *used):
        return topology.load(self.write_topology(text), _networks(*used))

    def _error(self, text, *used):
        return str(self.assertRaises(errors.LabError, self._load, text,
                                     *used))

    def test_hosts(self):
        a, b, c, d = [host.policy for host in self._load(MIXED).hosts]
        self.assertEqual(
            topology.LabStore(512, filesystem='xfs', size_mib=640),
            a.file_backed)
        self.assertEqual('/var/lib/libvirt/memory', a.file_backed.mount)
        self.assertEqual((), a.pools)
        self.assertEqual((topology.LabPool(2048, 100),
                          topology.LabPool(1048576, 1, optional=True)),
                         b.pools)
        self.assertIsNone(c.file_backed)
        self.assertEqual(topology.LabPolicy(), d)
        self.assertEqual(('small', 2048), b.allowed_page_sizes)
        self.assertTrue(d.allows_all)

    def test_find(self):
        own = self.write_topology(MIXED)
        self.assertEqual(own, topology.find(str(own)))
        self.assertEqual(topology.SHIPPED / 'wide.yaml',
                         topology.find('wide'))
        # To load it says why it cannot be read.
        self.assertEqual('nothing.yaml', str(topology.find('nothing.yaml')))
        error = self.assertRaises(errors.LabError, topology.find, 'nothing')
        self.assertIn('one of consumers, default, device, numa, shapes, '
                      'stock, wide', str(error))

    def test_shipped(self):
        numbers = {path.stem: len(topology.load(path, []).hosts)
                   for path in topology.SHIPPED.glob('*.yaml')}
        self.assertEqual({'consumers': 5, 'default': 7, 'device': 3,
                          'numa': 2, 'shapes': 6, 'stock': 2, 'wide': 24},
                         numbers)

    def test_switches_have_pages_of_their_own(self):
        loaded = self._load(SWITCHES)
        self.assertEqual([2048], loaded.page_sizes)
        self.assertEqual(2 * switch.PAGES + 10, loaded.pages(2048))
        self.assertEqual(0, loaded.pages(1048576))
        self.assertEqual(['a', 'b'],
                         [host.name for host in loaded.switched])

    @ddt.data((SWITCHES, packages.CONSUMERS),
              ('shares: true\nsystem: debian-13\nhosts: {a: }',
               packages.CONSUMERS),
              ('system: debian-13\nhosts: {a: }', ()))
    @ddt.unpack
    def test_only_who_has_consumers_has_their_packages(self, text, expected):
        loaded = self._load(text)
        self.assertEqual(expected,
                         loaded.installation(loaded.hosts[0]).system.extra)
        self.assertEqual((), loaded.system_named('debian-12').extra)

    def test_all_that_the_inventory_knows(self):
        [host] = self._load(
            'hosts: {a: {file_backed: {capacity_mib: 1, filesystem: ext4, '
            'size_mib: 9, directory: /m/a, mount: /m}, pools: '
            '[{size_kib: 2048, pages: 5, reserved: 3, node: 0}]}}').hosts
        self.assertEqual('/m', host.policy.file_backed.mount)
        self.assertEqual((topology.LabPool(2048, 5, 0, 3),),
                         host.policy.pools)

    def test_reserved_pages_are_pages_of_the_machine(self):
        loaded = self._load(
            'hosts: {a: {pools: [{size_kib: 2048, pages: 5, reserved: 3}]}}')
        self.assertEqual(8, loaded.pages(2048))

    def test_pages_of_all_hosts(self):
        loaded = self._load(MIXED)
        self.assertEqual([2048, 1048576], loaded.page_sizes)
        self.assertEqual(150, loaded.pages(2048))
        self.assertEqual(1, loaded.pages(1048576))

    def test_shapes(self):
        loaded = self._load(SHAPES)
        self.assertEqual(
            [topology.Shape(contained=True),
             topology.Shape(domain='example.org', tenant_guests=2),
             topology.Shape(jump='a'), topology.Shape()],
            [host.shape for host in loaded.hosts])
        self.assertEqual('/var/lib/memory',
                         loaded.hosts[0].policy.file_backed.link)
        self.assertEqual(['a', 'b.example.org', 'c', 'd'],
                         [host.hypervisor for host in loaded.hosts])
        self.assertEqual([None, None, loaded.hosts[0], None],
                         list(map(loaded.jump, loaded.hosts)))

    def test_without_optional_pools(self):
        loaded = self._load(MIXED)
        self.assertEqual([1048576], loaded.optional_sizes)
        self.assertEqual(loaded, loaded.without_optional([2048]))
        without = loaded.without_optional([1048576])
        self.assertEqual([], without.optional_sizes)
        self.assertEqual([2048], without.page_sizes)
        self.assertEqual(150, without.pages(2048))

    def test_optional_pools_of_machines_stay(self):
        loaded = self._load(
            'hosts: {a: {machine: {memory_mib: 512}, pools: &pools '
            '[{size_kib: 2048, pages: 1, optional: true}]}, '
            'b: {pools: *pools}}')
        self.assertEqual([2048], loaded.optional_sizes)
        self.assertEqual([1, 0], [len(host.policy.pools) for host in
                                  loaded.without_optional([2048]).hosts])

    def test_addresses_differ_and_are_in_the_management_network(self):
        loaded = self._load(MIXED)
        addresses = [str(loaded.management[1]), loaded.controller,
                     *(loaded.address(host) for host in loaded.hosts)]
        self.assertEqual(len(addresses), len(set(addresses)))
        for address in addresses:
            self.assertIn(ipaddress.ip_address(address), loaded.management)
        self.assertFalse(loaded.management.overlaps(loaded.external))

    @ddt.data(MIXED, SHAPES)
    def test_saved_is_loaded_again(self, text):
        loaded = self._load(text)
        path = self.directory / 'saved' / 'topology.yaml'
        topology.save(loaded, path)
        self.assertEqual(loaded, topology.load(path, []))

    @ddt.data(
        'release: 2024.2\n' + MIXED, 'system: debian-13\n' + MIXED,
        'system: debian-12\n' + TWO_SYSTEMS, TWO_SYSTEMS,
        'release: 2025.1\nstock: true\nhosts: {a: {pools: '
        '[{size_kib: 2048, pages: 5}]}}')
    def test_saved_openstack_is_loaded_again(self, text):
        loaded = self._load(text)
        path = self.directory / 'saved' / 'topology.yaml'
        topology.save(loaded, path)
        self.assertEqual(loaded, topology.load(path, []))

    def test_machines(self):
        loaded = self._load(MACHINES)
        a, b, c = loaded.hosts
        self.assertEqual(topology.LabMachine((qemu.Numa(600, 2),)), a.machine)
        self.assertEqual(
            topology.LabMachine((qemu.Numa(512, 1), qemu.Numa(700, 3)), (
                qemu.Nvme('A1', 64), qemu.Nvme('B2', 32))), b.machine)
        self.assertEqual(1212, b.machine.memory_mib)
        self.assertEqual('A1', b.policy.file_backed.disk)
        self.assertIsNone(c.machine)
        self.assertEqual([a, b], loaded.machines)
        # Theirs are pages of kernels of their own.
        self.assertEqual(9, loaded.pages(2048))

    @ddt.data('debian-12', 'debian-13')
    def test_machines_run_what_they_are_known_to_run(self, system):
        loaded = self._load('system: %s\n%s' % (system, MACHINES))
        self.assertEqual([system, 'debian-13', 'debian-13', system],
                         self._systems(loaded))

    def test_saved_machines_are_loaded_again(self):
        loaded = self._load(MACHINES)
        path = self.directory / 'saved' / 'topology.yaml'
        topology.save(loaded, path)
        self.assertEqual(loaded, topology.load(path, []))

    @ddt.data('device', 'numa')
    def test_shipped_machines_are_loaded_again(self, name):
        loaded = topology.load(topology.SHIPPED / (name + '.yaml'), [])
        path = self.directory / 'saved' / 'topology.yaml'
        topology.save(loaded, path)
        self.assertEqual(loaded, topology.load(path, []))
        self.assertEqual(2, len(loaded.machines))

    def test_a_machine_and_a_release_that_its_system_is_too_new_for(self):
        self.assertRegex(self._error('release: 2025.1\n' + MACHINES),
                         r'OpenStack 2025\.1 .*debian-13')

    def test_a_wish_is_loaded_again(self):
        wanted = self._load(MIXED).made_of(releases.RELEASES['2025.1'], True,
                                           'debian-12')
        path = self.directory / 'saved' / 'topology.yaml'
        topology.save(wanted, path)
        self.assertEqual(wanted, topology.load(path, []))

    def test_a_stock_nova_has_no_pools_that_no_guest_was_to_use(self):
        stock = self._load(
            'hosts: {a: {allowed_page_sizes: [small], pools: &pools '
            '[{size_kib: 2048, pages: 5}]}, b: {allowed_page_sizes: [large], '
            'pools: *pools}}').made_of(releases.NEWEST, True, None)
        self.assertEqual([[], [2048]], [
            [pool.size_kib for pool in host.policy.pools]
            for host in stock.hosts])
        self.assertEqual([], stock.restricting)

    def test_openstack_of_a_file_that_names_none(self):
        loaded = self._load(MIXED)
        self.assertIs(releases.NEWEST, loaded.release)
        self.assertIs(False, loaded.stock)
        self.assertIsNone(loaded.system)
        self.assertEqual('2026.2 on debian-12', loaded.openstack)

    # YAML takes it for a number without quotes.
    @ddt.data('2025.1', "'2025.1'")
    def test_release(self, name):
        loaded = self._load('release: %s\n%s' % (name, MIXED))
        self.assertIs(releases.RELEASES['2025.1'], loaded.release)
        self.assertEqual('2025.1', loaded.installation().release.name)

    def test_stock(self):
        loaded = self._load('stock: true\nhosts: {a: }')
        self.assertIs(True, loaded.installation().stock)
        self.assertEqual('2026.2 on debian-12, stock Nova', loaded.openstack)

    def test_a_stock_nova_cannot_restrict_page_sizes(self):
        error = self._error('stock: true\n' + MIXED.replace(
            '  d:\n', '  d: {allowed_page_sizes: [large]}\n'))
        self.assertIn('topology.yaml: stock: ', error)
        self.assertIn('allowed_page_sizes of b, d ', error)

    def test_restricting(self):
        loaded = self._load(MIXED)
        self.assertEqual(['b'], loaded.restricting)
        wanted = loaded.made_of(loaded.release, True, None)
        self.assertEqual([], wanted.restricting)
        # But for the one whose pages no guest was to have.
        self.assertEqual([(), (topology.LabPool(2048, 100),),
                          (topology.LabPool(2048, 50),), ()],
                         [host.policy.pools for host in wanted.hosts])
        self.assertEqual(loaded, loaded.made_of(loaded.release, False, None))

    def _systems(self, loaded):
        """Return the systems of the controller and of each host."""
        return [loaded.installation(host).system.name
                for host in (None, *loaded.hosts)]

    @ddt.data('debian-12', 'debian-13')
    def test_nodes_run_the_machines_system(self, machine):
        self.machine.return_value = machine
        self.assertEqual({machine}, set(self._systems(self._load(MIXED))))

    def test_system_of_all(self):
        loaded = self._load('system: debian-13\n' + MIXED)
        self.assertEqual(['debian-13'] * 5, self._systems(loaded))

    def test_a_hosts_own_system(self):
        loaded = self._load(TWO_SYSTEMS)
        self.assertEqual(['debian-12', 'debian-13', 'debian-12',
                          'debian-12'], self._systems(loaded))
        loaded = self._load('system: debian-13\n' + TWO_SYSTEMS)
        self.assertEqual(['debian-13', 'debian-13', 'debian-13',
                          'debian-12'], self._systems(loaded))

    def test_nodes_alike_share_an_installation(self):
        loaded = self._load(TWO_SYSTEMS)
        self.assertEqual(['debian-12', 'debian-13'], [
            found.system.name for found in loaded.installations])
        self.assertIs(loaded.installation(), loaded.installation(
            loaded.hosts[1]))
        self.assertIs(loaded.installations[1], loaded.installation(
            loaded.hosts[0]))

    # Its Python is too new for the older releases.
    @ddt.data(('2024.2', 'debian-12'), ('2025.1', 'debian-12'),
              ('2025.2', 'debian-13'), ('2026.2', 'debian-13'))
    @ddt.unpack
    def test_a_system_that_the_release_runs_on(self, release, expected):
        self.machine.return_value = 'debian-13'
        loaded = self._load('release: %s\n%s' % (release, MIXED))
        self.assertEqual({expected}, set(self._systems(loaded)))

    @ddt.data('system: debian-13\nhosts: {a: }',
              'hosts: {a: {system: debian-13}, b: }')
    def test_a_system_that_the_release_does_not_run_on(self, text):
        error = self._error('release: 2025.1\n' + text)
        self.assertRegex(error, r'topology.yaml: OpenStack 2025\.1 .* 3\.9 to '
                         r'3\.12, and debian-13 has 3\.13')

    @ddt.data(TWO_SYSTEMS, 'hosts: {a: }')
    def test_a_wish_that_does_not_fit(self, text):
        loaded = self._load(text)
        error = self.assertRaises(
            errors.LabError, loaded.made_of, releases.RELEASES['2024.2'],
            False, 'debian-13')
        self.assertRegex(str(error), r'^OpenStack 2024\.2 .*debian-13')

    @ddt.data(*releases.RELEASES)
    def test_every_release_can_be_named(self, release):
        loaded = self._load("release: '%s'\nhosts: {a: }" % release)
        self.assertEqual(release, loaded.release.name)

    @ddt.data(*systems.DEBIANS)
    def test_every_system_can_be_named(self, system):
        loaded = self._load('system: %s\nhosts: {a: {system: %s}}' % (
            system, system))
        self.assertEqual([system] * 2, self._systems(loaded))

    def test_default_is_valid(self):
        hosts = self.default_topology().hosts
        self.assertEqual(set(inventory.Kind),
                         {host.policy.kind for host in hosts})

    def test_auto_takes_the_first_free_network(self):
        text = 'hosts: {a: }'
        self.assertEqual('198.18.0.0/23', str(self._load(text).network))
        self.assertEqual('198.18.4.0/23', str(self._load(
            text, '198.18.0.0/24', '198.18.3.8/29').network))

    def test_auto_without_a_free_network(self):
        self.assertIn('set "network" in the topology', self._error(
            'hosts: {a: }', '198.18.0.0/15'))

    def test_network_in_use(self):
        error = self._error(MIXED, '10.0.0.0/8')
        self.assertIn('network: 10.7.0.0/23 is in use', error)
        self.assertIn('route to 10.0.0.0/8', error)
        self.assertIn('198.18.0.0/23 is free', error)

    @ddt.data(
        ('hosts: {}', 'hosts: '),
        ('{}', 'top level: '),
        ('hosts: {A: {}}', "hosts: 'A' does not match"),
        ('hosts: {controller: {}}', 'hosts: '),
        ('hosts: {a: {b: 1}}', "hosts.a: .*'b' was unexpected"),
        ('hosts: {a: {file_backed: {filesystem: tmpfs, size_mib: 1}}}',
         "hosts.a.file_backed: 'capacity_mib' is a required"),
        ('hosts: {a: {file_backed: {capacity_mib: 1, filesystem: btrfs, '
         'size_mib: 1}}}', "hosts.a.file_backed.filesystem: 'btrfs'"),
        ('hosts: {a: {pools: [{size_kib: 2048, pages: 0}]}}',
         'hosts.a.pools.0.pages: 0 is less'),
        ('hosts: {a: {pools: [{size_kib: 2048, pages: 1, node: 1}]}}',
         'hosts.a.pools: NUMA node 1; the host has one node, 0'),
        ('hosts: {a: {allowed_page_sizes: [small, huge]}}',
         "hosts.a.allowed_page_sizes.1: 'huge' is not small, large, any or a "
         'number of KiB'),
        ('hosts: {a: {small_page_kib: 64}}',
         'hosts.a.small_page_kib: 4 was expected'),
        ('network: 10.0.0.0/24\nhosts: {a: }', "network: '10.0.0.0/24' "),
        ('network: 300.0.0.0/23\nhosts: {a: }', "network: .*300.0.0.0"),
        ('hosts: {a: {file_backed: {capacity_mib: 9, filesystem: tmpfs, '
         'size_mib: 8}}}', 'hosts.a.file_backed.size_mib: 8 MiB cannot'),
        ("release: '2023.1'\nhosts: {a: }",
         "release: '2023.1' is not one of .*'2024.2'.*'2026.2'"),
        ('release: [2025.1]\nhosts: {a: }', 'release: .2025.1. is not one'),
        ('release: 2023.1\nhosts: {a: }', "release: '2023.1' is not one of"),
        ('stock: maybe\nhosts: {a: }', "stock: 'maybe' is not of type"),
        ('system: debian-11\nhosts: {a: }',
         "system: 'debian-11' is not one of .*'debian-12', 'debian-13'"),
        ('hosts: {a: {system: ubuntu-24.04}}',
         "hosts.a.system: 'ubuntu-24.04' is not one of .*'debian-13'"),
        ('hosts: {a: {release: 2025.1}}', "hosts.a: .*'release' was unexp"),
        (ON_DISK % ('ext4', 64, 'B'),
         r'hosts\.a\.file_backed\.disk: B; it has A1'),
        ('hosts: {a: {file_backed: {capacity_mib: 1, filesystem: xfs, '
         'size_mib: 1, disk: A}}}', 'file_backed.disk: A; it has no disks'),
        (ON_DISK % ('xfs', 65, 'A1'), 'hosts.a.file_backed.size_mib: 65 MiB, '
         'and the disk A1 has 64 MiB'),
        (ON_DISK % ('tmpfs', 64, 'A1'),
         'hosts.a.file_backed.disk: a tmpfs is not on a disk'),
        ('hosts: {a: {machine: {memory_mib: 512}, file_backed: {capacity_mib: '
         '1, filesystem: tmpfs, size_mib: 513}}}',
         'file_backed.size_mib: 513 MiB, and the machine has 512 MiB of mem'),
        (POOL_OF_NODE.replace('node: %d', 'reserved: 1'),
         'hosts.a.pools: reserved pages of 2048 KiB: on which NUMA node'),
        (POOL_OF_NODE % 2,
         'hosts.a.pools: NUMA node 2; the host has nodes 0 to 1'),
        ('hosts: {a: {machine: {memory_mib: 512}, pools: [{size_kib: 2048, '
         'pages: 1, node: 1}]}}',
         'hosts.a.pools: NUMA node 1; the host has one node, 0'),
        ('hosts: {a: {machine: {memory_mib: 512}, system: debian-12}}',
         'hosts.a.system: a machine runs debian-13, not debian-12'),
        ('hosts: {a: {machine: {memory_mib: 512, numa: [{memory_mib: 512}]}}}',
         'hosts.a.machine.memory_mib: 512 is not for a machine with numa'),
        ('hosts: {a: {machine: {cpus: 2, numa: [{memory_mib: 512}]}}}',
         'hosts.a.machine.cpus: 2 is not for a machine with numa'),
        ('hosts: {a: {machine: {}}}',
         "hosts.a.machine: 'memory_mib' is a required"),
        ('hosts: {a: {machine: {cpus: 1}}}',
         "hosts.a.machine: 'memory_mib' is a required"),
        ('hosts: {a: {machine: {numa: []}}}', 'hosts.a.machine.numa: '),
        ('hosts: {a: {machine: {memory_mib: 511}}}',
         'hosts.a.machine.memory_mib: 511 is less'),
        ('hosts: {a: {machine: {memory_mib: 512, disks: [{serial: a/b, '
         'size_mib: 16}]}}}', 'hosts.a.machine.disks.0.serial: '),
        ('hosts: {a: {machine: {memory_mib: 512, disks: [{serial: A, '
         'size_mib: 16}, {serial: A, size_mib: 17}]}}}',
         'hosts.a.machine.disks: two have the same serial number'),
        ('hosts: {a: {contained: 1}}', 'hosts.a.contained: 1 is not of type'),
        ('hosts: {a: {domain: .org}}', "hosts.a.domain: '.org' does not"),
        ('hosts: {a: {tenant_guests: -1}}', 'hosts.a.tenant_guests: -1 is'),
        ('hosts: {a: {jump: b}}', 'topology.yaml: hosts.a.jump: b is not .* '
         'such are none'),
        ('hosts: {a: {jump: a}, b: }', 'hosts.a.jump: a is not .* are b$'),
        ('hosts: {a: {jump: b}, b: {jump: c}, c: }',
         'hosts.a.jump: b is not .* such are c$'),
        ('hosts: {a: {%s}}' % STORE % ', link: /srv/memory',
         "hosts.a.file_backed.link: '/srv/memory' does not match"),
        ('hosts: {a: {%s}}' % STORE % ', link: /var/lib/m/',
         "hosts.a.file_backed.link: '/var/lib/m/' does not match"),
        ('hosts: {a: {file_backed: {capacity_mib: 1, filesystem: tmpfs, '
         'size_mib: 1, link: /var/lib/libvirt}}}',
         'hosts.a.file_backed.link: /var/lib/libvirt cannot be a link to '),
        ('hosts: {a: {machine: {memory_mib: 512}, domain: b}}',
         'hosts.a.domain: not of a machine'),
        ('hosts: {a: {machine: {memory_mib: 512}, file_backed: {capacity_mib: '
         '1, filesystem: tmpfs, size_mib: 1, link: /var/lib/m}}}',
         'hosts.a.file_backed.link: not of a machine'),
        ('hosts: {a: {switch: vpp}}', "hosts.a.switch: 'dpdk' was expected"),
        ('shares: 1\nhosts: {a: }', 'shares: 1 is not of type'),
        ('hosts: {shares: }', 'hosts: '),
        ('hosts: {a: {switch: dpdk}}',
         r'topology.yaml: hosts\.a\.switch: dpdk takes a host with system: '
         'debian-13 that is no machine; a is of debian-12'),
        ('hosts: {a: {machine: {memory_mib: 512}, switch: dpdk}}',
         'hosts.a.switch: not of a machine'),
        ('hosts: {a: {system: debian-13, contained: true, switch: dpdk}}',
         'hosts.a.switch: not of a host whose services are contained'),
        ('shares: true\nhosts: {a: {system: debian-13}, b: }',
         'shares: true takes .*debian-13 .*; b is of debian-12'),
        ('shares: true\nhosts: {a: {machine: {memory_mib: 512}}}',
         'shares: true takes .* that is no machine; a is a machine'),
        ('hosts: {a: , a: {contained: true}}', "key 'a' is there twice"),
        ('hosts: {a: }\nhosts: {b: }', "key 'hosts' is there twice"),
        ('hosts: {a: 2026-13-45}', 'is not YAML: month must be in 1..12'),
        (test_plain_yaml.BOMB,
         'topology.yaml: is not YAML: aliases repeat .* line 6'),
        ('hosts: {1: }', "hosts: 1 is not of type 'string'"),
        ('hosts: {~: }', "hosts: None is not of type 'string'"),
        (r'hosts: {"a\n": }', 'hosts: .* does not match'),
        (r'hosts: {a: {domain: "x\n"}}', 'hosts.a.domain: .* does not match'),
        ('hosts: {a: {pools: [{size_kib: 2048.0, pages: 1}]}}',
         'hosts.a.pools.0.size_kib: 2048.0 is not of type'),
        *(('network: %s/23\nhosts: {a: }' % address,
           'network: %s/23 is none of ordinary machines' % address)
          for address in ('127.0.0.0', '0.0.0.0', '224.0.0.0', '240.0.0.0',
                          '169.254.0.0')),
        ('hosts: [', 'is not YAML'))
    @ddt.unpack
    def test_error_names_the_key(self, text, expected):
        self.assertRegex(self._error(text), expected)

    def test_no_text(self):
        path = self.directory / 'topology.yaml'
        path.write_bytes(b'hosts: \xff')
        error = self.assertRaises(errors.LabError, topology.load, path, [])
        self.assertRegex(str(error), 'topology .*topology.yaml: .*decode')

    def test_missing_file(self):
        error = self.assertRaises(errors.LabError, topology.load,
                                  self.directory / 'none.yaml', [])
        self.assertRegex(str(error), 'cannot read .*none.yaml: No such file')
