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

"""Declarations and evidence that agree, for tests to spoil."""

import dataclasses
import datetime

from oslo_utils import units

from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import pools
from mempage_tempest_plugin.hosts import qemu
from mempage_tempest_plugin.hosts import smaps
from mempage_tempest_plugin.hosts import survey

MIB = units.Mi
RAM = 192 * MIB
SERVER = '3f6b9c1e-0d3c-4b6e-9c56-5f1f2f6d7a10'
DIRECTORY = '/srv/memory'
GUEST_DIRECTORY = DIRECTORY + '/libvirt/qemu/1-instance-00000001'
PATH = GUEST_DIRECTORY + '/pc.ram'
PID = 4711
QEMU_USER = 64055

FILE_BACKED = inventory.Host(
    name='fbm1', address='198.51.100.11',
    ssh=inventory.Ssh(user='tempest', key='/key'),
    libvirt_uri='qemu+ssh://fbm1/system',
    file_backed=inventory.FileBacked(
        capacity_mib=1024, directory=DIRECTORY, mount=DIRECTORY,
        filesystem='tmpfs'))
PLAIN = dataclasses.replace(FILE_BACKED, name='plain1', file_backed=None)
LARGE_PAGE = dataclasses.replace(
    PLAIN, name='huge1', pools=(inventory.DeclaredPool(2048, 256),),
    allowed_page_sizes=('large',))
HUGETLBFS = mounts.Mount(3, 1, '/dev/hugepages', '0:50', 'hugetlbfs',
                         'hugetlbfs')


def file(path, kind='d', mode=0o755, uid=0, inode=7, size=0):
    return files.File(kind, mode, uid, uid, 40, inode, size, size, path)


def known_files():
    found = [file(path) for path in (
        '/', '/srv', DIRECTORY, DIRECTORY + '/libvirt',
        DIRECTORY + '/libvirt/qemu')]
    found.append(file(GUEST_DIRECTORY, mode=0o700, uid=QEMU_USER))
    found.append(file(PATH, 'f', 0o644, QEMU_USER, 5, RAM))
    return {item.path: item for item in found}


def mapping(**changes):
    values = dict(size_kib=RAM // 1024, shared=True, device='0:40', inode=5,
                  path=PATH, page_kib=4, resident_kib=RAM // 1024)
    values.update(changes)
    return smaps.Mapping(**values)


LIBRARY = mapping(size_kib=900, shared=False, device='8:1', inode=77,
                  path='/usr/lib/libc.so.6')
ANONYMOUS = mapping(shared=False, device='0:0', inode=0, path='')


def store(total, free, in_guests):
    return survey.Store(total, free, in_guests, free, in_guests)


def host_survey(mappings=None, **changes):
    values = dict(
        hostname='fbm1', boot='boot', memory_mib=8000,
        mounts=[mounts.Mount(1, 0, '/', '8:1', 'ext4', '/dev/sda1'),
                mounts.Mount(2, 1, DIRECTORY, '0:40', 'tmpfs', 'tmpfs')],
        pools=[pools.NodePool(0, 2048, 256, 256, 0)],
        files=known_files(),
        store=store(1024 * MIB, 1024 * MIB - RAM, RAM),
        processes={SERVER: [survey.Process(
            PID, QEMU_USER, mappings or [LIBRARY, mapping()],
            gid=QEMU_USER)]},
        mappers={PATH: [(PID, '0:40')]}, small_page_kib=4,
        backing_directory=DIRECTORY)
    values.update(changes)
    return survey.Survey(**values)


def backend(**changes):
    values = dict(name='pc.ram', type='memory-backend-file', size=RAM,
                  share=True, prealloc=True, mem_path=PATH, discard=True)
    values.update(changes)
    return qemu.MemoryBackend(**values)


def provider(**changes):
    values = dict(uuid='provider', memory_total=1024, memory_max_unit=1024,
                  memory_reserved=0, allocation_ratio=1.0,
                  traits=frozenset(['COMPUTE_MEM_BACKING_FILE']))
    values.update(changes)
    return cloud.Provider(**values)


def backing(**changes):
    values = dict(memory_kib=RAM // 1024, source='file', access='shared',
                  allocation='immediate', discard=True, hugepages=None,
                  free_page_reporting=False)
    values.update(changes)
    values.setdefault('children', tuple(sorted(
        part for part in ('source', 'access', 'allocation', 'discard',
                          'hugepages') if values[part])))
    return domain_xml.MemoryBacking(**values)


def file_backed_evidence(**changes):
    values = dict(
        host='fbm1',
        server=cloud.Server(SERVER, 'ACTIVE', 'fbm1', 'instance-00000001'),
        ram_mib=192, provider=provider(), allocated={'provider': 192},
        xml=backing(), backends=[backend()], survey=host_survey())
    values.update(changes)
    values.setdefault('next_xml', values['xml'])
    return collect.Evidence(**values)


def plain_evidence(**changes):
    values = dict(
        host='plain1',
        server=cloud.Server(SERVER, 'ACTIVE', 'plain1', 'instance-00000001'),
        xml=backing(source=None, access=None, allocation=None, discard=False),
        backends=[backend(type='memory-backend-ram', share=False,
                          prealloc=False, mem_path=None)],
        survey=host_survey([LIBRARY, ANONYMOUS], files={}, mappers={},
                           store=None))
    values.update(changes)
    return file_backed_evidence(**values)


def large_page_evidence(**changes):
    values = dict(
        host='huge1',
        server=cloud.Server(SERVER, 'ACTIVE', 'huge1', 'instance-00000001',
                            2048),
        xml=backing(source=None, access=None, allocation=None, discard=False,
                    hugepages=(2048,)),
        backends=[backend(name='ram-node0', mem_path='/dev/hugepages/qemu')],
        survey=large_page_survey())
    values.update(changes)
    return file_backed_evidence(**values)


def large_page_survey(**changes):
    values = dict(device='0:50', page_kib=2048,
                  path='/dev/hugepages/qemu/qemu_back_mem.ram-node0.x')
    values.update(changes)
    return host_survey(
        [LIBRARY, mapping(**values)], files={}, mappers={}, store=None,
        mounts=[host_survey().mounts[0], HUGETLBFS])


def disk(**changes):
    values = dict(
        model='MODEL X', serial_hash=environments.serial_hash('X', '1'),
        firmware='1.0', transport='nvme', emulated=False,
        size_bytes=10 ** 12, block_bytes=512, read_ahead_kib=128,
        scheduler='none', smart={
            'bytes_written': 10 ** 9, 'bytes_read': 0, 'media_errors': 0,
            'percentage_used': 1, 'critical_warning': 0,
            'power_on_hours': 9, 'temperature_celsius': 40})
    values.update(changes)
    return values


def environment(host, **changes):
    values = dict(
        run='6ec5d6a5-5a25-4d0c-9c1c-0f9f0a1d2b33', phase='before',
        when=datetime.datetime(2026, 11, 30, 5,
                               tzinfo=datetime.timezone.utc),
        accelerator='kvm', nested=False, cpu='CPU @ 2.0GHz',
        versions={'kernel': '6.1.0-31-amd64', 'qemu': '7.2.22',
                  'libvirt': '9.0.0', 'nova': '34.0.0'},
        memory_mib=65536, numa_nodes=1, transparent_hugepages='always',
        dirty={'ratio': 20, 'background_ratio': 10, 'bytes': 0,
               'background_bytes': 0, 'expire_centisecs': 3000,
               'writeback_centisecs': 500},
        store={'file_system': 'ext4', 'mount_options': ['rw', 'noatime'],
               'dax': False, 'usable_mib': 131072, 'declared_mib': 131072,
               'stack': ['partition', 'disk'], 'devices': [disk(
                   serial_hash=environments.serial_hash('MODEL X', host))]})
    values.update(changes)
    return environments.document(host, **values)
