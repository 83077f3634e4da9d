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

"""What a domain's XML says about its memory."""

import collections
import dataclasses
from xml.etree import ElementTree


@dataclasses.dataclass(frozen=True)
class MemoryBacking:
    """The memoryBacking element of a domain; absent parts are None.

    Page sizes are in KiB, as is the memory.

    :ivar free_page_reporting: whether the guest tells which pages it does
        not use, which QEMU then gives back
    :ivar children: the names of all elements in it, in order
    """

    memory_kib: int
    source: str | None
    access: str | None
    allocation: str | None
    discard: bool
    hugepages: tuple[int, ...] | None
    free_page_reporting: bool
    children: tuple[str, ...] = ()


def parse(xml):
    """Read the memory backing from a domain's XML.

    :param xml: the XML as libvirt prints it, in which memory is in KiB
    :returns: a :class:`MemoryBacking`; ``hugepages`` is None without that
        element, and empty if it names no size
    """
    domain = ElementTree.fromstring(xml)
    backing = domain.find('memoryBacking')
    if backing is None:
        backing = ElementTree.Element('memoryBacking')
    hugepages = backing.find('hugepages')
    if hugepages is not None:
        hugepages = tuple(int(page.get('size'))
                          for page in hugepages.findall('page'))
    return MemoryBacking(
        memory_kib=int(domain.findtext('memory')),
        source=_attribute(backing, 'source', 'type'),
        access=_attribute(backing, 'access', 'mode'),
        allocation=_attribute(backing, 'allocation', 'mode'),
        discard=backing.find('discard') is not None,
        hugepages=hugepages,
        free_page_reporting=domain.find(
            "devices/memballoon[@freePageReporting='on']") is not None,
        children=tuple(sorted({child.tag for child in backing})))


def in_anonymous_memory(xml):
    """Change a domain's XML so that its memory is in no file.

    All else stays as it is.

    :param xml: the XML as libvirt prints it
    :returns: XML
    """
    domain = ElementTree.fromstring(xml)
    backing = domain.find('memoryBacking')
    for child in list(backing if backing is not None else ()):
        if child.tag in ('source', 'access', 'allocation', 'discard'):
            backing.remove(child)
    for cell in domain.findall('cpu/numa/cell'):
        cell.attrib.pop('memAccess', None)
    return ElementTree.tostring(domain, encoding='unicode')


def bare(xml, name, uuid):
    """Change a domain's XML into that of one with memory and little else.

    It has neither disks nor networks nor what is served to others, so that it
    may run beside the one that it is made of.

    :param xml: the XML as libvirt prints it
    :param name: of the new one
    :param uuid: of the new one
    :returns: XML
    """
    domain = ElementTree.fromstring(xml)
    domain.attrib.pop('id', None)
    domain.find('name').text = name
    domain.find('uuid').text = uuid
    for tag in ('metadata', 'sysinfo', 'seclabel', 'title'):
        for found in domain.findall(tag):
            domain.remove(found)
    # A file of its own is made for each.
    for found in (*domain.findall('os/smbios'), *domain.findall('os/nvram')):
        domain.find('os').remove(found)
    devices = domain.find('devices')
    for device in list(devices):
        if device.tag not in ('emulator', 'controller', 'memballoon'):
            devices.remove(device)
    return ElementTree.tostring(domain, encoding='unicode')


def sharers(xml):
    """List the devices that others than QEMU serve, in its memory.

    :param xml: the XML as libvirt prints it
    :returns: list of types, such as vhostuser
    """
    domain = ElementTree.fromstring(xml)
    return [found.get('type') for path in (
        "devices/interface[@type='vhostuser']",
        "devices/disk[@type='vhostuser']",
        "devices/filesystem/driver[@type='virtiofs']")
        for found in domain.findall(path)]


def interfaces(xml):
    """List the types of a domain's network interfaces.

    :param xml: the XML as libvirt prints it
    :returns: list of types, such as vhostuser and bridge
    """
    return [found.get('type') for found in ElementTree.fromstring(
        xml).findall('devices/interface')]


def shares(xml):
    """List what a domain's guest can mount that virtiofsd serves.

    :param xml: the XML as libvirt prints it
    :returns: dict of directories of the host by the tags for the guest
    """
    return {found.find('target').get('dir'): found.find('source').get('dir')
            for found in ElementTree.fromstring(xml).findall(
                "devices/filesystem/driver[@type='virtiofs']/..")}


def node_memory(xml):
    """Read from a domain's XML where its memory has to come from.

    :param xml: the XML as libvirt prints it, in which memory is in KiB
    :returns: dict of MiB by NUMA node of the host, for all cells that the XML
        binds to one; empty if it binds none
    """
    domain = ElementTree.fromstring(xml)
    memory_kib = {cell.get('id'): int(cell.get('memory'))
                  for cell in domain.findall('cpu/numa/cell')}
    nodes = collections.Counter()
    for bound in domain.findall('numatune/memnode'):
        if bound.get('nodeset').isdecimal():
            nodes[int(bound.get('nodeset'))] += (
                memory_kib[bound.get('cellid')] // 1024)
    return dict(nodes)


def _attribute(parent, element, name):
    found = parent.find(element)
    return None if found is None else found.get(name)
