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
import sys
from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin.cmd import discovery
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import backing_directory
from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import sections
from mempage_tempest_plugin.hosts import ssh
from tests.plugin import samples

ONE_NODE = ((0, 2048, 128), (0, 1048576, 0))
TWO_NODES = ((0, 2048, 100), (1, 2048, 28), (0, 1048576, 0))
RESERVED = {(0, 2048): 64, (1, 2048): 36}
MOUNTS = '''
22 1 8:1 / / rw - ext4 /dev/sda1 rw
40 22 0:35 / /srv/ram rw - autofs systemd-1 rw
41 40 259:1 / /srv/ram rw - xfs /dev/nvme0n1p1 rw
'''


def _pools(pools, name='nr'):
    return '\n'.join(
        '/sys/devices/system/node/node%d/hugepages/hugepages-%dkB/'
        '%s_hugepages:%d' % (*pool[:2], name, pool[2]) for pool in pools)


def _configuration(**values):
    return nova_config.Configuration(**{
        'driver': 'libvirt.LibvirtDriver', 'file_backed_mib': 0,
        'reserved': {}, 'allowed_page_sizes': (), **values})


class Host:
    """A host that answers what it is made with."""

    def __init__(self, host=samples.PLAIN, **sections):
        self.host = host
        self.sections = {'page': '4096', 'pools': '', 'log': '/a.log',
                         'mounts': MOUNTS, **sections}
        self.qemu_conf = ''

    def _answer(self, *_, **__):
        return ''.join('\n=== %s\n%s\n' % pair
                       for pair in self.sections.items())

    def _store(self, *_, directory):
        self.sections = {'directory': directory, 'real': directory,
                         **self.sections}
        return self._answer()

    def draft(self, configuration):
        """Let it be drafted.

        :param configuration: nova_config.Configuration, or an error
        :returns: a discovery.Draft
        """
        status = 1 if self.qemu_conf is None else 0
        with mock.patch.multiple(nova_config, processes=mock.DEFAULT,
                                 read=mock.Mock(return_value=configuration)), \
                mock.patch('mempage_tempest_plugin.hosts.scripts.run',
                           side_effect=self._answer), \
                mock.patch.multiple(
                    'mempage_tempest_plugin.hosts.libvirt_root',
                    run=self._store, execute=lambda *_, **__: ssh.Result(
                        '', status, self.qemu_conf or '', '')):
            return discovery.draft(self.host, 9)


@ddt.ddt
class PoolsTest(base.BaseTestCase):

    @ddt.data(
        (ONE_NODE, {}, [(2048, 128, None, 0)]),
        (ONE_NODE, {(0, 2048): 28}, [(2048, 100, None, 28)]),
        (TWO_NODES, {}, [(2048, 100, 0, 0), (2048, 28, 1, 0)]),
        # More than there are
        (TWO_NODES, RESERVED, [(2048, 36, 0, 64), (2048, 0, 1, 28)]))
    @ddt.unpack
    def test_pools(self, pools, reserved, expected):
        draft = Host(pools=_pools(pools)).draft(
            _configuration(reserved=reserved))
        self.assertEqual([inventory.DeclaredPool(*pool) for pool in expected],
                         list(draft.host.pools))
        self.assertEqual(reserved is RESERVED, bool(draft.notes))

    def test_nothing_is_confirmed(self):
        """Nor that there is none of what was not found"""
        self.assertEqual(
            ('file_backed', 'pools', 'small_page_kib', 'allowed_page_sizes',
             'memory_mb_without_pools'),
            Host().draft(_configuration()).host.drafted)

    def test_switch(self):
        self.assertEqual(
            inventory.Switch('ovs-vswitchd'),
            Host(switch='ovs-vswitchd').draft(_configuration()).host.switch)
        self.assertIsNone(Host().draft(_configuration()).host.switch)

    def test_surplus_pages_are_not_the_pool(self):
        draft = Host(pools=_pools(ONE_NODE) + '\n' + _pools(
            [(0, 2048, 100)], 'surplus')).draft(_configuration())
        self.assertEqual((inventory.DeclaredPool(2048, 28),),
                         draft.host.pools)
        self.assertIn('100 pages of 2048 KiB on node 0 are surplus',
                      draft.notes[0])

    def test_kernel_without_nodes(self):
        draft = Host(pools='/sys/kernel/mm/hugepages/hugepages-2048kB/'
                     'nr_hugepages:7').draft(_configuration(
                         reserved={(0, 2048): 2}))
        self.assertEqual((inventory.DeclaredPool(2048, 5, reserved=2),),
                         draft.host.pools)


@ddt.ddt
class StoreTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.living = Host()

    def _draft(self, qemu_conf):
        self.living.qemu_conf = qemu_conf
        return self.living.draft(_configuration(file_backed_mib=2048))

    def test_mounted_twice(self):
        self.assertEqual(
            inventory.FileBacked(2048, '/srv/ram/a', '/srv/ram', 'xfs'),
            self._draft('memory_backing_dir = "/srv/ram/a/" # "/b"\n')
            .host.file_backed)

    def test_directory_that_is_not_there(self):
        self.living.sections['directory'] = '/srv/ram'
        self.living.sections['real'] = '/srv/ram'
        draft = self._draft("memory_backing_dir='/srv/ram/a'")
        self.assertEqual('/srv/ram', draft.host.file_backed.directory)
        self.assertIn('/srv/ram/a, the directory that', draft.notes[0])

    @ddt.data((None, 'cannot be read'), ('', 'Nothing is mounted'))
    @ddt.unpack
    def test_what_is_guessed_is_told(self, qemu_conf, words):
        draft = self._draft(qemu_conf)
        self.assertEqual(backing_directory.DEFAULT,
                         draft.host.file_backed.directory)
        self.assertIn(words, ' '.join(draft.notes))

    @ddt.data('a b', 'memory_backing_dir = 1', 'memory_backing_dir = "x"')
    def test_libvirt_would_refuse_it(self, qemu_conf):
        error = self.assertRaises(exceptions.ConfigurationUnclear,
                                  self._draft, qemu_conf)
        self.assertIn('host plain1: ', str(error))

    def test_a_host_without_a_store_needs_no_qemu_conf(self):
        self.living.qemu_conf = 'a b'
        self.assertIsNone(
            self.living.draft(_configuration()).host.file_backed)


@ddt.ddt
class DraftTest(base.BaseTestCase):

    @ddt.data(
        ({'journal': 'devstack@n-cpu\nnova-compute', 'log': '/a.log'},
         inventory.Log(unit='devstack@n-cpu')),
        ({'journal': '', 'log': '/a.log'}, inventory.Log(file='/a.log')),
        ({}, None))
    @ddt.unpack
    def test_log(self, found, expected):
        self.assertEqual(expected, discovery.log(found))

    def test_log_that_was_not_found(self):
        [note] = Host(log='').draft(_configuration()).notes
        self.assertIn('logs to was not found', note)

    def test_notes_of_the_configuration(self):
        self.assertEqual(('x',), Host().draft(
            _configuration(notes=('x',))).notes)

    def test_small_pages(self):
        draft = Host(page='65536').draft(_configuration())
        self.assertEqual(64, draft.host.small_page_kib)
        self.assertIn('small_page_kib: 64', inventory.dump(
            inventory.Inventory('', {'a': draft.host})))

    def test_small_pages_that_were_not_found(self):
        draft = Host(page='').draft(_configuration())
        self.assertEqual(4, draft.host.small_page_kib)
        self.assertIn('4 KiB was guessed', draft.notes[0])

    @ddt.data(('mempage.LibvirtDriver', ('small', 2048), 0),
              ('libvirt.LibvirtDriver', ('any',), 1))
    @ddt.unpack
    def test_allowed_page_sizes(self, driver, expected, notes):
        draft = Host().draft(_configuration(
            driver=driver, allowed_page_sizes=('small', 2048)))
        self.assertEqual((expected, notes), (draft.host.allowed_page_sizes,
                                             len(draft.notes)))


LOGS = '''
mount -t tmpfs none /var/log
for log in $1
do
    mkdir -p "/var/log/${log%/*}"
    touch -d "${log##*@}" "/var/log/${log%@*}"
done
exec sh
'''


@ddt.ddt
class LogTest(base.BaseTestCase):

    @ddt.data(('nova/nova-compute.log@2020-01-01', '/var/log/nova/'),
              ('kolla/nova/nova-compute.log@2020-01-01',
               '/var/log/kolla/nova/'),
              ('kolla/nova/nova-compute.log@2020-01-01 '
               'nova/nova-compute.log@2020-01-02', '/var/log/nova/'),
              ('kolla/nova/nova-compute.log@2020-01-02 '
               'nova/nova-compute.log@2020-01-01', '/var/log/kolla/nova/'))
    @ddt.unpack
    def test_file_that_was_written_last(self, logs, directory):
        if os.geteuid():
            self.skipTest('only root makes mount namespaces')
        done = subprocess.run(
            ['unshare', '--mount', 'sh', '-c', LOGS, 'sh', logs],
            input=scripts.with_values(discovery.SCRIPT, nova='1'), check=True,
            capture_output=True, text=True)
        found = sections.split(done.stdout)['log'].strip()
        self.assertEqual(
            inventory.Log(file=directory + 'nova-compute.log'),
            discovery.log({'log': found}))


CONTAINER = '''
unshare --mount sh -c '
    mount -t tmpfs none /etc
    mkdir -p /etc/nova/nova.conf.d /etc/libvirt
    set_memory() {
        printf "[libvirt]\\nfile_backed_memory = $1\\n"
    }
    set_memory 1 >/etc/nova/nova.conf
    set_memory 2 >/etc/nova/nova.conf.d/b.conf
    set_memory 3 >/etc/nova/nova.conf.d/a.conf
    echo "memory_backing_dir = \\"/etc/libvirt/\\"" >/etc/libvirt/qemu.conf
    cp "$(command -v sleep)" /etc/libvirtd
    /etc/libvirtd 60 &
    echo "import time; time.sleep(60)" >/etc/nova-compute
    cd /etc/nova
    export "$1"
    exec "$2" -s /etc/nova-compute $3' sh "$1" "$2" "$3" &
until pgrep -x libvirtd && grep -lxz /etc/nova-compute /proc/[0-9]*/cmdline
do sleep 0.05; done >/dev/null
shift 3
"$@"
'''


@ddt.ddt
class ContainerTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        if os.geteuid():
            self.skipTest('only root makes mount namespaces')

    def _draft(self, variable, arguments):
        def execute(words, root, stdin='', check=True):
            done = subprocess.run(
                ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c',
                 CONTAINER, 'sh', variable, sys.executable, arguments,
                 *words],
                input=stdin, check=check, capture_output=True, text=True)
            return ssh.Result('', done.returncode, done.stdout, done.stderr)

        with mock.patch('mempage_tempest_plugin.hosts.compute_host.'
                        'ComputeHost') as living:
            living.return_value.ssh.execute.side_effect = execute
            draft = discovery.draft(samples.PLAIN, 9)
        living.return_value.close.assert_called_once_with()
        return draft.host.file_backed

    @ddt.data(
        ('A=b', '', 2),
        ('A=b', '--config-file=/etc/nova/nova.conf', 1),
        ('A=b', '--config-f nova.conf.d/a.conf', 3),
        ('OS_LIBVIRT__FILE_BACKED_MEMORY=4', '', 4))
    @ddt.unpack
    def test_where_the_services_see_it(self, variable, arguments, capacity):
        self.assertEqual(
            inventory.FileBacked(capacity, '/etc/libvirt', '/etc', 'tmpfs'),
            self._draft(variable, arguments))
