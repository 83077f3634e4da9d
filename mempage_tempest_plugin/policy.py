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

"""Compare evidence with what the operator declares."""

import posixpath

from mempage_tempest_plugin import facts
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin import page_sizes

TRAIT = 'COMPUTE_MEM_BACKING_FILE'
PAGE_SIZE_TRAIT = 'CUSTOM_MEM_PAGE_SIZE_'
MIB = 1024 * 1024


def compare_host(host, survey, libvirt_name):
    """Compare a host itself, without any server, with its declaration.

    :param host: the host's declaration (inventory.Host)
    :param survey: a survey of that host
    :param libvirt_name: the host's name as its libvirt tells it
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s (%s)' % (host.name,
                                                    host.kind.value))
    comparison.equal('libvirt', 'name', host.name, libvirt_name)
    comparison.equal('kernel', 'name, without its domain',
                     host.name.partition('.')[0],
                     survey.hostname.partition('.')[0])
    if host.file_backed:
        _compare_store(comparison, host.file_backed, survey)
    for pool in host.pools:
        pages = sum(found.total for found in survey.pools
                    if found.size_kib == pool.size_kib)
        comparison.holds('kernel', 'pages of %d KiB' % pool.size_kib,
                         'at least %d' % pool.pages, pages,
                         pages >= pool.pages)
    return comparison


def _compare_store(comparison, declared, survey):
    directory = survey.files.get(declared.directory)
    comparison.equal('file system', 'kind of %s' % declared.directory, 'd',
                     directory and directory.kind)
    _compare_mount(comparison, 'store', declared, declared.directory, survey)
    comparison.holds(
        'file system', 'store: space, MiB',
        'at least %d' % declared.capacity_mib,
        survey.store and survey.store.total // MIB,
        survey.store and survey.store.total >= declared.capacity_mib * MIB)


def compare_capacity(host, provider, memory_mib, page_size_traits):
    """Compare what placement may hand out with the declaration.

    :param host: the host's declaration (inventory.Host)
    :param provider: the host in placement (cloud.Provider), or None
    :param memory_mib: the host's RAM
    :param page_size_traits: whether the host's driver reports a trait for
        each page size that guests can get
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, placement' % host.name)
    if provider is None:
        comparison.equal('placement', 'provider', host.name, None)
        return comparison
    comparison.equal('placement', TRAIT, host.file_backed is not None,
                     TRAIT in provider.traits)
    if host.file_backed:
        comparison.equal('placement', 'MEMORY_MB total',
                         host.file_backed.capacity_mib, provider.memory_total)
        comparison.equal('placement', 'MEMORY_MB of one server, at most',
                         host.file_backed.capacity_mib,
                         provider.memory_max_unit)
        comparison.equal('placement', 'MEMORY_MB allocation ratio', 1.0,
                         provider.allocation_ratio)
        comparison.equal('placement', 'MEMORY_MB reserved', 0,
                         provider.memory_reserved)
    else:
        # libvirt adds up the NUMA nodes, and memory may be hot-plugged: what
        # nova reported a minute ago may be less than the RAM of now.
        comparison.holds('placement', 'MEMORY_MB total',
                         'at most %d' % memory_mib, provider.memory_total,
                         0 < provider.memory_total <= memory_mib)
    if page_size_traits:
        comparison.equal(
            'placement', 'page sizes in traits, KiB',
            sorted(page_sizes.available(host)),
            sorted(int(trait.removeprefix(PAGE_SIZE_TRAIT))
                   for trait in provider.traits
                   if trait.startswith(PAGE_SIZE_TRAIT)))
    return comparison


def compare_server(evidence, page_kib=None, status='ACTIVE'):
    """Compare one server's memory with its host's declaration.

    :param evidence: evidence.Evidence of the server
    :param page_kib: the page size in KiB that the server was granted; None
        if it asks for none
    :param status: the status that the server must have
    :returns: a facts.Comparison
    """
    host = evidence.host.declared
    comparison = facts.Comparison('host %s (%s), server %s' % (
        host.name, host.kind.value, evidence.server.uuid))
    comparison.equal('nova', 'status', status, evidence.server.status)
    _compare_api(comparison, evidence, page_kib)
    _compare_process(comparison, evidence)
    if page_kib not in (None, host.small_page_kib):
        _compare_large_pages(comparison, evidence, page_kib)
        return comparison
    comparison.equal('libvirt', 'hugepages', None, evidence.xml.hugepages)
    if host.file_backed:
        _compare_file_backed(comparison, evidence)
    else:
        _compare_anonymous(comparison, evidence)
    return comparison


def _compare_api(comparison, evidence, page_kib):
    provider = evidence.provider
    comparison.equal('nova', 'host', evidence.host.name, evidence.server.host)
    comparison.equal('nova', 'page size, KiB', page_kib,
                     evidence.server.page_kib)
    comparison.equal('placement', 'MEMORY_MB allocated', evidence.ram_mib,
                     provider and evidence.allocated.get(provider.uuid))
    comparison.equal('libvirt', 'memory, MiB', evidence.ram_mib,
                     evidence.xml.memory_kib // 1024)
    comparison.equal('QEMU', 'memory, MiB', evidence.ram_mib,
                     sum(backend.size for backend in evidence.backends) // MIB)


def _compare_process(comparison, evidence):
    comparison.equal('kernel', 'QEMU processes', 1, len(evidence.processes))


def _compare_file_backed(comparison, evidence):
    xml = evidence.xml
    comparison.equal('libvirt', 'source', 'file', xml.source)
    comparison.equal('libvirt', 'access', 'shared', xml.access)
    comparison.equal('libvirt', 'allocation', 'immediate', xml.allocation)
    comparison.equal('libvirt', 'discard', True, xml.discard)
    comparison.holds('QEMU', 'memory backends', 'at least 1',
                     len(evidence.backends), evidence.backends)
    for backend in evidence.backends:
        _compare_backend(comparison, evidence, backend)


def _compare_backend(comparison, evidence, backend):
    comparison.equal('QEMU', '%s: type' % backend.name,
                     'memory-backend-file', backend.type)
    comparison.equal('QEMU', '%s: share' % backend.name, True, backend.share)
    comparison.equal('QEMU', '%s: prealloc' % backend.name, True,
                     backend.prealloc)
    directory = evidence.host.declared.file_backed.directory
    path = backend.mem_path
    comparison.holds('QEMU', '%s: mem-path' % backend.name,
                     'below %s' % directory, path,
                     path and mounts.is_below(path, directory))
    if path:
        _compare_file(comparison, evidence, backend)
        _compare_mappings(comparison, evidence, backend)


def _compare_file(comparison, evidence, backend):
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
                    '%s: allocated, bytes' % name, evidence, backend.size,
                    found.allocated)
    comparison.equal('file system', '%s: owner' % name,
                     'QEMU\'s user %s' % _users(evidence),
                     'QEMU\'s user %d' % found.uid)
    comparison.equal('file system', '%s: open to others' % name, False,
                     files.open_to_others(path, survey.files))
    _compare_mount(comparison, name, evidence.host.declared.file_backed,
                   path, survey)


def _compare_filled(comparison, witness, name, evidence, size, filled):
    """Add whether RAM is there as a whole, where it can be."""
    expected = 'at least %d' % size
    agrees = filled >= size
    if evidence.xml.free_page_reporting:
        # Seconds after its boot, a guest gives back most of its RAM.
        expected = 'more than 0, of %d' % size
        agrees = filled > 0
    comparison.holds(witness, name, expected, filled, agrees)


def _users(evidence):
    return ', '.join(str(uid) for uid in sorted(
        {process.uid for process in evidence.processes})) or 'none'


def _compare_mount(comparison, name, declared, path, survey):
    mount = mounts.holding(survey.mounts, path)
    root = mounts.holding(survey.mounts, '/')
    comparison.equal('kernel', '%s: mount' % name, declared.mount,
                     mount and mount.point)
    comparison.equal('kernel', '%s: on the root file system' % name, False,
                     mount is None or mount.device == root.device)
    if declared.filesystem:
        comparison.equal('kernel', '%s: file system type' % name,
                         declared.filesystem, mount and mount.filesystem)


def _compare_mappings(comparison, evidence, backend):
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
    comparison.equal('kernel', '%s: mapped by' % name,
                     [process.pid for process in evidence.processes],
                     sorted(pid for pid, device in survey.mappers[path]
                            if device in devices))


def _compare_large_pages(comparison, evidence, page_kib):
    xml = evidence.xml
    comparison.equal('libvirt', 'hugepages, KiB', (page_kib,), xml.hugepages)
    comparison.equal('libvirt', 'source', None, xml.source)
    comparison.holds('QEMU', 'memory backends', 'at least 1',
                     len(evidence.backends), evidence.backends)
    for backend in evidence.backends:
        _compare_large_page_backend(comparison, evidence, backend, page_kib)


def _compare_large_page_backend(comparison, evidence, backend, page_kib):
    name = backend.name
    comparison.equal('QEMU', '%s: type' % name, 'memory-backend-file',
                     backend.type)
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
    comparison.equal('kernel', '%s: page size, KiB' % name, [page_kib],
                     sorted({mapping.page_kib for mapping in mappings}))
    _compare_filled(comparison, 'kernel', '%s: resident, KiB' % name,
                    evidence, backend.size // 1024,
                    sum(mapping.resident_kib for mapping in mappings))


def _compare_anonymous(comparison, evidence):
    xml = evidence.xml
    comparison.equal('libvirt', 'source', None, xml.source)
    comparison.equal('libvirt', 'access', None, xml.access)
    comparison.equal('QEMU', 'mem-path', [], [
        backend.mem_path for backend in evidence.backends
        if backend.mem_path])
    for process in evidence.processes:
        _compare_anonymous_mappings(comparison, evidence, process)


def _compare_anonymous_mappings(comparison, evidence, process):
    ram_kib = max((backend.size for backend in evidence.backends),
                  default=evidence.ram_mib * MIB) // 1024
    large = [mapping for mapping in process.mappings
             if mapping.size_kib >= ram_kib]
    comparison.holds('kernel', 'anonymous private mapping of the RAM',
                     'at least 1', len(large), any(
                         mapping.anonymous and not mapping.shared
                         for mapping in large))
    comparison.equal('kernel', 'files mapped that could hold the RAM', [],
                     [mapping.path for mapping in large
                      if not mapping.anonymous])
    comparison.equal('kernel', 'page size, KiB',
                     min(mapping.page_kib for mapping in process.mappings)
                     if process.mappings else None,
                     max((mapping.page_kib for mapping in large),
                         default=None))


def compare_remains(host, survey, server, paths, unexplained, ram_mib):
    """Look for what a deleted server has left on a file-backed host.

    Other servers come and go on the same store meanwhile, so that free
    space says nothing. Used space that no file explains does: a deleted
    file that somebody holds open keeps its space.

    :param host: the host's declaration (inventory.Host)
    :param survey: a survey of that host, with the server's files
    :param server: UUID of the deleted server
    :param paths: the backing files that the server had
    :param unexplained: used bytes that no file explained before the boot
    :param ram_mib: the RAM that the server had
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, after deletion of server %s' % (
        host.name, server))
    places = set(paths) | {posixpath.dirname(path) for path in paths}
    places.discard(host.file_backed.directory)
    comparison.equal('file system', 'files and directories left', [],
                     sorted(places & set(survey.files)))
    comparison.equal('kernel', 'QEMU processes', [], [
        process.pid for process in survey.processes.get(server, [])])
    compare_space(comparison, survey, unexplained, ram_mib)
    return comparison


def compare_space(comparison, survey, unexplained, ram_mib):
    """Add whether a server that has no memory keeps space all the same.

    :param comparison: the facts.Comparison to add it to
    :param survey: a survey of the server's host
    :param unexplained: used bytes that no file explained before the boot
    :param ram_mib: the RAM that the server had
    """
    grown = survey.store and survey.store.unexplained - unexplained
    comparison.holds('file system', 'space kept by deleted files, MiB',
                     'less than %d' % (ram_mib // 2),
                     survey.store and grown // MIB,
                     survey.store and grown < ram_mib * MIB // 2)
