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


import textwrap

import ddt

from mempage_lab import errors
from mempage_lab import logs
from mempage_lab import paths
from tests.lab import base


@ddt.ddt
class LogsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self._write('a/nova-compute.log', 'one\ntwo\n\nthree\n')
        self._write('a/sshd.log', 'hello\n')
        self._write('b/nova-compute.log', 'no end of line')
        self._write('b/nova-compute.log.1', 'rotated\n')
        self._write('b/libvirt/qemu/x.log', 'not a program\n')

    def _write(self, path, text):
        path = paths.LOGS / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @ddt.data(('a', ['a/nova-compute', 'a/sshd']),
              ('nova-compute', ['a/nova-compute', 'b/nova-compute']),
              ('b/nova-compute', ['b/nova-compute']))
    @ddt.unpack
    def test_find(self, target, expected):
        self.assertEqual(expected, list(logs.find(target).values()))

    @ddt.data('c', 'b/sshd', 'a/', '')
    def test_find_nothing(self, target):
        error = self.assertRaises(errors.LabError, logs.find, target)
        self.assertIn('there are a, b, nova-compute, sshd', str(error))

    def test_find_without_any(self):
        self.patch_object(paths, 'LOGS', self.directory / 'none')
        error = self.assertRaises(errors.LabError, logs.find, 'a')
        self.assertIn('there are none: mempage-lab up', str(error))

    def _show(self, target, lines):
        shown = []
        logs.show(target, lines, False, shown.append)
        return shown

    def test_show_names_the_program(self):
        self.assertEqual(
            ['a/nova-compute | two', 'a/nova-compute | ',
             'a/nova-compute | three', 'b/nova-compute | no end of line'],
            self._show('nova-compute', 3))

    def test_show_the_last_lines(self):
        self.assertEqual(['a/nova-compute | three', 'a/sshd | hello'],
                         self._show('a', 1))

    def test_a_line_that_looks_like_a_header(self):
        text = textwrap.dedent("""\
            ==> /x/a.log <==
            ==> other <==

            last
            """)
        self.assertEqual(
            ['a | ==> other <==', 'a | ', 'a | last'],
            list(logs.named(text.splitlines(True), {'/x/a.log': 'a'})))
