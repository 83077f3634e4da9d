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
import pathlib
import re
import subprocess

import ddt

from mempage_lab import compute
from mempage_lab import memory
from mempage_lab import node
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import secrets
from mempage_lab import switch
from mempage_lab import templates
from mempage_lab import topology
from tests.lab import base

#: Two hosts share a pool of the machine's, one of them has two sizes.
HOSTS = """\
network: 10.7.0.0/23
hosts:
  ramdisk: {file_backed: {capacity_mib: 512, filesystem: tmpfs, size_mib: 640}}
  disk: {file_backed: {capacity_mib: 256, filesystem: xfs, size_mib: 400}}
  plain:
  small:
    pools: [{size_kib: 2048, pages: 50}]
    allowed_page_sizes: [small, 1048576]
  both: {pools: [{size_kib: 2048, pages: 100}, {size_kib: 1048576, pages: 2}]}
"""
#: What the machine had before there was a lab.
SHAPES = """\
network: 10.7.0.0/23
hosts:
  inside:
    contained: true
    file_backed: {capacity_mib: 512, filesystem: tmpfs, size_mib: 640}
    allowed_page_sizes: [small]
  link: {file_backed: {capacity_mib: 256, filesystem: tmpfs, size_mib: 400,
                       link: /var/lib/memory}}
  named: {domain: example.org}
  behind: {jump: named}
"""
MACHINE_PAGES = {2048: 7, 1048576: 1}


class ComputeTestCase(base.LabTestCase):
    """Starts hosts of a topology, but for their processes."""

    hosts = HOSTS

    def setUp(self):
        super().setUp()
        self.topology = topology.load(self.write_topology(self.hosts), [])
        paths.KEYS.mkdir(parents=True)
        for name in ('tempest', 'nova', *(
                host.name for host in self.topology.hosts)):
            (paths.KEYS / name).write_text('private key of %s' % name)
            (paths.KEYS / (name + '.pub')).write_text(
                'ssh-ed25519 %s comment' % name)
        self.written = self.record_writes()
        self.started = self.patch_object(node.Node, 'start')

    def _start(self, name, kvm=False):
        [host] = [host for host in self.topology.hosts if host.name == name]
        part = compute.Compute(host, self.topology, MACHINE_PAGES)
        part.kvm = kvm
        part.start({host.name: self.topology.address(host)
                    for host in self.topology.hosts})
        self.setup_script = self.started.call_args.args[2]
        return part

    def _nova(self, path='/etc/nova/nova.conf'):
        """Return a file, with all values of an option that is repeated."""
        values = {}
        for line in self.written[path].splitlines():
            section = re.match(r'\[(.*)\]$', line)
            if section:
                current = values.setdefault(section[1], {})
            elif ' = ' in line and not line.startswith('#'):
                name, _, value = line.partition(' = ')
                current.setdefault(name, []).append(value)
        return values


@ddt.ddt
class ComputeTest(ComputeTestCase):

    @ddt.data(('ramdisk', '512'), ('disk', '256'))
    @ddt.unpack
    def test_file_backed(self, name, capacity):
        self._start(name)
        nova = self._nova()
        self.assertEqual([capacity], nova['libvirt']['file_backed_memory'])
        self.assertEqual(['1.0'], nova['DEFAULT']['ram_allocation_ratio'])
        self.assertEqual(['0'], nova['DEFAULT']['reserved_host_memory_mb'])

    @ddt.data('plain', 'small', 'both')
    def test_not_file_backed(self, name):
        self._start(name)
        self.assertNotIn('file_backed_memory', self._nova()['libvirt'])
        # Or placement would keep that of a drill.
        self.assertEqual(['1.0'],
                         self._nova()['DEFAULT']['ram_allocation_ratio'])
        self.assertNotIn('build_backing_store ', self.setup_script)

    def test_allowed_page_sizes(self):
        self._start('small')
        self.assertEqual(['small,1048576'],
                         self._nova()['libvirt']['allowed_memory_pagesize'])
        self._start('plain')
        self.assertNotIn('allowed_memory_pagesize', self._nova()['libvirt'])

    @ddt.data((False, 'mempage.LibvirtDriver'),
              (True, 'libvirt.LibvirtDriver'))
    @ddt.unpack
    def test_driver(self, stock, expected):
        self.topology = self.topology.made_of(releases.NEWEST, stock, None)
        self._start('plain')
        self.assertEqual([expected],
                         self._nova()['DEFAULT']['compute_driver'])

    def test_a_stock_nova_hands_out_all_page_sizes(self):
        self.topology = self.topology.made_of(releases.NEWEST, True, None)
        self._start('small')
        self.assertNotIn('allowed_memory_pagesize', self._nova()['libvirt'])

    def test_all_is_of_its_own_environment(self):
        part = self._start('plain')
        openstack = self.topology.installation()
        self.assertIs(openstack, part.node.installation)
        for section, options in self._nova().items():
            for helper in options.get('helper_command', ()):
                self.assertTrue(helper.startswith(
                    '%s/bin/privsep-helper ' % openstack.venv), section)
        [program] = [program for program in part.programs()
                     if program.name == 'nova-compute']
        self.assertTrue(program.command.startswith(
            '%s/bin/nova-compute ' % openstack.venv))
        self.assertEqual('PATH="%s"' % openstack.search_path,
                         program.environment)

    def test_a_host_of_another_system(self):
        self.topology = topology.load(self.write_topology(
            'hosts: {plain: {system: debian-13}, both: }'), [])
        part = self._start('plain')
        self.assertEqual('debian-13', part.node.system.name)
        venv = part.node.installation.venv
        self.assertNotEqual(self._start('both').node.installation.venv, venv)

    def test_store_on_a_ramdisk(self):
        self._start('ramdisk')
        self.assertIn('build_backing_store /var/lib/libvirt/memory tmpfs '
                      '640\n', self.setup_script)

    def test_store_on_a_loop_device(self):
        self._start('disk')
        self.assertIn('build_backing_store /var/lib/libvirt/memory xfs 400 '
                      '/var/lib/nova/backing-store.img\n', self.setup_script)

    def test_directory_below_the_mount(self):
        self.topology = topology.load(self.write_topology(
            'hosts: {ramdisk: {file_backed: {capacity_mib: 1, filesystem: '
            'tmpfs, size_mib: 1, directory: /m/a, mount: /m}}}'), [])
        self._start('ramdisk')
        self.assertIn('build_backing_store /m tmpfs 1\nmkdir -p /m/a\n'
                      'set_memory_backing_dir /etc/libvirt/qemu.conf /m/a\n',
                      self.setup_script)

    def _reserved(self):
        result = {}
        for value in self._nova()['DEFAULT']['reserved_huge_pages']:
            fields = dict(field.split(':') for field in value.split(','))
            self.assertEqual('0', fields['node'])
            result[int(fields['size'])] = int(fields['count'])
        return result

    def test_no_large_page_is_counted_twice(self):
        handed_out = {size: 0 for size in MACHINE_PAGES}
        in_machine = {size: pages + self.topology.pages(size)
                      for size, pages in MACHINE_PAGES.items()}
        for host in self.topology.hosts:
            self._start(host.name)
            own = {pool.size_kib: pool.pages for pool in host.policy.pools}
            for size, reserved in self._reserved().items():
                left = in_machine[size] - reserved
                self.assertEqual(own.get(size, 0), left)
                handed_out[size] += left
        # What the machine had before is left to the machine.
        self.assertEqual({2048: 150, 1048576: 2}, handed_out)

    def test_memory_of_pools(self):
        self.topology = topology.load(self.write_topology(
            'hosts: {small: {memory_mb_without_pools: true, pools: ['
            '{size_kib: 2048, pages: 50, reserved: 6}]}, both: {}}'), [])
        self._start('small')
        # What the machine had before is not ordinary memory either.
        before = sum(size * pages for size, pages in MACHINE_PAGES.items())
        self.assertEqual(
            ['%d' % (512 + 112 + before // 1024)],
            self._nova()['DEFAULT']['reserved_host_memory_mb'])
        self._start('both')
        self.assertNotIn('reserved_host_memory_mb', self._nova()['DEFAULT'])

    def test_reserved_pages(self):
        self.topology = topology.load(self.write_topology(
            'hosts: {small: {pools: [{size_kib: 2048, pages: 50, '
            'reserved: 5}]}}'), [])
        self._start('small')
        self.assertEqual(7 + 5, self._reserved()[2048])

    def test_pages_of_a_size_that_no_host_has_a_pool_of(self):
        self.topology = topology.load(self.write_topology(
            'hosts: {small: {pools: [{size_kib: 2048, pages: 50}]}}'), [])
        self._start('small')
        self.assertEqual({2048: 7, 1048576: 1}, self._reserved())
        self.assertNotIn('1048576', self.setup_script)

    def test_every_page_size_has_a_mount(self):
        self._start('small')
        self.assertIn('mount_hugetlbfs /dev/hugepages 2048\n',
                      self.setup_script)
        self.assertIn('mount_hugetlbfs /dev/hugepages1048576 1048576\n',
                      self.setup_script)

    @ddt.data((True, 'kvm'), (False, 'qemu'))
    @ddt.unpack
    def test_accelerator(self, kvm, expected):
        self._start('plain', kvm)
        libvirt = self._nova()['libvirt']
        self.assertEqual([expected], libvirt['virt_type'])
        self.assertEqual(kvm, 'cpu_mode' not in libvirt)
        self.assertEqual(kvm, self.started.call_args.kwargs['kvm'])

    def test_passwords_are_this_labs(self):
        self._start('plain')
        self.assertEqual([secrets.load()['placement']],
                         self._nova()['placement']['password'])

    def test_libvirt_listens_on_no_port(self):
        self._start('plain')
        libvirtd = self.written['/etc/libvirt/libvirtd.conf']
        self.assertIn('listen_tcp = 0\n', libvirtd)
        self.assertIn('listen_tls = 0\n', libvirtd)

    def test_qemu_is_not_root(self):
        self._start('plain')
        self.assertIn('user = "libvirt-qemu"\n',
                      self.written['/etc/libvirt/qemu.conf'])

    def test_sshd_lets_in_neither_root_nor_passwords(self):
        part = self._start('plain')
        sshd = self.written['/etc/ssh/sshd_config'].splitlines()
        self.assertIn('ListenAddress ' + part.node.address, sshd)
        self.assertIn('PermitRootLogin no', sshd)
        self.assertIn('PasswordAuthentication no', sshd)

    def test_disks_are_sent_as_nova(self):
        self._start('plain')
        ssh = self.written['/etc/ssh/ssh_config'].splitlines()
        self.assertIn('User nova', ssh)
        self.assertIn('IdentityFile /var/lib/nova/.ssh/id_ed25519', ssh)

    def test_hosts_know_one_another(self):
        self._start('plain')
        known = self.written['/etc/ssh/ssh_known_hosts'].splitlines()
        self.assertEqual(len(self.topology.hosts), len(known))
        self.assertIn('disk,10.7.0.11 ssh-ed25519 disk', known)

    def test_supervisor_configuration(self):
        part = self._start('plain')
        programs = self.started.call_args.args[0]
        parser = configparser.RawConfigParser()
        parser.read_string(templates.render(
            'supervisord.conf', node=part.node, programs=programs))
        self.assertEqual('false', parser['program:libvirtd']['stopasgroup'])
        self.assertEqual('true', parser['program:sshd']['stopasgroup'])
        self.assertEqual('false',
                         parser['program:nova-compute']['autostart'])
        self.assertEqual({'program:' + program.name for program in programs},
                         {name for name in parser.sections()
                          if name.startswith('program:')})

    @ddt.data(True, False)
    def test_kvm_is_hidden_where_it_does_not_work(self, kvm):
        init = templates.render(
            'init.sh', node=self._start('plain').node, private=node.PRIVATE,
            setup=self.setup_script, kvm=kvm, cache=paths.CACHE)
        self.assertEqual(kvm, 'device kvm' in init)


@ddt.ddt
class ShapesTest(ComputeTestCase):

    hosts = SHAPES

    def _programs(self):
        return {program.name: program.command
                for program in self.started.call_args.args[0]}

    def test_a_contained_host_has_nothing_where_it_is_looked_for(self):
        self._start('inside')
        for path in self.written:
            self.assertFalse(path.startswith(('/etc/nova', '/etc/libvirt')),
                             path)
        self.assertIn('build_backing_store /var/lib/docker/volumes/libvirtd/'
                      'memory tmpfs 640\n', self.setup_script)
        self.assertIn('set_memory_backing_dir /etc/kolla/nova-libvirt/'
                      'qemu.conf /var/lib/libvirt/memory\n',
                      self.setup_script)

    def test_a_store_that_the_host_shares(self):
        self.topology = topology.load(self.write_topology(SHAPES.replace(
            'size_mib: 640', 'size_mib: 640, directory: /var/lib/guests')),
            [])
        self._start('inside')
        self.assertIn('build_backing_store /var/lib/guests tmpfs 640\n',
                      self.setup_script)

    def test_contained_programs(self):
        self._start('inside')
        programs = self._programs()
        self.assertNotIn('libvirtd', programs)
        self.assertNotIn('virtlogd', programs)
        self.assertRegex(programs['nova_compute'],
                         '^unshare --mount --propagation private .* '
                         '/etc/kolla/nova-compute /etc/nova .*/nova-compute$')
        self.assertRegex(programs['nova_libvirt'],
                         '^unshare --mount --propagation private .* '
                         '/etc/kolla/nova-libvirt /etc/libvirt .*/libvirtd$')

    def test_others_are_not_contained(self):
        self._start('link')
        for command in self._programs().values():
            self.assertNotIn('unshare', command)

    def test_options_over_several_files(self):
        self._start('inside')
        main, libvirt, memory = [
            self._nova('/etc/kolla/nova-compute/' + name) for name in (
                'nova.conf', 'nova.conf.d/10-libvirt.conf',
                'nova.conf.d/20-memory.conf')]
        self.assertEqual(['512'], libvirt['libvirt']['file_backed_memory'])
        self.assertEqual(['1.0'], memory['DEFAULT']['ram_allocation_ratio'])
        self.assertIn('reserved_huge_pages', memory['DEFAULT'])
        self.assertNotIn('libvirt', main)
        self.assertNotIn('ram_allocation_ratio', main['DEFAULT'])
        self.assertIn('compute_driver', main['DEFAULT'])

    def test_no_option_is_lost(self):
        self._start('inside')
        split = [self._nova(path) for path in self.written
                 if path.startswith('/etc/kolla/nova-compute/')]
        self.topology = topology.load(self.write_topology(
            SHAPES.replace('contained: true', '')), [])
        self._start('inside')
        for section, options in self._nova().items():
            self.assertEqual(options, dict(item for part in split for item in
                                           part.get(section, {}).items()))

    def test_consoles_without_virtlogd(self):
        self._start('inside')
        self.assertIn('stdio_handler = "file"\n',
                      self.written['/etc/kolla/nova-libvirt/qemu.conf'])
        self._start('link')
        self.assertNotIn('stdio_handler',
                         self.written['/etc/libvirt/qemu.conf'])

    @ddt.data('inside', 'link')
    def test_scripts_are_shell(self, name):
        self._start(name)
        for script in (self.setup_script,
                       self.written.get('/etc/mempage-lab/contained', '')):
            subprocess.run(['bash', '-n'], input=script, text=True,
                           check=True)

    def test_link_with_a_slash(self):
        self._start('link')
        self.assertIn('memory_backing_dir = "/var/lib/memory/"\n',
                      self.written['/etc/libvirt/qemu.conf'])
        self.assertIn('ln -sfnT /var/lib/libvirt/memory /var/lib/memory\n',
                      self.setup_script)
        self.assertNotIn('set_memory_backing_dir ', self.setup_script)

    def test_canonical_names(self):
        # libvirt's name of a host is the first one of its address.
        part = self._start('named')
        names = self.started.call_args.args[1]
        self.assertEqual('10.7.0.12', names['named.example.org named'])
        self.assertEqual('10.7.0.11', names['link'])
        self.assertEqual('named', part.node.name)

    def test_sshd_behind_a_jump_host(self):
        self._start('behind')
        sshd = self.written['/etc/ssh/sshd_config'].splitlines()
        self.assertIn('AllowUsers tempest@10.7.0.12 nova', sshd)
        self._start('named')
        sshd = self.written['/etc/ssh/sshd_config'].splitlines()
        self.assertIn('AllowUsers tempest nova', sshd)


CONSUMERS = """\
network: 10.7.0.0/23
system: debian-13
shares: true
hosts:
  usual: {pools: [{size_kib: 2048, pages: 50}]}
  switched: {switch: dpdk}
"""


class ConsumersTest(ComputeTestCase):

    hosts = CONSUMERS

    def _configured(self, name):
        """Return what a host's switch is told, and what else is run."""
        part = self._start(name)
        self.patch_object(node.Node, 'wait_for',
                          lambda this, program, ready: ready())
        run = self.patch_object(node.Node, 'run')
        run.return_value = ''
        part.configure_network()
        return [' '.join(call.args) for call in run.call_args_list]

    def test_a_switch_of_dpdk(self):
        told = '\n'.join(self._configured('switched'))
        self.assertIn('other_config:dpdk-init="true"', told)
        self.assertIn('external_ids:ovn-bridge-datapath-type="netdev"', told)
        self.assertIn('external_ids:ovn-encap-ip="169.254.24.11"', told)
        self.assertIn('ip address replace 169.254.24.11/24 dev br-ex', told)
        self.assertIn('other_config:hwaddr="02:00:00:00:01:0b"', told)
        self.assertIn('/etc/alternatives/ovs-vswitchd', self.setup_script)

    def test_the_usual_switch(self):
        told = '\n'.join(self._configured('usual'))
        self.assertNotIn('dpdk', told)
        self.assertIn('external_ids:ovn-encap-ip="10.7.0.10"', told)
        self.assertNotIn('/etc/alternatives', self.setup_script)

    def test_a_switchs_pages_are_for_no_guest(self):
        for name, own in (('usual', 50), ('switched', 0)):
            self._start(name)
            self.assertIn(
                'node:0,size:2048,count:%d' % (
                    MACHINE_PAGES[2048] + 50 + switch.PAGES - own),
                self._nova()['DEFAULT']['reserved_huge_pages'])

    def test_pages_that_a_peer_has_mapped_count_once(self):
        large = self.patch_object(memory, 'large_pages')
        large.return_value = {2048: 3}
        part = self._start('usual')
        self.assertEqual([3], part.used_pages([1]))
        self.assertEqual(compute.PEERS, large.call_args.kwargs['but'])

    def test_shares(self):
        self._start('usual')
        self.assertEqual([secrets.load()['nova']],
                         self._nova()['manila']['password'])
        self.assertIn('ceph-fuse', self.written['/etc/mempage-lab/mount.ceph'])
        self.assertIn('mknod -m 0666 /dev/fuse', self.setup_script)

    def test_other_topologies_have_no_shares(self):
        self.topology = self.default_topology()
        for host in self.topology.hosts:
            (paths.KEYS / host.name).write_text('private key')
            (paths.KEYS / (host.name + '.pub')).write_text('key of it')
        self._start('fbm1')
        self.assertNotIn('manila', self._nova())
        self.assertNotIn('/etc/mempage-lab/mount.ceph', self.written)
        self.assertNotIn('fuse', self.setup_script)

    def test_scripts_are_shell(self):
        for name in 'usual', 'switched':
            self._start(name)
            subprocess.run(['bash', '-n'], input=self.setup_script, text=True,
                           check=True)


class KeysTest(base.LabTestCase):

    def _keygen(self, *words):
        for path in (words[-1], '%s.pub' % words[-1]):
            pathlib.Path(path).write_text('generated')

    def test_generated_once(self):
        self.patch_object(compute.shell, 'run', self._keygen)
        compute.generate_keys(['a'])
        (paths.KEYS / 'a').write_text('kept')
        compute.generate_keys(['a'])
        self.assertEqual('kept', (paths.KEYS / 'a').read_text())
        self.assertEqual(0o700, paths.KEYS.stat().st_mode & 0o777)
