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

import json
import os
import stat

from mempage_lab import errors
from mempage_lab import files
from tests.lab import base


class WriteJsonTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.path = self.directory / 'results' / 'drills.json'

    def test_its_directory_is_made(self):
        files.write_json(self.path, [{'name': 'a'}])
        self.assertEqual([{'name': 'a'}], json.loads(self.path.read_text()))
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_what_was_there_stays_if_it_cannot_be_written(self):
        files.write_json(self.path, [1])
        self.assertRaises(TypeError, files.write_json, self.path,
                          [2, object()])
        self.assertEqual([1], json.loads(self.path.read_text()))

    def test_special_files_are_not_replaced(self):
        fifo = self.directory / 'fifo'
        os.mkfifo(fifo)
        error = self.assertRaises(errors.LabError, files.write_json, fifo, [])
        self.assertIn('fifo: cannot be written: it is no plain', str(error))
        self.assertTrue(stat.S_ISFIFO(fifo.stat().st_mode))

    def test_links_are_not_replaced(self):
        link = self.directory / 'link'
        link.symlink_to('target')
        files.write_json(link, [1])
        self.assertTrue(link.is_symlink())
        self.assertEqual([1], json.loads(
            (self.directory / 'target').read_text()))

    def test_where_no_file_can_be(self):
        (self.directory / 'file').touch()
        error = self.assertRaises(errors.LabError, files.write_json,
                                  self.directory / 'file' / 'x.json', [])
        self.assertIn('x.json: cannot be written: ', str(error))

    def test_who_has_it_open_reads_the_whole_of_the_old_one(self):
        files.write_json(self.path, [1])
        with self.path.open() as reader:
            files.write_json(self.path, [2])
            self.assertEqual([1], json.load(reader))
        self.assertEqual([2], json.loads(self.path.read_text()))


class OnlyTest(base.LabTestCase):

    def test_any_pattern_will_do(self):
        (self.directory / 'a.deb').touch()
        self.assertEqual(self.directory / 'a.deb', files.only(
            self.directory, '*.rpm', '*.deb'))

    def test_none_or_several(self):
        for said in 'are 0: none', 'are 2: a.deb, b.deb':
            error = self.assertRaises(errors.LabError, files.only,
                                      self.directory, '*.rpm', '*.deb')
            self.assertIn('%s: one *.rpm or *.deb was expected, there %s' % (
                self.directory, said), str(error))
            for name in 'b.deb', 'a.deb':
                (self.directory / name).touch()
