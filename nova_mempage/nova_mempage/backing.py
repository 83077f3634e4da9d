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

"""What a guest's libvirt XML says of its memory."""

from lxml import etree


def source(xml):
    """Get the kind of memory that a guest runs on.

    :param xml: libvirt's description of the guest
    :returns: 'file', 'memfd' or 'anonymous'; None where the XML does not say,
        as for guests with ordinary memory or hugepages
    """
    element = etree.fromstring(xml).find('./memoryBacking/source')
    return None if element is None else element.get('type')


def page_sizes(xml):
    """Get the hugepage sizes that a guest runs on.

    :param xml: libvirt's description of the guest
    :returns: the set of sizes in KiB, empty for a guest without hugepages
    """
    pages = etree.fromstring(xml).iterfind('./memoryBacking/hugepages/page')
    return {int(page.get('size')) for page in pages}
