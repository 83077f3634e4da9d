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
import tempfile

import ddt
from oslo_config import cfg
from oslotest import base

from mempage_tempest_plugin.changes import ini

TEXT = """\
# Of the operator.
[DEFAULT]
debug = true
reserved_huge_pages = node:0,size:2048,count:64
reserved_huge_pages = node:1,size:2048,count:32
long = a,
    b
# end of it

[libvirt]
virt_type=qemu
allowed_memory_pagesize: large
"""
PAGES = ('DEFAULT', 'reserved_huge_pages')
SIZES = ('libvirt', 'allowed_memory_pagesize')


def _read(text):
    """Read a file as nova does."""
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.BoolOpt('debug'), cfg.ListOpt('long'),
                        cfg.MultiStrOpt('reserved_huge_pages', default=[])])
    conf.register_opts([cfg.StrOpt('virt_type'),
                        cfg.ListOpt('allowed_memory_pagesize')], 'libvirt')
    conf.register_opts([cfg.StrOpt('url')], 'new')
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'nova.conf')
        with open(path, 'w', encoding='utf-8', newline='') as stream:
            stream.write(text)
        conf(['--config-file', path])
        return {('DEFAULT', 'debug'): conf.debug,
                ('DEFAULT', 'long'): conf.long,
                PAGES: conf.reserved_huge_pages,
                ('libvirt', 'virt_type'): conf.libvirt.virt_type,
                SIZES: conf.libvirt.allowed_memory_pagesize,
                ('new', 'url'): conf.new.url}


@ddt.ddt
class EditTest(base.BaseTestCase):

    @ddt.data(
        ({SIZES: 'any'}, {SIZES: ['any']}),
        ({SIZES: ''}, {SIZES: []}),
        ({SIZES: None}, {SIZES: None}),
        ({SIZES: '4,2048'}, {SIZES: ['4', '2048']}),
        ({PAGES: ['node:0,size:4,count:1', 'node:1,size:4,count:2']},
         {PAGES: ['node:0,size:4,count:1', 'node:1,size:4,count:2']}),
        ({PAGES: None}, {PAGES: []}),
        ({('DEFAULT', 'long'): 'c'}, {('DEFAULT', 'long'): ['c']}),
        ({('new', 'url'): 'http://x:1/?a=b'},
         {('new', 'url'): 'http://x:1/?a=b'}),
        ({('new', 'url'): None}, {}),
        ({}, {}))
    @ddt.unpack
    def test_nova_reads_what_was_written(self, changes, expected):
        before = _read(TEXT)
        self.assertEqual({**before, **expected},
                         _read(ini.edit(TEXT, changes)))

    def test_all_other_lines_stay_as_they_are(self):
        edited = ini.edit(TEXT, {SIZES: 'small', PAGES: None})
        self.assertEqual(
            [line for line in TEXT.splitlines()
             if not line.startswith(('allowed', 'reserved'))],
            [line for line in edited.splitlines()
             if line != 'allowed_memory_pagesize = small'])

    @ddt.data('\x0b', '\x0c', '\x1c', '\x1e', '\x85', '\u2028', '\u2029',
              '\xa0', '\ufeff', '\U0001f600', '\x00', '\x7f')
    def test_unusual_character_in_a_remark(self, character):
        text = TEXT.replace('debug', '# a%sword\ndebug' % character)
        edited = ini.edit(text, {SIZES: 'any'})
        self.assertIn('# a%sword\n' % character, edited)
        self.assertEqual({**_read(TEXT), SIZES: ['any']}, _read(edited))

    @ddt.data('\r\n', '\r')
    def test_other_ends_of_lines_stay(self, end):
        text = TEXT.replace('\n', end)
        edited = ini.edit(text, {SIZES: 'any'})
        self.assertIn('debug = true' + end, edited)
        self.assertEqual({**_read(TEXT), SIZES: ['any']}, _read(edited))

    def test_last_line_without_an_end(self):
        self.assertEqual('[new]\na = b\n', ini.edit('[new]', {
            ('new', 'a'): 'b'}))
        self.assertEqual('[a]\nb = c\n\n[new]\na = b\n', ini.edit(
            '[a]\nb = c', {('new', 'a'): 'b'}))

    def test_nothing_to_change(self):
        for text in '', TEXT, TEXT.replace('\n', '\r\n'):
            self.assertEqual(text, ini.edit(text, {}))

    def test_group_in_another_case(self):
        text = TEXT.replace('[libvirt]', '[LibVirt]')
        edited = ini.edit(text, {SIZES: 'any'})
        self.assertEqual(['any'], _read(edited)[SIZES])
        self.assertEqual(1, edited.count('allowed_memory_pagesize'))

    def test_same_option_of_another_group_stays(self):
        edited = ini.edit(TEXT, {('libvirt', 'debug'): 'false'})
        self.assertTrue(_read(edited)['DEFAULT', 'debug'])

    def test_group_that_appears_twice(self):
        text = TEXT + '[libvirt]\nallowed_memory_pagesize = small\n'
        self.assertEqual(['any'], _read(ini.edit(text, {SIZES: 'any'}))[SIZES])
