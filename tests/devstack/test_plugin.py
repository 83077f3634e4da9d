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

"""The plugin in DevStack's phases."""

import configparser
import pathlib

import ddt
import fixtures

from mempage_tempest_plugin.declared import inventory
from tests.devstack import base

PLUGIN = base.LIBRARIES.parent
SHIMS = pathlib.Path(__file__).with_name('shims.sh')

FILE_BACKED = 'MEMPAGE_FILE_BACKED_MEMORY=64\n'

# What a test looks at when its mount namespace is gone
KEEP = 'end; cp *.conf log /etc/mempage/inventory.yaml {kept} 2>/dev/null || :'


class PhaseTest(base.ShellTest):

    def setUp(self):
        super().setUp()
        self.kept = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def _run_script(self, script):
        return super()._run_script(
            f'PLUGIN={PLUGIN}\nsource {SHIMS}\n'
            f'trap "{KEEP.format(kept=self.kept)}" EXIT\n' + script)

    def conf(self, name):
        """Read a configuration file that DevStack would have written."""
        parser = configparser.RawConfigParser(strict=False)
        parser.read(self.kept / name)
        return parser

    def log(self):
        """Tell what the plugin has had DevStack do."""
        return (self.kept / 'log').read_text().splitlines()


@ddt.ddt
class StackTest(PhaseTest):

    def test_file_backed_host(self):
        mounted = self.succeed(
            FILE_BACKED + 'stack\n'
            'findmnt -rno FSTYPE,SOURCE,SIZE /var/lib/mempage\n'
            'grep ^memory_backing_dir qemu.conf')
        self.assertEqual('tmpfs mempage 64M\n'
                         'memory_backing_dir = "/var/lib/mempage"\n', mounted)
        nova = self.conf('nova-cpu.conf')
        self.assertEqual('64', nova['libvirt']['file_backed_memory'])
        self.assertEqual('1.0', nova['DEFAULT']['ram_allocation_ratio'])
        self.assertEqual('0', nova['DEFAULT']['reserved_host_memory_mb'])
        host = inventory.load(self.kept / 'inventory.yaml').hosts['compute-1']
        self.assertEqual(
            inventory.FileBacked(64, '/var/lib/mempage', '/var/lib/mempage',
                                 'tmpfs'), host.file_backed)
        self.assertEqual((), host.pools)

    def test_large_page_host(self):
        before = self.require_pool()
        self.succeed(
            f'MEMPAGE_HUGEPAGES=2048:{before + 8}\n'
            f'MEMPAGE_RESERVED_HUGEPAGES=2048:{before + 2}\n'
            'MEMPAGE_ALLOWED_PAGE_SIZES=large,2048\n'
            'stack\n'
            f'[[ $(get_hugepage_pool 2048) -eq {before + 8} ]]\n'
            'is_hugetlbfs_mounted 2048\n'
            '! grep memory_backing_dir qemu.conf')
        nova = self.conf('nova-cpu.conf')
        self.assertEqual(f'node:0,size:2048,count:{before + 2}',
                         nova['DEFAULT']['reserved_huge_pages'])
        self.assertEqual('large,2048',
                         nova['libvirt']['allowed_memory_pagesize'])
        self.assertNotIn('file_backed_memory', nova['libvirt'])
        host = inventory.load(self.kept / 'inventory.yaml').hosts['compute-1']
        self.assertEqual(
            (inventory.DeclaredPool(2048, 6, reserved=before + 2),),
            host.pools)
        self.assertEqual(('large', 2048), host.allowed_page_sizes)
        self.assertIsNone(host.file_backed)

    def test_plain_host_is_left_alone(self):
        self.succeed(
            'snapshot >before; stack; unstack; clean; snapshot >after\n'
            'diff before after >&2')
        self.assertNotIn('restart_service libvirtd', self.log())

    def test_extension_of_nova(self):
        self.succeed('stack; readlink nova/nova/virt/mempage.py')
        nova_mempage = PLUGIN.parent / 'nova_mempage'
        self.assertIn(f'pip_install --no-deps -e {nova_mempage}', self.log())
        self.assertIn('mempage-nova check compute --config-file '
                      f'{self.directory}/nova-cpu.conf', self.log())
        self.assertEqual(
            'mempage.LibvirtDriver',
            self.conf('nova-cpu.conf')['DEFAULT']['compute_driver'])
        self.assertEqual(
            'nova_mempage.filters.AggregateMemoryBackingFilter',
            self.conf('nova.conf')['filter_scheduler']['available_filters'])
        tempest = self.conf('tempest.conf')['mempage']
        self.assertEqual('/etc/mempage/inventory.yaml',
                         tempest['host_inventory'])
        for option in ('allowed_memory_pagesize', 'reconfigure_hosts',
                       'aggregate_memory_backing_filter', 'fill_stores',
                       'fill_pools'):
            self.assertTrue(tempest.getboolean(option), option)
        self.assertEqual('refused-early', tempest['mixed_live_migration'])
        for option in ('fault_injection', 'runs_alone'):
            self.assertFalse(tempest.getboolean(option), option)

    def test_stock_nova(self):
        self.assertEqual('ComputeFilter,NUMATopologyFilter\n', self.succeed(
            'MEMPAGE_NOVA_EXTENSION=False; stack; echo $NOVA_FILTERS'))
        self.assertNotIn('mempage', '\n'.join(self.log()))
        self.assertEqual(
            'libvirt.LibvirtDriver',
            self.conf('nova-cpu.conf')['DEFAULT']['compute_driver'])
        tempest = self.conf('tempest.conf')['mempage']
        self.assertFalse(tempest.getboolean('allowed_memory_pagesize'))
        self.assertEqual('refused-late', tempest['mixed_live_migration'])

    def test_extension_that_is_not_in_effect_is_told(self):
        result = self._run_script('touch not-in-effect; stack')
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn('nova_mempage is not in effect in nova-compute',
                      result.stderr)

    def test_settings_add_up_to_nothing_when_read_again(self):
        self.assertEqual(
            'ComputeFilter,NUMATopologyFilter,AggregateMemoryBackingFilter\n'
            f'/other {PLUGIN.parent}\n',
            self.succeed('TEMPEST_PLUGINS=/other\n'
                         'source $PLUGIN/settings; source $PLUGIN/settings\n'
                         'echo $NOVA_FILTERS; echo $TEMPEST_PLUGINS'))

    def test_controller_without_guests(self):
        self.succeed('ENABLED_SERVICES=n-sch\n' + FILE_BACKED +
                     'snapshot >before; stack\n'
                     'rm nova/nova/virt/mempage.py; snapshot >after\n'
                     'diff before after >&2')
        self.assertNotIn('file_backed', (self.kept / 'nova.conf').read_text())

    def test_modular_libvirt(self):
        self.succeed('touch modular\n' + FILE_BACKED + 'stack')
        self.assertIn('restart_service virtqemud', self.log())

    @ddt.unpack
    @ddt.data(
        ('FILE_BACKED_MEMORY=4G', "FILE_BACKED_MEMORY '4G' is not a whole"),
        ('FILE_BACKED_MEMORY=64 MEMPAGE_STORE_SIZE=32', '32 MiB do not hold'),
        ('FILE_BACKED_MEMORY=64 MEMPAGE_ALLOWED_PAGE_SIZES=large',
         'a file-backed host gives small pages only'),
        ('FILE_BACKED_MEMORY=99999999', 'a ramdisk of 99999999 MiB .* do not'),
        ('FILE_BACKED_MEMORY=64 LIBVIRT_TYPE=lxc', 'not libvirt with lxc'),
        ('FILE_BACKED_MEMORY=64 MEMPAGE_STORE_FILESYSTEM=zfs', "'zfs' is non"),
        ('HUGEPAGES=2048:99999999', 'and large pages of 199999998 MiB'),
        ('HUGEPAGES=2048:2 MEMPAGE_RESERVED_HUGEPAGES=2048:2,2048:1',
         '3 pages of 2048 KiB are not among the 2 of'),
        ('HUGEPAGES=2M:5', "MEMPAGE_HUGEPAGES: '2M:5' is not SIZE_KIB"),
        ('ALLOWED_PAGE_SIZES=huge', "'huge' is not a list of small"),
        ('ALLOWED_PAGE_SIZES=large MEMPAGE_NOVA_EXTENSION=False',
         'needs MEMPAGE_NOVA_EXTENSION=True'))
    def test_nonsense_ends_before_anything_is_done(self, settings, message):
        self.refuse(message + r'(.|\n)*untouched',
                    'snapshot >before\n'
                    'MEMPAGE_' + settings.replace(' ', '\n') + '\n'
                    '(stack) || { snapshot | diff before - &&'
                    ' echo untouched >&2; false; }')

    def test_store_that_loses_too_much_to_its_file_system(self):
        self.refuse('has room for 6[0-9] MiB, not for the 64 MiB',
                    FILE_BACKED + 'MEMPAGE_STORE_FILESYSTEM=ext4\n'
                    'MEMPAGE_STORE_SIZE=64; stack')

    @ddt.data((4096, 4, 64), (65536, 64, 4))
    @ddt.unpack
    def test_small_pages_are_those_of_the_host(self, size, allowed, refused):
        check = (FILE_BACKED + 'function getconf { echo %d; }\n'
                 'MEMPAGE_ALLOWED_PAGE_SIZES=%d\n'
                 'source $PLUGIN/settings; source $PLUGIN/plugin.sh none\n'
                 'check_nova_memory')
        self.succeed(check % (size, allowed))
        self.refuse('does not allow these', check % (size, refused))

    def test_fewer_pages_are_a_warning_if_asked_for(self):
        result = self._run_script(
            'mkdir -p pools/hugepages-2048kB\n'
            'echo 2 >pools/hugepages-2048kB/nr_hugepages\n'
            'mount --bind pools /sys/kernel/mm/hugepages\n'
            'touch compact; mount --bind compact /proc/sys/vm/compact_memory\n'
            'MEMPAGE_HUGEPAGES=2048:9 MEMPAGE_ALLOW_FEWER_HUGEPAGES=True\n'
            'source $PLUGIN/settings; source $PLUGIN/plugin.sh none\n'
            'function _write_hugepages { echo 5 >$2/nr_hugepages; }\n'
            'build_host_memory; declare_host; write_inventory')
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn('the kernel gave 5 of 9 hugepages', result.stderr)
        host = inventory.load(self.kept / 'inventory.yaml').hosts['compute-1']
        self.assertEqual((inventory.DeclaredPool(2048, 5),), host.pools)


@ddt.ddt
class ConsumersTest(PhaseTest):
    """A switch that maps guests' memory, and who serves shares."""

    SWITCH = ('MEMPAGE_VHOST_USER=True MEMPAGE_SWITCH_MEMORY=8\n'
              'MEMPAGE_HUGEPAGES=2048:%d\n'
              'MEMPAGE_RESERVED_HUGEPAGES=2048:4\n')

    def _switch(self):
        return self.SWITCH % (self.require_pool() + 8)

    def test_switch(self):
        self.succeed(FILE_BACKED + self._switch() + 'stack\n'
                     'echo $OVS_DATAPATH_TYPE >>log; unstack')
        log = self.log()
        self.assertIn('install_package openvswitch-switch-dpdk '
                      'librte-mempool-ring25', log)
        self.assertIn('netdev', log)
        [told] = [line for line in log
                  if line.startswith('ovs-vsctl --no-wait set')]
        self.assertIn('other_config:dpdk-socket-mem=8 ', told)
        # What is not reserved is for guests.
        self.assertIn('other_config:dpdk-socket-limit=8 ', told)
        self.assertIn('ovn-bridge-datapath-type=netdev', told)
        self.assertIn('ovs-vsctl --no-wait -- --may-exist add-br br-ex '
                      '-- set Bridge br-ex datapath_type=netdev', log)
        for bridge in 'br-int', 'br-ex':
            self.assertIn('ovs-vsctl --no-wait --if-exists set Bridge %s '
                          'datapath_type=system' % bridge, log)
        tempest = self.conf('tempest.conf')['mempage']
        self.assertTrue(tempest.getboolean('vhost_user'))
        self.assertFalse(tempest.getboolean('shares'))

    def test_qemu_may_make_the_sockets_that_neutron_names(self):
        made = self.succeed(
            'MEMPAGE_VHOST_USER=True ENABLED_SERVICES=neutron-api\n'
            'phase stack post-config; install_consumers\n'
            'stat -c "%U %a %n" /run/mempage-devstack/vhost\n'
            'remove_consumers; [[ ! -e /run/mempage-devstack/vhost ]]')
        self.assertIn('libvirt-qemu 755 /run/mempage-devstack/vhost',
                      made.splitlines())
        neutron = self.conf('ml2.conf')
        self.assertEqual('/run/mempage-devstack/vhost',
                         neutron['ovn']['vhost_sock_dir'])
        self.assertEqual('/run/mempage-devstack/vhost',
                         neutron['ovs']['vhostuser_socket_dir'])

    def test_switch_is_declared(self):
        self.succeed(FILE_BACKED + 'MEMPAGE_VHOST_USER=True\n'
                     'source $PLUGIN/settings; source $PLUGIN/plugin.sh none\n'
                     'declare_host; write_inventory')
        host = inventory.load(self.kept / 'inventory.yaml').hosts['compute-1']
        self.assertEqual(inventory.Switch(
            'ovs-vswitchd', 'systemctl restart ovs-vswitchd'), host.switch)
        self.assertEqual(('ovs-vswitchd',), host.file_backed.mappers)

    def test_switch_is_taken_back(self):
        self.succeed(
            self._switch() + 'snapshot >before; stack\n'
            'unstack; unstack; clean; snapshot >after\n'
            'diff before after >&2')
        self.assertEqual(1, self.log().count(
            'update-alternatives --auto ovs-vswitchd'))

    def test_shares(self):
        self.succeed(FILE_BACKED + 'MEMPAGE_SHARES=True '
                     'MEMPAGE_SHARE_PROTOCOL=CEPHFS; stack')
        self.assertIn('install_package virtiofsd ceph-common', self.log())
        manila = self.conf('nova-cpu.conf')['manila']
        self.assertEqual('service', manila['project_name'])
        tempest = self.conf('tempest.conf')['mempage']
        self.assertTrue(tempest.getboolean('shares'))
        self.assertEqual('CEPHFS', tempest['share_protocol'])
        host = inventory.load(self.kept / 'inventory.yaml').hosts['compute-1']
        self.assertEqual(('virtiofsd',), host.file_backed.mappers)
        self.assertIsNone(host.switch)

    def test_node_without_manila_mounts_shares(self):
        self.succeed('MEMPAGE_SHARES=True; stack')
        self.assertIn('install_package virtiofsd nfs-common', self.log())

    @ddt.data(
        ('MEMPAGE_HUGEPAGES=2048:64', 'the switch takes 64 pages'),
        ('MEMPAGE_HUGEPAGES=2048:80 MEMPAGE_RESERVED_HUGEPAGES=2048:63',
         'the switch takes 64 pages'),
        ('MEMPAGE_SWITCH_MEMORY=1G', "'1G' is not a whole number"),
        ('; touch fedora', 'only Debian and Ubuntu'))
    @ddt.unpack
    def test_what_cannot_be(self, settings, message):
        self.refuse(message, f'MEMPAGE_VHOST_USER=True {settings}\n'
                    'source $PLUGIN/settings; source $PLUGIN/plugin.sh none\n'
                    'check_consumers')


@ddt.ddt
class UnstackTest(PhaseTest):

    @ddt.data('', 'MEMPAGE_STORE_FILESYSTEM=ext4\n',
              'MEMPAGE_STORE_FILESYSTEM=xfs MEMPAGE_STORE_SIZE=300\n')
    def test_everything_twice_leaves_the_machine_as_it_was(self, settings):
        before = self.require_pool()
        self.succeed(
            FILE_BACKED + settings + f'MEMPAGE_HUGEPAGES=2048:{before + 8}\n'
            'snapshot >before\n'
            'stack; snapshot >once; stack; snapshot >twice\n'
            'diff once twice >&2; ! diff -q before once\n'
            'unstack; unstack; clean; clean\n'
            f'[[ $(<{base.POOL}) -eq {before} ]]\n'
            'snapshot >after; diff before after >&2')

    def test_guests_go_first_and_those_of_others_stay(self):
        self.succeed(
            FILE_BACKED + 'stack\n'
            'echo memory >/var/lib/mempage/pc.ram\n'
            'start_guest instance-00000001 /var/lib/mempage/pc.ram\n'
            'start_guest other log\n'
            'unstack; ! findmnt /var/lib/mempage; ls guests | diff - '
            '<(echo other) >&2')
        self.assertIn('stop_process n-cpu', self.log())

    def test_busy_store_is_told_and_goes_the_next_time(self):
        result = self._run_script(
            FILE_BACKED + 'snapshot >before; stack; clean\n'
            'exec 3>/var/lib/mempage/file\n'
            'unstack; findmnt /var/lib/mempage; exec 3>&-\n'
            'unstack; snapshot >after; diff before after >&2')
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertRegex(result.stderr, r'used by: bash\(\d+\)(.|\n)*'
                         'WARNING. the backing store is still there')

    def test_stack_that_failed_is_taken_back(self):
        before = self.require_pool()
        self.succeed(
            FILE_BACKED + f'MEMPAGE_HUGEPAGES=2048:{before + 8}\n'
            'snapshot >before\n'
            'mkdir taken; mount -t tmpfs other taken\n'
            '! (MEMPAGE_STORE_DIR=$PWD/taken; stack) 2>error\n'
            'grep "other is mounted there" error >&2\n'
            f'[[ $(<{base.POOL}) -eq {before + 8} ]]\n'
            f'umount taken; unstack; [[ $(<{base.POOL}) -eq {before} ]]\n'
            'snapshot >after; diff before after >&2')

    def test_mounts_of_others_stay(self):
        self.succeed(
            'MEMPAGE_HUGEPAGES=2048:0\n'
            'mkdir huge; mount -t hugetlbfs others huge\n'
            'snapshot >before; stack; unstack; clean\n'
            'snapshot >after; diff before after >&2')

    @ddt.unpack
    @ddt.data((7, 3), (3, 0), (0, 0))
    def test_pages_of_others_stay(self, now, left):
        before = self.require_pool()
        self.succeed(
            f'MEMPAGE_HUGEPAGES=2048:{before + 2}; stack\n'
            f'MEMPAGE_HUGEPAGES=2048:{before + 4}; stack\n'
            f'echo {before + now} >{base.POOL}; unstack\n'
            f'[[ $(<{base.POOL}) -eq {before + left} ]]\n'
            f'echo {before} >{base.POOL}')

    def test_changed_settings_do_not_matter(self):
        self.succeed(
            'snapshot >before\n' + FILE_BACKED + 'stack\n'
            'MEMPAGE_FILE_BACKED_MEMORY=0 MEMPAGE_STORE_DIR=/var/lib/other\n'
            'unstack; clean; snapshot >after; diff before after >&2')

    def test_after_a_reboot_the_loop_file_goes(self):
        self.succeed(
            'snapshot >before\n' + FILE_BACKED +
            'MEMPAGE_STORE_FILESYSTEM=ext4; stack\n'
            'umount /var/lib/mempage; rm -r /run/mempage-devstack\n'
            'unstack; clean; rmdir /var/lib/mempage\n'
            'snapshot >after; diff before after >&2')

    def test_extension_goes_with_clean(self):
        self.succeed('stack; unstack; [[ -L nova/nova/virt/mempage.py ]]\n'
                     'clean; [[ ! -L nova/nova/virt/mempage.py ]]')
        self.assertIn('pip_uninstall nova-mempage', self.log())


@ddt.ddt
class DeclaredPoolsTest(PhaseTest):

    @ddt.data(
        ('2048:9,2048:3', '', [(2048, 12)]),
        ('2048:9:0,2048:3:1', '2048:2,2048:1:1',
         [(2048, 7, 0, 2), (2048, 2, 1, 1)]),
        # One of them is on no node.
        ('2048:9:0,1048576:3', '1048576:2',
         [(2048, 9), (1048576, 1, None, 2)]))
    @ddt.unpack
    def test_pools(self, pools, reserved, expected):
        self.succeed(
            f'MEMPAGE_HUGEPAGES={pools}\n'
            f'MEMPAGE_RESERVED_HUGEPAGES={reserved}\n'
            'source $PLUGIN/settings; source $PLUGIN/plugin.sh none\n'
            'declare_host; write_inventory')
        host = inventory.load(self.kept / 'inventory.yaml').hosts['compute-1']
        self.assertEqual({inventory.DeclaredPool(*pool) for pool in expected},
                         set(host.pools))

    def test_pools_that_the_kernel_has_divided(self):
        self.succeed(
            'MEMPAGE_HUGEPAGES=2048:1025\n'
            'MEMPAGE_RESERVED_HUGEPAGES=2048:256\n'
            'source $PLUGIN/settings; source $PLUGIN/plugin.sh none\n'
            'function _numa_nodes { echo 0 1 2; }\n'
            'function get_hugepage_pool { echo $((513 - $2 * 513 / 2)); }\n'
            'declare_host; write_inventory')
        host = inventory.load(self.kept / 'inventory.yaml').hosts['compute-1']
        self.assertEqual({inventory.DeclaredPool(2048, 257, 0, 256),
                          inventory.DeclaredPool(2048, 257, 1)},
                         set(host.pools))


@ddt.ddt
class InventoryTest(PhaseTest):

    # The nodes share their files here, so each keeps its declaration apart.
    COLLECT = """
cat >bin/openstack <<'EOF'
#!/bin/sh
case "$3 $4" in
    "hypervisor list")
        echo compute-1 198.51.100.11
        echo compute-2 198.51.100.12
        ;;
    "aggregate show") exit 1 ;;
esac
EOF
chmod +x bin/openstack
"""

    def test_all_nodes_are_collected(self):
        self.succeed(
            self.COLLECT + FILE_BACKED + 'stack\n'
            'export HOST_NAME=compute-2\n'
            'MEMPAGE_FILE_BACKED_MEMORY=0 NOVA_MY_IP=198.51.100.12\n'
            'ENABLED_SERVICES=n-cpu; stack\n'
            'touch /etc/mempage/hosts.d/gone.yaml\n'
            '$PLUGIN/tools/collect-inventory.sh')
        hosts = inventory.load(self.kept / 'inventory.yaml').hosts
        self.assertEqual(
            [('compute-1', '198.51.100.11', inventory.Kind.FILE_BACKED),
             ('compute-2', '198.51.100.12', inventory.Kind.PLAIN)],
            [(name, host.address, host.kind) for name, host in hosts.items()])

    def test_scheduler_is_told_what_a_host_allows(self):
        self.succeed('MEMPAGE_ALLOWED_PAGE_SIZES=large,2048; stack')
        said = [line for line in self.log()
                if line.startswith(('openstack aggregate create',
                                    'openstack aggregate add'))]
        self.assertEqual(
            ['openstack aggregate create --property '
             'MemoryBacking=large,2048 mempage-compute-1',
             'openstack aggregate add host mempage-compute-1 compute-1'], said)

    @ddt.data('', 'any', 'small,any')
    def test_scheduler_is_not_told_of_a_host_that_allows_all(self, sizes):
        self.succeed(f'MEMPAGE_ALLOWED_PAGE_SIZES={sizes}; stack')
        self.assertNotIn('aggregate create', '\n'.join(self.log()))

    def test_controller_without_guests_declares_nothing(self):
        self.succeed('ENABLED_SERVICES=n-sch,tempest; stack')
        self.assertEqual('hosts:\n  {}\n',
                         (self.kept / 'inventory.yaml').read_text())

    def test_node_without_declaration_is_named(self):
        self.refuse('no declaration of compute-2 from 198.51.100.12',
                    self.COLLECT + 'stack; $PLUGIN/tools/collect-inventory.sh')

    def test_node_without_ssh_is_named(self):
        self.refuse('no ssh server answers at 198.51.100.12',
                    self.COLLECT + 'stack\n'
                    'ip address del 198.51.100.12 dev lo\n'
                    '$PLUGIN/tools/collect-inventory.sh')

    def test_key_of_the_user_is_left_to_the_user(self):
        self.succeed('ssh-keygen -q -N "" -f key; MEMPAGE_SSH_KEY=$PWD/key\n'
                     'stack; [[ ! -e home/.ssh ]]; unstack; [[ -e key ]]')

    def test_libvirt_connects_with_the_key(self):
        self.assertEqual('198.51.100.11\n', self.succeed(
            'stack\n'
            '/etc/mempage/ssh 198.51.100.11 \'echo ${SSH_CONNECTION% *}\' '
            '| cut -d" " -f3'))
