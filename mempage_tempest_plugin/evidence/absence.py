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

"""Servers that are not on a host, or stayed there as they were."""

import posixpath

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin import exceptions


def compare_absent(host, server, api):
    """Look for a server on a host where it must not be.

    :param host: a compute_host.ComputeHost
    :param server: UUID of the server
    :param api: a cloud.Cloud
    :returns: a facts.Comparison
    """
    provider = api.provider(host.name)
    comparison = facts.Comparison(
        'host %s, where server %s must not be' % (host.name, server),
        host.name, server)
    comparison.equal('libvirt', 'domain', False, _has_domain(host, server))
    _compare_off(comparison, host, host.survey(guests=[server]),
                 api.server(server))
    comparison.equal('placement', 'MEMORY_MB allocated', None,
                     provider and api.allocated_memory(server).get(
                         provider.uuid))
    return comparison


def compare_off(host, survey, server):
    """Look for memory of a server on a host where it does not run.

    :param host: a compute_host.ComputeHost
    :param survey: a survey of it, with that guest
    :param server: the cloud.Server
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, where server %s (%s) must have no memory' % (
            host.name, server.uuid, server.status), host.name, server.uuid)
    _compare_off(comparison, host, survey, server)
    return comparison


def _compare_off(comparison, host, survey, server):
    comparison.equal('kernel', 'QEMU processes', [], [
        process.pid for process in survey.processes.get(server.uuid, [])])
    comparison.equal('file system', 'backing files and directories', [],
                     files_of(host, survey, server))


def compare_held(host, server, held, of_nobody):
    """Look for memory that a move has left in placement.

    :param host: name of a host that the server left, or is on
    :param server: UUID of the server, at rest
    :param held: what its moves still hold, as actions.held_by_migrations
        tells it
    :param of_nobody: as cloud.Cloud.memory_of_nobody tells it of the host,
        without what was so before
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, after a move of server %s' % (host, server), host, server)
    comparison.equal('placement', 'held by migrations of the server', {},
                     held)
    comparison.equal(
        'placement', 'MEMORY_MB held beside the flavors of its servers', {},
        of_nobody)
    return comparison


def _has_domain(host, server):
    try:
        host.libvirt.xml(server)
    except exceptions.DomainGone:
        return False
    return True


def files_of(host, survey, server):
    """Find a server's files and directories, wherever libvirt makes some.

    Guests of other cells may be called alike: those that run are known.

    :param host: a compute_host.ComputeHost
    :param survey: a survey of it
    :param server: the cloud.Server
    :returns: list of paths
    """
    others = {directory for guest, directory
              in host.libvirt.running().items() if guest != server.uuid}
    return [path for path in survey.files if is_of(path, server.domain)
            and others.isdisjoint(path.split(posixpath.sep))]


def is_of(path, domain):
    """Tell whether a path is that of a domain's file, or directory.

    :param path: a path below where libvirt makes them
    :param domain: the name of the domain
    """
    # libvirt's directories are called after the domain, with its number.
    return any(part == domain or part.endswith('-' + domain)
               for part in path.split(posixpath.sep))


def compare_untouched(evidence, pids, held):
    """Compare a server with what it was before a refused move.

    :param evidence: collect.Evidence of the server
    :param pids: its QEMU processes before
    :param held: what the move still holds in placement, as
        actions.held_by_migrations tells it
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, server %s, after a refusal' % (
            evidence.host, evidence.server.uuid),
        evidence.host, evidence.server.uuid)
    comparison.equal('kernel', 'QEMU processes', pids,
                     [process.pid for process in evidence.processes])
    comparison.equal(
        'placement', 'MEMORY_MB allocated, by provider',
        {evidence.provider and evidence.provider.uuid: evidence.ram_mib},
        evidence.allocated)
    comparison.equal('placement', 'held by migrations', {}, held)
    return comparison
