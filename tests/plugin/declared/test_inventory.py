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

import dataclasses
import os
import textwrap

import ddt
import fixtures
from oslotest import base
import yaml

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from tests.plugin import test_plain_yaml

SAMPLE = os.path.join(os.path.dirname(__file__), '..', '..', '..', 'etc',
                      'inventory.yaml.sample')
HEAD = '''
hosts:
  fbm1:
    address: 198.51.100.11
    ssh: {user: tempest, key: /key}
    libvirt_uri: "qemu+ssh://fbm1/system"
'''
ALL_KEYS = '''
    file_backed: {capacity_mib: 1, directory: /a/b, mount: /a, filesystem: xfs}
    pools: [{size_kib: 2048, pages: 3, node: 1, reserved: 2}]
    small_page_kib: 64
    allowed_page_sizes: [small, 2048]
    memory_mb_without_pools: true
    group: east
    slowness: 2.5
    power: {reboot: a b, cut: c}
    drafted: [file_backed, small_page_kib]
    services:
      nova-compute: {journal: a, config: /b, restart: c d}
      libvirt: {restart: e f}
      switch: {program: vpp_main, restart: g h}
'''
DEFAULTS = '''
    pools: []
    small_page_kib: 4
    allowed_page_sizes: [any]
    slowness: 1
    power: {}
    drafted: []
    services: {}
'''


@ddt.ddt
class InventoryTest(base.BaseTestCase):

    def _load(self, text):
        directory = self.useFixture(fixtures.TempDir())
        path = directory.join('hosts.yaml')
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(text)
        return inventory.load(path)

    def test_sample(self):
        hosts = list(inventory.load(SAMPLE).hosts.values())
        self.assertEqual([inventory.Kind.FILE_BACKED,
                          inventory.Kind.LARGE_PAGE, inventory.Kind.PLAIN],
                         [host.kind for host in hosts])
        self.assertEqual('/var/lib/memory', hosts[0].file_backed.mount)
        self.assertEqual('/var/log/nova/nova-compute.log',
                         hosts[0].compute_log.file)

    def test_defaults(self):
        host = self._load(HEAD).hosts['fbm1']
        self.assertEqual(22, host.ssh.port)
        self.assertEqual('~/.ssh/known_hosts', host.ssh.known_hosts)
        self.assertIs(inventory.Kind.PLAIN, host.kind)
        self.assertIsNone(host.compute_log)
        self.assertIsNone(host.compute_service)
        self.assertIsNone(host.libvirt_restart)
        self.assertIsNone(host.switch)

    def test_jump_host(self):
        hosts = [self._load(HEAD.replace('/key', '/key, jump: {%s}' % jump))
                 for jump in ('address: a', 'address: a, user: b, port: 3')]
        self.assertEqual(
            [inventory.Jump('a', None, 22), inventory.Jump('a', 'b', 3)],
            [loaded.hosts['fbm1'].ssh.jump for loaded in hosts])
        self.assertIsNone(self._load(HEAD).hosts['fbm1'].ssh.jump)
        for loaded in hosts:
            self.assertEqual(loaded.hosts,
                             self._load(inventory.dump(loaded)).hosts)

    def test_restart_of_libvirt(self):
        host = self._load(
            HEAD + '    services: {libvirt: {restart: service libvirtd '
            'restart}}\n').hosts['fbm1']
        self.assertEqual('service libvirtd restart', host.libvirt_restart)

    def test_switch(self):
        host = self._load(
            HEAD + '    services: {switch: {program: ovs-vswitchd}}\n'
        ).hosts['fbm1']
        self.assertEqual(inventory.Switch('ovs-vswitchd'), host.switch)

    def test_mount_is_directory_by_default(self):
        host = self._load(
            HEAD + '    file_backed: {capacity_mib: 1, directory: /a}\n'
        ).hosts['fbm1']
        self.assertEqual('/a', host.file_backed.mount)

    def test_empty_pools_make_no_large_page_host(self):
        host = self._load(
            HEAD + '    pools: [{size_kib: 2048, pages: 0}]\n').hosts['fbm1']
        self.assertIs(inventory.Kind.PLAIN, host.kind)

    @ddt.data(
        (None, {4, 2048, 1048576}),
        ('[any]', {4, 2048, 1048576}),
        ('[small]', {4}),
        ('[large]', {2048, 1048576}),
        ('[small, 1048576]', {4, 1048576}),
        ('[4, large]', {4, 2048, 1048576}))
    @ddt.unpack
    def test_allowed_page_sizes(self, declared, allowed):
        text = HEAD
        if declared:
            text += '    allowed_page_sizes: %s\n' % declared
        host = self._load(text).hosts['fbm1']
        self.assertEqual(allowed, {size for size in (4, 2048, 1048576)
                                   if host.allows(size)})

    def test_small_pages_of_another_size(self):
        host = self._load(
            HEAD + '    small_page_kib: 64\n'
            '    allowed_page_sizes: [small]\n').hosts['fbm1']
        self.assertTrue(host.allows(64))
        self.assertFalse(host.allows(4))

    def test_service(self):
        host = self._load(
            HEAD + '    services: {nova-compute: {log: /a, config: /b, '
            'restart: c d}}\n').hosts['fbm1']
        self.assertEqual(inventory.Service('/b', 'c d'),
                         host.compute_service)

    def test_paths_are_normalised(self):
        host = self._load(
            HEAD + '    file_backed: {capacity_mib: 1, directory: //a//b/, '
            'mount: /a/.}\n').hosts['fbm1']
        self.assertEqual(('/a/b', '/a'), (host.file_backed.directory,
                                          host.file_backed.mount))

    def test_pools(self):
        host = self._load(
            HEAD + '    pools:\n'
            '    - {size_kib: 2048, pages: 100, node: 0, reserved: 28}\n'
            '    - {size_kib: 2048, pages: 50, node: 1}\n').hosts['fbm1']
        self.assertEqual((inventory.DeclaredPool(2048, 100, 0, 28),
                          inventory.DeclaredPool(2048, 50, 1)), host.pools)
        self.assertEqual({0: 100, 1: 50}, host.node_pages(2048))
        self.assertEqual({}, host.node_pages(1048576))

    def test_policy_alone(self):
        hosts = [self._load(head + ALL_KEYS).hosts['fbm1'] for head in (
            HEAD, HEAD.replace('tempest', 'root'))]
        self.assertNotEqual(*hosts)
        self.assertEqual(*(host.policy for host in hosts))
        self.assertEqual('/a', hosts[0].policy.file_backed.mount)

    def test_pools_without_nodes(self):
        host = self._load(
            HEAD + '    pools: [{size_kib: 2048, pages: 100}]').hosts['fbm1']
        self.assertEqual({None: 100}, host.node_pages(2048))

    def test_limits(self):
        slow = HEAD.replace('fbm1', 'fbm2').replace('hosts:\n', '')
        found = self._load(HEAD + slow + '    slowness: 2.5\n')
        self.assertEqual((10, 25), (found.hosts['fbm1'].limit(10),
                                    found.limit(10)))

    def test_dumped_is_loaded_again(self):
        for declared in (inventory.load(SAMPLE), self._load(
                HEAD + ALL_KEYS), self._load(HEAD)):
            self.assertEqual(
                declared.hosts, self._load(inventory.dump(declared)).hosts)

    def test_defaults_are_not_dumped(self):
        self.assertEqual(yaml.safe_load(HEAD), yaml.safe_load(
            inventory.dump(self._load(HEAD + DEFAULTS))))

    def test_all_of_a_policy_can_be_drafted(self):
        host = inventory.schema()['$defs']['host']['properties']
        self.assertEqual([field.name for field
                          in dataclasses.fields(inventory.Policy)],
                         host['drafted']['items']['enum'])

    def test_drafted(self):
        self._load(HEAD + '    drafted: [pools]')
        path = self.useFixture(fixtures.TempDir()).join('hosts.yaml')
        for text, wrong in ((HEAD, False), (HEAD + '    drafted: []', False),
                            (HEAD + '    drafted: [pools, file_backed]',
                             True)):
            with open(path, 'w', encoding='utf-8') as stream:
                stream.write(text)
            if not wrong:
                inventory.load_confirmed(path)
                continue
            error = self.assertRaises(exceptions.InventoryError,
                                      inventory.load_confirmed, path)
            for part in (path, 'hosts.fbm1.drafted: pools, file_backed;',
                         'remove these keys'):
                self.assertIn(part, str(error))

    @ddt.data(
        ('', 'top level: None'),
        (HEAD + '    allowed_page_sizes: [huge]',
         "hosts.fbm1.allowed_page_sizes.0: 'huge' is not small, large, any "
         'or a number of KiB'),
        (HEAD + '    pools: [{size_kib: 2048, pages: 1, node: 0}, '
         '{size_kib: 1048576, pages: 1}]',
         "hosts.fbm1.pools.1: 'node' is a required"),
        (HEAD + '    pools: [{size_kib: 2048, pages: 1, reserved: -1}]',
         'hosts.fbm1.pools.0.reserved: -1'),
        (HEAD + '    allowed_page_sizes: []',
         'hosts.fbm1.allowed_page_sizes: []'),
        (HEAD + '    services: {nova-compute: {log: /a, config: /b}}',
         "hosts.fbm1.services.nova-compute: 'restart' is a dependency"),
        ('hosts: {}', 'hosts: {}'),
        ('hosts: [', 'is not YAML'),
        (HEAD + HEAD[HEAD.index('  fbm1'):], "key 'fbm1' is there twice"),
        (HEAD + '    slowness: 1\n    slowness: 2',
         "key 'slowness' is there twice"),
        ('hosts: 2026-13-45', 'is not YAML: month must be in 1..12'),
        ('hosts: !!bool x', 'is not YAML: '),
        (test_plain_yaml.BOMB, 'is not YAML: aliases repeat more than'),
        ('hosts: ' + '[' * 5000, 'is not YAML: maximum recursion'),
        ('hosts: ' + '9' * 5000, 'is not YAML: Exceeds the limit'),
        (HEAD.replace('fbm1', '1'), 'hosts: 1 is not a host'),
        (HEAD.replace('fbm1', '~'), 'hosts: None is not a host'),
        (HEAD.replace('fbm1', 'a/../b'), "hosts: 'a/../b' is not a host"),
        (HEAD.replace('fbm1:', '"a,b":'), "hosts: 'a,b' is not a host"),
        (HEAD.replace('fbm1:', r'"a\n":'), r"hosts: 'a\n' is not a host"),
        (HEAD + '    slowness: .nan', 'hosts.fbm1.slowness: nan'),
        (HEAD + '    slowness: .inf', 'hosts.fbm1.slowness: inf'),
        (HEAD + '    small_page_kib: 4.0',
         'hosts.fbm1.small_page_kib: 4.0 is not of type'),
        (HEAD + '    port: 1', 'hosts.fbm1: Additional properties'),
        (HEAD.replace('    address: 198.51.100.11\n', ''),
         "hosts.fbm1: 'address' is a required"),
        (HEAD.replace('key: /key', 'key: 3'), 'hosts.fbm1.ssh.key: 3'),
        (HEAD.replace('/key', '/key, jump: {user: a}'),
         "hosts.fbm1.ssh.jump: 'address' is a required"),
        (HEAD.replace('/key', '/key, jump: a@b'), 'hosts.fbm1.ssh.jump: '),
        (HEAD + '    file_backed: {directory: /a}',
         "hosts.fbm1.file_backed: 'capacity_mib'"),
        (HEAD + '    file_backed: {capacity_mib: 1, directory: a}',
         "hosts.fbm1.file_backed.directory: 'a'"),
        (HEAD + '    pools: [{size_kib: 2048, pages: many}]',
         "hosts.fbm1.pools.0.pages: 'many'"),
        (HEAD + '    services: {nova-compute: {log: /a, journal: b}}',
         'hosts.fbm1.services.nova-compute'))
    @ddt.unpack
    def test_broken(self, text, problem):
        error = self.assertRaises(exceptions.InventoryError, self._load,
                                  textwrap.dedent(text))
        self.assertIn('hosts.yaml', str(error))
        self.assertIn(problem, str(error))
        self.assertNotIn('\n', str(error))

    def test_keys_that_are_merged_may_be_said_again(self):
        hosts = self._load(HEAD.replace('fbm1:', 'fbm1: &one') + (
            '    group: a\n'
            '  fbm2: &two\n    <<: *one\n    group: b\n'
            '  fbm3:\n    <<: [*one, *two]\n    slowness: 2\n')).hosts
        self.assertEqual(['a', 'b', 'a'],
                         [host.group for host in hosts.values()])

    def test_missing(self):
        error = self.assertRaises(exceptions.InventoryError, inventory.load,
                                  '/nonexistent/hosts.yaml')
        self.assertIn('/nonexistent/hosts.yaml: cannot be read: No such file',
                      str(error))
