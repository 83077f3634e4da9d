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

"""Tests of a guest that is moved to anonymous memory."""

from unittest import mock

from oslotest import base

from mempage_tempest_plugin.changes import anonymous_memory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import qemu
from tests.plugin import samples

XML = '''<domain type='qemu'><name>instance-00000001</name>
<memory unit='KiB'>196608</memory>
<memoryBacking><source type='file'/><access mode='shared'/>
<allocation mode='immediate'/><discard/><locked/></memoryBacking>
<cpu><numa><cell id='0' memory='196608' memAccess='shared'/></numa></cpu>
<devices><interface type='ethernet'/></devices></domain>'''


class AnonymousMemoryTest(base.BaseTestCase):

    def _give(self, kind, path):
        self.host = mock.Mock()
        self.host.name = 'fbm1'
        self.host.libvirt.inactive_xml.return_value = XML
        self.host.memory_backends.return_value = [qemu.MemoryBackend(
            'pc.ram', kind, samples.RAM, False, False, path)]
        anonymous_memory.give(self.host, samples.SERVER)

    def test_give(self):
        self._give('memory-backend-ram', None)
        self.assertEqual(
            ['inactive_xml', 'define', 'restart'],
            [call[0] for call in self.host.libvirt.method_calls])
        self.host.libvirt.restart.assert_called_once_with(samples.SERVER)
        [xml] = self.host.libvirt.define.call_args[0]
        backing = domain_xml.parse(xml)
        self.assertEqual((('locked',), 196608),
                         (backing.children, backing.memory_kib))
        self.assertNotIn('memAccess', xml)
        self.assertIn('<name>instance-00000001</name>', xml)
        self.assertIn('<interface type="ethernet"', xml)

    def test_still_in_a_file(self):
        error = self.assertRaises(
            exceptions.FactsMissing, self._give, 'memory-backend-file',
            samples.PATH)
        self.assertIn('it was started anew, and is in ' + samples.PATH,
                      str(error))

    def test_plain_guest(self):
        xml = '<domain><memory>1024</memory></domain>'
        self.assertEqual((), domain_xml.parse(
            domain_xml.in_anonymous_memory(xml)).children)

    def test_sharers(self):
        self.assertEqual([], domain_xml.sharers(XML))
        self.assertEqual(['vhostuser', 'virtiofs'], domain_xml.sharers(
            '''<domain><devices><interface type='vhostuser'/>
            <filesystem><driver type='virtiofs'/></filesystem></devices>
            </domain>'''))
