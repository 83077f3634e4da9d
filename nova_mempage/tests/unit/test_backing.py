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

from nova_mempage import backing

HUGE = """<hugepages><page size='2048' unit='KiB' nodeset='0'/>
<page size='1048576' unit='KiB' nodeset='1'/></hugepages>"""
FILE = "<source type='file'/><access mode='shared'/><discard/>"


def domain(memory_backing):
    return '<domain><name>vm</name>%s</domain>' % memory_backing


@ddt.ddt
class BackingTest(base.BaseTestCase):

    @ddt.unpack
    @ddt.data(('', None, set()),
              ('<memoryBacking/>', None, set()),
              ('<memoryBacking><locked/></memoryBacking>', None, set()),
              ('<memoryBacking>%s</memoryBacking>' % FILE, 'file', set()),
              ("<memoryBacking><source type='memfd'/></memoryBacking>",
               'memfd', set()),
              ('<memoryBacking>%s</memoryBacking>' % HUGE, None,
               {2048, 1048576}))
    def test_read(self, memory_backing, source, sizes):
        self.assertEqual(source, backing.source(domain(memory_backing)))
        self.assertEqual(sizes, backing.page_sizes(domain(memory_backing)))
