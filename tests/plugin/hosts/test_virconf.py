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

import ddt
from oslotest import base

from mempage_tempest_plugin.hosts import virconf

SAMPLE = '''\
# Master configuration file
#memory_backing_dir = "/commented"
  spice_tls = 1 # blanks before it
cgroup_device_acl = [
    "/dev/null", '/dev/[odd]',
    "/dev/ptmx"
]
user = "root"; group = "root"

memory_backing_dir = "/b" # was "/var/lib/libvirt/qemu/ram"
memory_backing_dir = "/c"
x_2="""several
"lines" """
y = ''
'''


@ddt.ddt
class VirconfTest(base.BaseTestCase):

    def test_sample(self):
        self.assertEqual(
            {'spice_tls': None, 'cgroup_device_acl': None, 'user': 'root',
             'group': 'root', 'memory_backing_dir': '/b',
             'x_2': 'several\n"lines" ', 'y': ''}, virconf.strings(SAMPLE))

    @ddt.data(
        'd = "/b"', "d='/b'", '\td\t=\t"/b"\t', 'd = "/b"#"/c"',
        'd = "/b" # it\'s "odd', "d = '/b' ; d = '/c'", 'd = "/b"\r\n',
        '# d = "/c"\r\nd = "/b"\r\n', '\n\n d = """/b"""')
    def test_string(self, text):
        self.assertEqual('/b', virconf.strings(text)['d'])

    @ddt.data(('', {}), ('\n \n', {}), ('# a', {}),
              ("a = 'it\"s'\n", {'a': 'it"s'}))
    @ddt.unpack
    def test_small(self, text, expected):
        self.assertEqual(expected, virconf.strings(text))

    @ddt.data(
        ('a = "b\n', 1), ('a = 1\n\nb c\n', 3), ('a = true', 1),
        ('a: "b"', 1), ('a = "b" c\n', 1), ('[a]\n', 1), ('; a = 1\n', 1),
        ('a = """b\n\n', 1), ('2a = "b"', 1), ('# a\n a = [ "b"\n', 2))
    @ddt.unpack
    def test_libvirt_would_refuse_it(self, text, line):
        error = self.assertRaises(ValueError, virconf.strings, text)
        self.assertIn('line %d: ' % line, str(error))
