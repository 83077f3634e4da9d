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

from oslotest import base

from mempage_tempest_plugin.hosts import domain_xml

XML = '''<domain type='qemu'><name>instance-00000001</name>
<memory unit='KiB'>196608</memory>%s</domain>'''


class DomainXmlTest(base.BaseTestCase):

    def test_file(self):
        self.assertEqual(
            domain_xml.MemoryBacking(196608, 'file', 'shared', 'immediate',
                                     True, None, False, (
                                         'access', 'allocation', 'discard',
                                         'source')),
            domain_xml.parse(XML % (
                "<memoryBacking><source type='file'/><access mode='shared'/>"
                "<allocation mode='immediate'/><discard/></memoryBacking>")))

    def test_hugepages(self):
        found = domain_xml.parse(XML % (
            "<memoryBacking><hugepages><page size='2048' unit='KiB' "
            "nodeset='0'/></hugepages></memoryBacking>"))
        self.assertEqual((2048,), found.hugepages)
        self.assertIsNone(found.source)

    def test_hugepages_of_default_size(self):
        self.assertEqual((), domain_xml.parse(
            XML % '<memoryBacking><hugepages/></memoryBacking>').hugepages)

    def test_nothing(self):
        self.assertEqual(
            domain_xml.MemoryBacking(196608, None, None, None, False, None,
                                     False),
            domain_xml.parse(XML % ''))

    def test_node_memory(self):
        cells = ("<cpu><numa><cell id='0' memory='133120' unit='KiB'/>"
                 "<cell id='1' memory='65536' unit='KiB'/></numa>"
                 "</cpu>")
        bound = ("<numatune><memory mode='strict' nodeset='0-1'/>%s"
                 "</numatune>")
        memnode = "<memnode cellid='%d' mode='strict' nodeset='%s'/>"
        for nodes, expected in (
                ([], {}), ([(0, '1'), (1, '0')], {0: 64, 1: 130}),
                ([(0, '1'), (1, '1')], {1: 194}),
                # Bound to no node in particular.
                ([(0, '0-1'), (1, '0')], {0: 64})):
            self.assertEqual(expected, domain_xml.node_memory(
                XML % (cells + bound % ''.join(
                    memnode % each for each in nodes))))
        self.assertEqual({}, domain_xml.node_memory(XML % cells))

    def test_free_page_reporting(self):
        for value, expected in (('on', True), ('off', False)):
            found = domain_xml.parse(XML % (
                "<devices><memballoon model='virtio' freePageReporting='%s'/>"
                "</devices>" % value))
            self.assertEqual(expected, found.free_page_reporting)
