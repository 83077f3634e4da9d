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
import struct
import subprocess
from unittest import mock

import fixtures
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import numa_maps
from mempage_tempest_plugin.hosts import survey

# What is in the place of a user that an entry of an ACL does not name.
NOBODY = 0xffffffff
UUID = '3f6b9c1e-0d3c-4b6e-9c56-5f1f2f6d7a10'
TEXT = '''
=== hostname
fbm1

=== boot
0f5c0c9e-8e6b-4c39-9c0d-2f2b1f8f5f10

=== memory
MemTotal:        8192000 kB
Node 0 MemTotal:        4096000 kB
Node 1 MemTotal:        2048000 kB
MemAvailable:    2048000 kB

=== mounts
22 1 8:1 / / rw - ext4 /dev/sda1 rw

=== page
65536

=== pools

=== files
d 755 0 0 40 1 60 0 /srv

=== store
4096 1000 900 850 80 40

=== process %(uuid)s 42
64055
108

=== smaps %(uuid)s 42
7f1a00000000-7f1a00002000 rw-s 00000000 00:28 5    /srv/pc.ram
Rss:                   8 kB

=== numa %(uuid)s 42
7f1b00000000 bind:1 file=/x huge dirty=8 N1=8 kernelpagesize_kB=2048

=== path /srv/pc.ram
f 600 64055 64055 40 5 8192 16 /srv/pc.ram
d 755 0 0 40 1 60 0 /srv
acl /srv/pc.ram

=== maps /srv/pc.ram
/proc/42/maps:7f1a00000000-7f1a00001000 rw-s 00000000 00:28 5    /srv/pc.ram
/proc/42/maps:7f1a00001000-7f1a00002000 rw-s 00001000 00:28 5    /srv/pc.ram
/proc/9/maps:7f1a00000000-7f1a00002000 r--p 00000000 08:01 5     /lib/x.so
''' % {'uuid': UUID}


class ParseTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.survey = survey.parse('fbm1', TEXT)

    def test_host(self):
        self.assertEqual('fbm1', self.survey.hostname)
        self.assertEqual('0f5c0c9e-8e6b-4c39-9c0d-2f2b1f8f5f10',
                         self.survey.boot)
        self.assertEqual((8000, 2000), (self.survey.memory_mib,
                                        self.survey.available_mib))
        self.assertEqual(6000, self.survey.nodes_mib)
        self.assertEqual({0: 4000, 1: 2000}, self.survey.node_memory)
        self.assertEqual([], self.survey.pools)
        self.assertEqual(64, self.survey.small_page_kib)

    def test_store(self):
        self.assertEqual(survey.Store(4096000, 3686400, 40960, 3481600, 20480),
                         self.survey.store)
        self.assertEqual(409600 - 40960, self.survey.store.unexplained)

    def test_processes(self):
        [process] = self.survey.processes[UUID]
        self.assertEqual((42, 64055, 108),
                         (process.pid, process.uid, process.gid))
        self.assertEqual('/srv/pc.ram', process.mappings[0].path)
        self.assertEqual([numa_maps.NodePages(1, 2048, 8)],
                         process.node_pages)

    def test_kernel_that_does_not_tell(self):
        text = TEXT.replace('=== numa', '=== other').replace(
            'MemAvailable', 'MemOther').replace('Node', 'Other').replace(
            '65536', '')
        found = survey.parse('fbm1', text)
        self.assertIsNone(found.processes[UUID][0].node_pages)
        self.assertIsNone(found.available_mib)
        self.assertIsNone(found.nodes_mib)
        self.assertIsNone(found.small_page_kib)

    def test_files(self):
        self.assertEqual(
            [('/srv', False), ('/srv/pc.ram', True)],
            [(path, found.acl) for path, found
             in sorted(self.survey.files.items())])

    def test_mappers(self):
        self.assertEqual({'/srv/pc.ram': [(9, '8:1'), (42, '0:40')]},
                         self.survey.mappers)

    def test_missing_section(self):
        error = self.assertRaises(exceptions.FactsMissing, survey.parse,
                                  'fbm1', 'sudo: no tty present')
        self.assertIn('fbm1', str(error))
        self.assertIn('no tty present', str(error))


class ScriptTest(base.BaseTestCase):
    """The script itself, run on this machine."""

    #: What runs it.
    prefix = ()

    def _run(self, *arguments):
        ssh = mock.Mock()
        ssh.execute.side_effect = self._execute
        return survey.take(ssh, 'here', *arguments)

    def _execute(self, command, stdin, root):
        result = subprocess.run(
            [*self.prefix, *command], input=stdin, text=True,
            capture_output=True, check=True)
        self.assertEqual('', result.stderr)
        return result

    def test_plain_host(self):
        found = self._run('/nonexistent', None, [UUID], [])
        self.assertEqual(os.uname().nodename, found.hostname)
        self.assertIn('/', [mount.point for mount in found.mounts])
        self.assertTrue(0 < found.available_mib < found.memory_mib)
        self.assertEqual(os.sysconf('SC_PAGESIZE') // 1024,
                         found.small_page_kib)
        self.assertEqual((['/'], None, {}, {}), (
            list(found.files), found.store, found.processes, found.mappers))
        self.assertEqual('/nonexistent', found.backing_directory)

    def test_what_guests_have_of_large_pages(self):
        if os.geteuid():
            self.skipTest('only root makes mount namespaces')
        self.prefix = [
            'unshare', '--mount', 'sh', '-c',
            'mount -t hugetlbfs none /mnt; mkdir -p /mnt/libvirt/qemu/1-a; '
            'exec "$@"', 'sh']
        found = self._run('/nonexistent', None, [], [])
        self.assertEqual('d', found.files['/mnt/libvirt/qemu/1-a'].kind)

    def test_acl(self):
        directory = self.useFixture(fixtures.TempDir()).path
        paths = [os.path.join(directory, name) for name in ('a b', 'c')]
        for path in paths:
            with open(path, 'wb'):
                pass
        try:
            # A named user may read it: see acl(5), and posix_acl_xattr.h.
            os.setxattr(paths[0], 'system.posix_acl_access', struct.pack(
                '<I' + 'HHI' * 5, 2, 1, 6, NOBODY, 2, 4, 4711, 4, 0, NOBODY,
                16, 4, NOBODY, 32, 0, NOBODY))
        except OSError as error:
            self.skipTest('%s: %s' % (directory, error))
        found = self._run(directory, directory, [], paths)
        self.assertEqual([True, False, False], [
            found.files[path].acl for path in [*paths, directory]])

    def test_kernel_without_nodes(self):
        if os.geteuid():
            self.skipTest('only root makes mount namespaces')
        sizes = os.listdir('/sys/kernel/mm/hugepages')
        self.prefix = [
            'unshare', '--mount', 'sh', '-c',
            'mount -t tmpfs none /sys/devices/system/node; exec "$@"', 'sh']
        found = self._run('/nonexistent', None, [], [])
        self.assertEqual([0] * len(sizes), [pool.node for pool in found.pools])

    def test_directory(self):
        directory = self.useFixture(fixtures.TempDir()).path
        path = os.path.join(directory, "it's a file")
        with open(path, 'wb') as stream:
            stream.write(b'x' * 100000)
        found = self._run(directory, directory, [], [path])
        self.assertIsNone(found.store, 'nothing is mounted there')
        self.assertEqual(100000, found.files[path].size)
        self.assertIn('/', found.files)
        self.assertEqual({path: []}, found.mappers)

    def test_mapper(self):
        with open('/proc/self/maps', encoding='utf-8') as stream:
            library = next(line.split(None, 5)[5].strip() for line in stream
                           if '.so' in line)
        found = self._run('/nonexistent', None, [], [library])
        self.assertIn(os.getpid(), [pid for pid, _ in found.mappers[library]])
        with open('/proc/self/comm', encoding='utf-8') as stream:
            self.assertEqual(stream.read().strip(),
                             found.programs[os.getpid()])

    def test_missing_file(self):
        found = self._run('/nonexistent', '/nonexistent', [], ['/none/x'])
        self.assertNotIn('/nonexistent', found.files)
        self.assertNotIn('/none/x', found.files)
