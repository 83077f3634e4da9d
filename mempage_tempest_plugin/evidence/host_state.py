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

"""What witnesses say of a host itself, beside its declaration."""

import collections

from oslo_utils import units

from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import pool_counts
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.hosts import mounts

# How much of its RAM a host has to hand out that has no store.
LEAST_PERCENT = 90


def compare(host, survey, guests, libvirt_name):
    """Compare a host itself, without any server, with its declaration.

    :param host: the host's declaration (inventory.Host)
    :param survey: a survey of that host
    :param guests: the names of the directories of guests that run there, as
        of libvirt_connection.LibvirtConnection.running
    :param libvirt_name: the host's name as its libvirt tells it
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s (%s)' % (host.name, host.kind.value), host.name)
    comparison.equal('libvirt', 'name', host.name, libvirt_name)
    comparison.equal('kernel', 'name, without its domain',
                     host.name.partition('.')[0],
                     survey.hostname.partition('.')[0])
    if host.file_backed:
        _compare_store(comparison, host.file_backed, survey)
        _compare_owners(comparison, survey, guests)
    else:
        comparison.equal('file system', 'files of guests', [],
                         sorted(owners(survey)))
    _compare_pools(comparison, host.pools, survey)
    if survey.small_page_kib is not None:
        comparison.equal('kernel', 'small page size, KiB',
                         host.small_page_kib, survey.small_page_kib)
    return comparison


def _compare_pools(comparison, declared, survey):
    wanted = collections.Counter()
    for pool in declared:
        wanted[pool.size_kib, pool.node] += pool.pages + pool.reserved
    for (size, node), pages in wanted.items():
        found = [pool.persistent for pool in survey.pools
                 if pool.size_kib == size and node in (None, pool.node)]
        comparison.holds('kernel', pool_counts.pages_name(size, node),
                         'at least %d' % pages, sum(found),
                         sum(found) >= pages)
        # Each node that has some is taken to have an equal share.
        found = [each for each in found if each]
        if len(found) > 1:
            share = pages // len(found)
            comparison.holds(
                'kernel', 'fewest pages of %d KiB on a node' % size,
                'at least %d' % share, min(found), min(found) >= share)


def _compare_store(comparison, declared, survey):
    path = survey.real(declared.directory)
    directory = survey.files.get(path)
    comparison.equal('file system', 'kind of %s' % declared.directory, 'd',
                     directory and directory.kind)
    compare_mount(comparison, 'store', declared, path, survey)
    comparison.holds(
        'file system', 'store: space, MiB',
        'at least %d' % declared.capacity_mib,
        survey.store and survey.store.total // units.Mi,
        survey.store
        and survey.store.total >= declared.capacity_mib * units.Mi)
    # QEMU does not run as root, for whom some file systems keep a part.
    room = survey.store and survey.store.room // units.Mi
    comparison.holds(
        'file system', 'store: room for guests, MiB',
        'at least %d' % declared.capacity_mib, room,
        survey.store and room >= declared.capacity_mib)


def _compare_owners(comparison, survey, guests):
    comparison.equal(
        'file system', 'files of guests that are gone', [],
        sorted(path for path, owner in owners(survey).items()
               if owner not in guests))


def owners(survey):
    """Tell whose files are where those of guests are, or would be.

    :param survey: a survey of a host
    :returns: dict by path of the name of the guest's directory, as
        7-instance-0000002a
    """
    found = {path: files.guest_of(path, survey.backing_directory)
             for path, file in survey.files.items() if file.kind == 'f'}
    return {path: owner for path, owner in found.items() if owner}


def compare_capacity(host, provider, survey, least_mib, page_size_traits,
                     file_trait=True):
    """Compare what placement may hand out with the declaration.

    :param host: the host's declaration (inventory.Host)
    :param provider: the host in placement (cloud.Provider), or None
    :param survey: a survey of the host
    :param least_mib: what one server needs, which a host with ordinary memory
        has to have for guests
    :param page_size_traits: whether the host's driver reports a trait for
        each page size that guests can get
    :param file_trait: whether file-backed hosts report theirs
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, placement' % host.name,
                                  host.name)
    if provider is None:
        comparison.equal('placement', 'provider', host.name, None)
        return comparison
    comparison.equal('placement', traits.FILE_BACKED,
                     host.file_backed is not None and file_trait,
                     traits.FILE_BACKED in provider.traits)
    # It gets no servers: then no refusal tells anything.
    comparison.equal('placement', traits.DISABLED, False,
                     traits.DISABLED in provider.traits)
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
        _compare_ram(comparison, provider, survey, least_mib)
    if page_size_traits:
        comparison.equal(
            'placement', 'page sizes in traits, KiB',
            sorted(page_sizes.available(host)),
            traits.page_sizes(provider.traits))
        comparison.equal(
            'placement', 'traits of what the host refuses',
            _refusals(host), traits.refusals(provider.traits))
    return comparison


def _compare_ram(comparison, provider, survey, least_mib):
    # Nova has it from libvirt, which adds up the NUMA nodes.
    most = survey.memory_mib
    least = min(most, survey.nodes_mib or most) * LEAST_PERCENT // 100
    total = provider.memory_total or 0
    comparison.holds('placement', 'MEMORY_MB total', '%d to %d' % (
        least, most), total, least <= total <= most)
    comparison.equal('placement', 'MEMORY_MB of one server, at most', total,
                     provider.memory_max_unit)
    # Both are the operator's, but may not keep guests away altogether.
    left = provider.memory_for_guests
    comparison.holds('placement', 'MEMORY_MB less reserved, by its ratio',
                     'at least %d' % least_mib, left, left >= least_mib)


def _refusals(host):
    """Tell which traits say what a host refuses."""
    refused = {
        traits.PAGE_SIZE_REQUIRED: not host.allows(host.small_page_kib),
        traits.PAGE_SIZE_REFUSED: host.file_backed is not None}
    return sorted(trait for trait, refuses in refused.items() if refuses)


def compare_mount(comparison, name, declared, path, survey):
    """Add whether a path is on the file system that is declared.

    :param comparison: the facts.Comparison to add it to
    :param name: what is there, for people
    :param declared: the store's declaration (inventory.FileBacked)
    :param path: the path
    :param survey: a survey of its host
    """
    mount = mounts.holding(survey.mounts, path)
    root = mounts.holding(survey.mounts, '/')
    comparison.equal('kernel', '%s: mount' % name,
                     survey.real(declared.mount), mount and mount.point)
    comparison.equal('kernel', '%s: on the root file system' % name, False,
                     mount is None or mount.device == root.device)
    if declared.filesystem:
        comparison.equal('kernel', '%s: file system type' % name,
                         declared.filesystem, mount and mount.filesystem)
