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

import base64
import posixpath
import shlex
from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import nova_config

NOVA = '/etc/nova/nova.conf'
COMPUTE = '/etc/nova/nova-compute.conf'
USUAL = '/etc/nova/nova.conf.d/'
MEMORY = '[libvirt]\nfile_backed_memory = %s\n'
RESERVED = '[DEFAULT]\nreserved_huge_pages = %s\n'


class Files:
    """A host that has some files; its ``execute`` is that of ssh."""

    def __init__(self, files):
        self._files = {path: text if isinstance(text, bytes)
                       else text.encode() for path, text in files.items()}

    def execute(self, command, root, stdin):
        [line] = [line for line in stdin.splitlines()
                  if line.startswith('set -- ')]
        return mock.Mock(stdout=''.join(
            self._print(path) for path in shlex.split(line)[2:]))

    def _print(self, path):
        if path in self._files:
            return '\n=== file %s\n%s\n' % (
                path, base64.b64encode(self._files[path]).decode())
        within = [each for each in sorted(self._files)
                  if posixpath.dirname(each) == path
                  and each.endswith('.conf')]
        if not within:
            return ''
        return '\n=== directory %s\n' % path + ''.join(
            map(self._print, within))


def _read(files, *arguments, **process):
    return nova_config.read(Files(files), 'fbm1', [nova_config.Process(
        '7', arguments=arguments, **process)])


def _memory(sizes, *arguments, **process):
    return _read({path: MEMORY % size for path, size in sizes.items()},
                 *arguments, **process).file_backed_mib


@ddt.ddt
class FilesTest(base.BaseTestCase):
    """Which files are read, and which of them is heeded."""

    @ddt.data(
        ({NOVA: 1}, 1),
        ({NOVA: 1, COMPUTE: 2}, 2),
        ({NOVA: 1, COMPUTE: 2, USUAL + 'a.conf': 3}, 3),
        ({NOVA: 1, USUAL + '10.conf': 3, USUAL + '9.conf': 4}, 4),
        ({NOVA: 1, USUAL + 'a.conf~': 3}, 1),
        ({USUAL + 'a.conf': 3, '/etc/nova/nova-compute.conf.d/a.conf': 4}, 4),
        # The first place that has one
        ({NOVA: 1, '/root/.nova/nova.conf': 2, '/etc/nova.conf': 3}, 2),
        ({'/etc/nova.conf': 3}, 3))
    @ddt.unpack
    def test_usual(self, sizes, expected):
        self.assertEqual(expected, _memory(sizes))

    def test_virt_type(self):
        self.assertEqual('kvm', _read({NOVA: '[libvirt]\n'}).virt_type)
        self.assertEqual('qemu', _read({
            NOVA: '[libvirt]\nvirt_type = qemu\n'}).virt_type)

    def test_home_and_snap(self):
        self.assertEqual(2, _memory(
            {NOVA: 1, '/var/lib/nova/nova.conf': 2}, home='/var/lib/nova'))
        self.assertEqual(3, _memory(
            {'/common/etc/nova/nova.conf': 3, '/snap/etc/nova/nova.conf': 4},
            environment={'SNAP_COMMON': '/common', 'SNAP': '/snap'}))

    @ddt.data(
        (['--config-file', '/a'], 1),
        (['--config-file=/a'], 1),
        (['--config-file', '/a', '--config-file=/b'], 2),
        (['--config-file=/b', '--config-file', '/a'], 1),
        (['--config-file', '/a', '--log-file', '/var/log/x'], 1),
        (['--debug', '--config-file=/a'], 1),
        (['--config-dir', '/d'], 5),
        (['--config-dir=/d/', '--config-file=/a'], 1),
        (['--config-file=a', '--config-dir=../d'], 5),
        (['--config-dir=~/.d'], 6),
        # What is cut short is added to what is usual.
        (['--config-f=/a'], 1),
        (['--config-d', '/d'], 5))
    @ddt.unpack
    def test_named(self, arguments, expected):
        sizes = {NOVA: 8, '/a': 1, '/b': 2, '/etc/a': 3, '/d/2.conf': 5,
                 '/d/1.conf': 4, '/home/.d/x.conf': 6}
        self.assertEqual(expected, _memory(
            sizes, *arguments, directory='/etc', home='/home'))

    def test_usual_directory_beside_a_named_file(self):
        files = {'/a': MEMORY % 1, USUAL + 'a.conf': RESERVED % (
            'node:0,size:4,count:1')}
        found = _read(files, '--config-file=/a')
        self.assertEqual((1, {(0, 4): 1}), (found.file_backed_mib,
                                            found.reserved))

    def test_environment(self):
        self.assertEqual(9, _memory({NOVA: 1}, environment={
            'OS_LIBVIRT__FILE_BACKED_MEMORY': '9', 'HOME': '/root'}))

    def test_environment_of_the_tests_does_not_matter(self):
        with mock.patch.dict('os.environ', OS_LIBVIRT__FILE_BACKED_MEMORY='9'):
            self.assertEqual(1, _memory({NOVA: 1}))

    def test_named_file_that_is_not_there(self):
        error = self.assertRaises(exceptions.ConfigurationUnclear, _memory,
                                  {NOVA: 1}, '--config-file=/a')
        self.assertIn('host fbm1', str(error))
        self.assertIn(' /a', str(error))

    @ddt.data('--config-file', '--config', '--config-dir=/nonexistent')
    def test_arguments_that_nova_would_refuse(self, argument):
        self.assertRaises(exceptions.ConfigurationUnclear, _memory,
                          {NOVA: 1}, argument)

    def test_option_of_oslo_config_in_a_file(self):
        self.assertRaises(
            exceptions.ConfigurationUnclear, _read,
            {NOVA: '[DEFAULT]\nconfig_file = /a\n'})

    def test_path_of_many_characters(self):
        self.assertEqual(1, _memory({"/a%s 'b'/ü.conf": 1},
                                    "--config-file=/a%s 'b'/ü.conf"))

    def test_nothing_found_is_told(self):
        found = _read({})
        self.assertEqual(0, found.file_backed_mib)
        self.assertIn('No configuration file', found.notes[0])

    def test_nothing_to_tell(self):
        self.assertEqual((), _read({NOVA: ''}).notes)

    def test_not_running(self):
        found = nova_config.read(Files({
            NOVA: MEMORY % 1, nova_config.DEVSTACK: MEMORY % 2}), 'fbm1', [])
        self.assertEqual(2, found.file_backed_mib)
        self.assertIn('does not run', found.notes[0])

    def test_several(self):
        found = nova_config.read(Files({NOVA: MEMORY % 1}), 'fbm1', [
            nova_config.Process('7'), nova_config.Process('8')])
        self.assertIn('2 nova-compute run there', found.notes[0])

    def test_source_elsewhere(self):
        found = _read({NOVA: '[DEFAULT]\nconfig_source = far\n'
                       '[far]\ndriver = remote_file\n'
                       'uri = http://198.51.100.1/nova.conf\n'})
        self.assertIn('config_source', found.notes[0])


@ddt.ddt
class ValuesTest(base.BaseTestCase):
    """How values are read."""

    @ddt.data(
        '[libvirt]\nfile_backed_memory: 1048576\n',
        '[libvirt]\nfile_backed_memory=1048576',
        '[libvirt]\n  \nfile_backed_memory = "1048576"\t\n',
        "[libvirt]\nfile_backed_memory = '1048576'\n",
        '[libvirt]\nfile_backed_memory =\n    1048576\n',
        '[libvirt]\r\nfile_backed_memory = 1048576\r\n',
        '[LIBVIRT]\nfile_backed_memory = 1048576\n',
        '[libvirt]\nfile_backed_memory = 4\n[DEFAULT]\na = b\n'
        '[libvirt]\nfile_backed_memory = 1048576\n',
        '[libvirt]\nfile_backed_memory = 1048576\n'
        '#file_backed_memory = 4\n; file_backed_memory = 4\n'
        '[other]\nfile_backed_memory = 4\n',
        '# \u2028 \x0c \x85\n[libvirt]\nfile_backed_memory = 1048576\n',
        b'# \xe9\n[libvirt]\nfile_backed_memory = 1048576\n')
    def test_memory(self, text):
        self.assertEqual(1048576, _read({NOVA: text}).file_backed_mib)

    def test_empty(self):
        self.assertEqual(0, _memory({NOVA: ''}))

    @ddt.data('lots', '-1', '1024 # MiB', '1.5', '$nothing')
    def test_memory_that_nova_would_refuse(self, value):
        self.assertRaises(exceptions.ConfigurationUnclear, _read,
                          {NOVA: MEMORY % value})

    @ddt.data(('nonsense\n', ':1', 'nonsense'),
              ('[DEFAULT]\nmy words\n', ':2', 'my words'),
              ('\ufeff[libvirt]\n', ':1', '[libvirt]'),
              ('[libvirt\n', ':1', '[libvirt'))
    @ddt.unpack
    def test_line_that_is_no_option(self, text, line, words):
        error = self.assertRaises(exceptions.ConfigurationUnclear, _read,
                                  {NOVA: text})
        self.assertIn(NOVA + line, str(error))
        self.assertIn(words, str(error))
        self.assertNotIn('/tmp', str(error))

    @ddt.data(
        (['node:0,size:2048,count:64'], {(0, 2048): 64}),
        (['node: 1 , size : 1GB, count:1'], {(1, 1048576): 1}),
        (['"node:0,size:2MB,count:3"'], {(0, 2048): 3}),
        (['node:0,size:2MiB,count:3', 'node:1,size:2048KB,count:4'],
         {(0, 2048): 3, (1, 2048): 4}),
        (['count:3,size:2048,node:0'], {(0, 2048): 3}),
        # The last one counts.
        (['node:0,size:2048,count:64', 'node:0,size:2MB,count:1'],
         {(0, 2048): 1}),
        ([], {}))
    @ddt.unpack
    def test_reserved(self, values, expected):
        self.assertEqual(expected, _read({NOVA: '[DEFAULT]\n' + ''.join(
            'reserved_huge_pages = %s\n' % value for value in values)
        }).reserved)

    def test_reserved_in_several_files(self):
        found = _read({NOVA: RESERVED % 'node:0,size:2048,count:1',
                       COMPUTE: RESERVED % 'node:1,size:2048,count:2'})
        self.assertEqual({(0, 2048): 1, (1, 2048): 2}, found.reserved)

    @ddt.data('node:0,size:2M,count:1', 'node:0,size:2048', '2048:64',
              'node=0,size=2048,count=1', 'node:0,size:2048,count:many',
              'node:x,size:2048,count:1', '{"node":0}', '')
    def test_reserved_that_nova_would_refuse(self, value):
        error = self.assertRaises(exceptions.ConfigurationUnclear, _read,
                                  {NOVA: RESERVED % value})
        self.assertIn('reserved_huge_pages = %s' % value, str(error))

    @ddt.data(('', ()), ('small, 2048,1GB', ('small', 2048, 1048576)))
    @ddt.unpack
    def test_allowed_page_sizes(self, value, expected):
        found = _read({NOVA: '[DEFAULT]\ncompute_driver = mempage.X\n'
                       '[libvirt]\nallowed_memory_pagesize = %s\n' % value})
        self.assertEqual(('mempage.X', expected), (
            found.driver, found.allowed_page_sizes))

    def test_allowed_page_size_that_nova_would_refuse(self):
        error = self.assertRaises(
            exceptions.ConfigurationUnclear, _read,
            {NOVA: '[libvirt]\nallowed_memory_pagesize = huge\n'})
        self.assertIn('allowed_memory_pagesize', str(error))


PROCESSES = '''
=== 900 42
argument /usr/bin/python3
argument -s
argument /usr/bin/nova-compute
argument --config-file=/a b
environment HOME=/home/nova
directory /
home /var/lib/nova

=== 80 777
argument /usr/bin/nova-compute
home /var/lib/nova
'''


class ProcessesTest(base.BaseTestCase):

    @mock.patch('mempage_tempest_plugin.hosts.scripts.run',
                return_value=PROCESSES)
    def test_processes(self, _):
        self.assertEqual(
            [nova_config.Process('777', home='/var/lib/nova', started=80),
             nova_config.Process('42', home='/home/nova',
                                 arguments=('--config-file=/a b',),
                                 environment={'HOME': '/home/nova'},
                                 started=900)],
            nova_config.processes(None))


RATIO = ('DEFAULT', 'ram_allocation_ratio')
CAPACITY = ('libvirt', 'file_backed_memory')
PAGES = ('DEFAULT', 'reserved_huge_pages')
RATIO_OF = '[DEFAULT]\nram_allocation_ratio = %s\n'
EXTRA = USUAL + '25-extra.conf'


@ddt.ddt
class CheckReadTest(base.BaseTestCase):

    def _check(self, files, options, running=True, **process):
        found = [nova_config.Process('7', **process)] if running else []
        with mock.patch.object(nova_config, 'processes', return_value=found):
            nova_config.check_read(Files(files), 'fbm1', NOVA, options)

    @ddt.data(
        ({NOVA: MEMORY % 8}, {CAPACITY: '8'}),
        ({NOVA: MEMORY % 8 + MEMORY % 9}, {CAPACITY: '9'}),
        ({COMPUTE: MEMORY % 9, NOVA: MEMORY % 8}, {CAPACITY: '9'}),
        ({NOVA: MEMORY % 8, EXTRA: ''}, {CAPACITY: '8', RATIO: None}),
        ({NOVA: '[DEFAULT]\nconfig_source = far\n[far]\n'
          'driver = remote_file\nuri = http://198.51.100.1/x\n'},
         {RATIO: None}),
        ({NOVA: RESERVED % 'a:1' + RESERVED % 'b:2'}, {PAGES: ['a:1', 'b:2']}),
        ({NOVA: '[libvirt]\nallowed_memory_pagesize =\n'},
         {('libvirt', 'allowed_memory_pagesize'): ''}))
    @ddt.unpack
    def test_read(self, files, options):
        self._check(files, options)

    @ddt.data(
        # What is removed in one file is still in another.
        ({NOVA: '', EXTRA: RATIO_OF % '1.0'}, {RATIO: None},
         'ram_allocation_ratio was removed in', "reads '1.0'", EXTRA),
        ({NOVA: '', '/etc/nova.conf.d/x.conf': RATIO_OF % '1.0'},
         {RATIO: None}, "reads '1.0'", '/etc/nova.conf.d/x.conf'),
        # What is set in one file is not heeded.
        ({NOVA: MEMORY % 8, COMPUTE: MEMORY % 9}, {CAPACITY: '8'},
         "file_backed_memory was set to '8' in", "reads '9'", COMPUTE),
        ({NOVA: RESERVED % 'a:1', EXTRA: RESERVED % 'b:2'}, {PAGES: ['a:1']},
         "reads 'a:1', 'b:2'", EXTRA),
        # It reads another file, or that of before.
        ({COMPUTE: ''}, {CAPACITY: '8'}, 'reads none', 'reads it as it was'),
        ({NOVA: MEMORY % 7}, {CAPACITY: '8'}, "reads '7'",
         'reads it as it was'))
    @ddt.unpack
    def test_not_read(self, files, options, *words):
        error = self.assertRaises(exceptions.OptionNotRead, self._check,
                                  files, options)
        for word in ('host fbm1', NOVA, *words):
            self.assertIn(word, str(error))
        self.assertNotIn('/tmp', str(error))

    def test_named_directory(self):
        files = {NOVA: '', '/d/a.conf': RATIO_OF % 1}
        self._check(files, {RATIO: None})
        error = self.assertRaises(
            exceptions.OptionNotRead, self._check, files, {RATIO: None},
            arguments=('--config-file', NOVA, '--config-dir=/d'))
        self.assertIn('/d/a.conf', str(error))

    def test_environment(self):
        error = self.assertRaises(
            exceptions.OptionNotRead, self._check, {NOVA: MEMORY % 8},
            {CAPACITY: '8'},
            environment={'OS_LIBVIRT__FILE_BACKED_MEMORY': '9'})
        self.assertIn('environment of nova-compute', str(error))

    def test_no_process(self):
        self.assertRaises(exceptions.FactsMissing, self._check,
                          {NOVA: MEMORY % 8}, {CAPACITY: '8'}, running=False)
