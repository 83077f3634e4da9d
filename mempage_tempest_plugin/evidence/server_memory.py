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

"""What witnesses say of a server's memory, beside its host's declaration."""

import dataclasses
import posixpath

from oslo_utils import units

from mempage_tempest_plugin.evidence import absence
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import host_state
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.hosts import mounts

ALLOCATED = 'allocated, bytes'
# The parts of memoryBacking, by where a guest's memory is.
FILE_PARTS = ('access', 'allocation', 'discard', 'source')
LARGE_PAGE_PARTS = ('hugepages',)


def compare(declared, evidence, page_kib=None, status='ACTIVE', system=True):
    """Compare one server's memory with its host's declaration.

    :param declared: the host's declaration (inventory.Host)
    :param evidence: collect.Evidence of the server
    :param page_kib: the page size in KiB that the server was granted; None
        if it asks for none
    :param status: the status that the server must have
    :param system: whether its guest has an operating system, which may give
        back memory; all of it has to be there without one
    :returns: a facts.Comparison
    """
    gives_back = system and evidence.xml.free_page_reporting
    comparison = facts.Comparison(
        'host %s (%s), server %s' % (
            declared.name, declared.kind.value, evidence.server.uuid),
        declared.name, evidence.server.uuid)
    comparison.equal('nova', 'status', status, evidence.server.status)
    _compare_api(comparison, declared, evidence, page_kib)
    _compare_process(comparison, evidence)
    if page_kib not in (None, declared.small_page_kib):
        _compare_large_pages(comparison, evidence, page_kib, gives_back)
        return comparison
    comparison.equal('libvirt', 'hugepages', None, evidence.xml.hugepages)
    if declared.file_backed:
        _compare_file_backed(comparison, _store(declared), evidence,
                             gives_back)
    else:
        _compare_anonymous(comparison, declared, evidence)
    return comparison


def _store(declared):
    """Take the declared store; a declared switch maps what is there, too."""
    store = declared.file_backed
    if not declared.switch:
        return store
    return dataclasses.replace(
        store, mappers=(*store.mappers, declared.switch.program))


def _compare_api(comparison, declared, evidence, page_kib):
    provider = evidence.provider
    comparison.equal('nova', 'host', declared.name, evidence.server.host)
    comparison.equal('nova', 'page size, KiB', page_kib,
                     evidence.server.page_kib)
    comparison.equal('placement', 'MEMORY_MB allocated', evidence.ram_mib,
                     provider and evidence.allocated.get(provider.uuid))
    comparison.equal('libvirt', 'memory, MiB', evidence.ram_mib,
                     evidence.xml.memory_kib // 1024)
    # What a move or an operation has left of before comes with it.
    comparison.equal('libvirt', 'changes at the next start', [],
                     _changes(evidence.xml, evidence.next_xml))
    comparison.equal('QEMU', 'memory, MiB', evidence.ram_mib,
                     sum(backend.size for backend in evidence.backends)
                     // units.Mi)


def _changes(now, then):
    """Tell what libvirt will make of a guest that it has not made now.

    :param now: a domain_xml.MemoryBacking
    :param then: another one; None if nobody knows
    :returns: list of texts
    """
    if then is None:
        return ['not known']
    return ['%s: %s' % (field.name, getattr(then, field.name))
            for field in dataclasses.fields(now)
            if getattr(now, field.name) != getattr(then, field.name)]


def _compare_process(comparison, evidence):
    comparison.equal('kernel', 'QEMU processes', 1, len(evidence.processes))


def _compare_file_backed(comparison, declared, evidence, gives_back):
    xml = evidence.xml
    comparison.equal('libvirt', 'source', 'file', xml.source)
    comparison.equal('libvirt', 'access', 'shared', xml.access)
    comparison.equal('libvirt', 'allocation', 'immediate', xml.allocation)
    comparison.equal('libvirt', 'discard', True, xml.discard)
    _compare_parts(comparison, xml, FILE_PARTS)
    comparison.holds('QEMU', 'memory backends', 'at least 1',
                     len(evidence.backends), evidence.backends)
    for backend in evidence.backends:
        _compare_backend(comparison, declared, evidence, backend, gives_back)


def _compare_backend(comparison, declared, evidence, backend, gives_back):
    comparison.equal('QEMU', '%s: type' % backend.name,
                     'memory-backend-file', backend.type)
    comparison.equal('QEMU', '%s: share' % backend.name, True, backend.share)
    comparison.equal('QEMU', '%s: prealloc' % backend.name, True,
                     backend.prealloc)
    comparison.equal('QEMU', '%s: discard' % backend.name, True,
                     backend.discard)
    directory = evidence.survey.real(declared.directory)
    path = backend.mem_path
    comparison.holds('QEMU', '%s: mem-path' % backend.name,
                     'below %s' % directory, path,
                     path and mounts.is_below(path, directory))
    if path:
        _compare_file(comparison, declared, evidence, backend, gives_back)
        _compare_mappings(comparison, declared, evidence, backend)


def _compare_file(comparison, declared, evidence, backend, gives_back):
    path = backend.mem_path
    survey = evidence.survey
    found = survey.files.get(path)
    name = posixpath.basename(path)
    comparison.equal('file system', '%s: kind' % name, 'f',
                     found and found.kind)
    if found is None:
        return
    comparison.equal('file system', '%s: size, bytes' % name, backend.size,
                     found.size)
    _compare_filled(comparison, 'file system',
                    '%s: %s' % (name, ALLOCATED), backend.size,
                    found.allocated, gives_back)
    comparison.equal('file system', '%s: owner' % name,
                     'QEMU\'s user %s' % _users(evidence),
                     'QEMU\'s user %d' % found.uid)
    comparison.equal('file system', '%s: open to others' % name, False,
                     files.open_to_others(path, survey.files))
    comparison.equal('file system', '%s: open to groups' % name, [],
                     files.open_to_groups(path, survey.files,
                                          _group(evidence)))
    comparison.equal('file system', '%s: ACLs' % name, [],
                     files.acls(path, survey.files))
    host_state.compare_mount(comparison, name, declared, path, survey)


def _compare_filled(comparison, witness, name, size, filled, gives_back):
    """Add whether RAM is there as a whole, where it can be."""
    expected = 'at least %d' % size
    agrees = filled >= size
    if gives_back:
        # Seconds after its boot, a guest gives back most of its RAM.
        expected = 'more than 0, of %d' % size
        agrees = filled > 0
    comparison.holds(witness, name, expected, filled, agrees)


def _users(evidence):
    return ', '.join(str(uid) for uid in sorted(
        {process.uid for process in evidence.processes})) or 'none'


def _group(evidence):
    """The group of QEMU; None if several, or none, are the guest's."""
    groups = {process.gid for process in evidence.processes}
    return groups.pop() if len(groups) == 1 else None


def _compare_parts(comparison, xml, expected):
    comparison.equal('libvirt', 'parts of memoryBacking', expected,
                     xml.children)


def _compare_no_file(comparison, evidence):
    """Add that the server has no file, wherever libvirt makes some."""
    comparison.equal('file system', 'backing files', [], sorted(
        path for path, found in evidence.survey.files.items()
        if found.kind == 'f' and absence.is_of(path,
                                               evidence.server.domain)))


def _compare_mappings(comparison, declared, evidence, backend):
    path = backend.mem_path
    name = posixpath.basename(path)
    survey = evidence.survey
    mappings = [mapping for process in evidence.processes
                for mapping in process.mappings if mapping.path == path]
    mount = mounts.holding(survey.mounts, path)
    found = survey.files.get(path)
    comparison.equal('kernel', '%s: mapped, bytes' % name, backend.size,
                     sum(mapping.size_kib for mapping in mappings) * 1024)
    comparison.equal('kernel', '%s: mapped shared' % name, [True],
                     sorted({mapping.shared for mapping in mappings}))
    comparison.equal('kernel', '%s: mapped on device' % name,
                     [mount and mount.device],
                     sorted({mapping.device for mapping in mappings}))
    comparison.equal('kernel', '%s: mapped inode' % name,
                     [found and found.inode],
                     sorted({mapping.inode for mapping in mappings}))
    devices = {mapping.device for mapping in mappings}
    own = [process.pid for process in evidence.processes]
    pids = sorted({pid for pid, device in survey.mappers[path]
                   if device in devices})
    comparison.equal(
        'kernel', '%s: mapped by' % name, own,
        [pid for pid in pids if pid in own] + _strangers(
            declared, survey, [pid for pid in pids if pid not in own]))


def _strangers(declared, survey, pids):
    """Name those who have mapped a guest's memory, and may not."""
    programs = {pid: survey.programs.get(pid) for pid in pids}
    return ['%d (%s)' % (pid, program or 'has ended')
            for pid, program in programs.items()
            if program not in declared.mappers]


def _compare_large_pages(comparison, evidence, page_kib, gives_back):
    xml = evidence.xml
    # Nova names the size once for each of the guest's NUMA cells.
    comparison.equal('libvirt', 'hugepages, KiB', (page_kib,), (
        xml.hugepages and tuple(sorted(set(xml.hugepages)))))
    comparison.equal('libvirt', 'source', None, xml.source)
    _compare_parts(comparison, xml, LARGE_PAGE_PARTS)
    _compare_no_file(comparison, evidence)
    comparison.holds('QEMU', 'memory backends', 'at least 1',
                     len(evidence.backends), evidence.backends)
    for backend in evidence.backends:
        _compare_large_page_backend(comparison, evidence, backend, page_kib,
                                    gives_back)


def _compare_large_page_backend(comparison, evidence, backend, page_kib,
                                gives_back):
    name = backend.name
    comparison.equal('QEMU', '%s: type' % name, 'memory-backend-file',
                     backend.type)
    # As vhost-user ports need it: nothing gets through to private pages, and
    # nobody is told.
    comparison.equal('QEMU', '%s: share' % name, True, backend.share)
    comparison.equal('QEMU', '%s: prealloc' % name, True, backend.prealloc)
    mount = backend.mem_path and mounts.holding(evidence.survey.mounts,
                                                backend.mem_path)
    comparison.equal('kernel', '%s: file system type of %s' % (
        name, backend.mem_path), 'hugetlbfs', mount and mount.filesystem)
    # QEMU takes the name of its file away at once, and only the mount tells
    # the file from those of others.
    mappings = [mapping for process in evidence.processes
                for mapping in process.mappings
                if mount and mapping.device == mount.device
                and mapping.size_kib * 1024 == backend.size]
    comparison.holds('kernel', '%s: mapped from hugetlbfs' % name,
                     'at least 1', len(mappings), mappings)
    comparison.equal('kernel', '%s: mapped shared' % name, [True],
                     sorted({mapping.shared for mapping in mappings}))
    comparison.equal('kernel', '%s: page size, KiB' % name, [page_kib],
                     sorted({mapping.page_kib for mapping in mappings}))
    _compare_filled(comparison, 'kernel', '%s: resident, KiB' % name,
                    backend.size // 1024,
                    sum(mapping.resident_kib for mapping in mappings),
                    gives_back)


def _compare_anonymous(comparison, declared, evidence):
    xml = evidence.xml
    comparison.equal('libvirt', 'source', None, xml.source)
    comparison.equal('libvirt', 'access', None, xml.access)
    _compare_parts(comparison, xml, ())
    _compare_no_file(comparison, evidence)
    comparison.equal('QEMU', 'mem-path', [], [
        backend.mem_path for backend in evidence.backends
        if backend.mem_path])
    for process in evidence.processes:
        _compare_anonymous_mappings(comparison, declared, evidence, process)


def _compare_anonymous_mappings(comparison, declared, evidence, process):
    ram_kib = max((backend.size for backend in evidence.backends),
                  default=evidence.ram_mib * units.Mi) // 1024
    large = [mapping for mapping in process.mappings
             if mapping.size_kib >= ram_kib]
    private = [mapping for mapping in large
               if mapping.anonymous and not mapping.shared]
    comparison.holds('kernel', 'anonymous private mapping of the RAM',
                     'at least 1', len(private), private)
    comparison.equal('kernel', 'files mapped that could hold the RAM', [],
                     [mapping.path for mapping in large
                      if not mapping.anonymous])
    comparison.equal('kernel', 'page size, KiB', declared.small_page_kib,
                     max((mapping.page_kib for mapping in large),
                         default=None))
