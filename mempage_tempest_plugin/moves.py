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

"""What moves, done or refused, must leave behind: nothing."""

import posixpath

from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin import facts
from mempage_tempest_plugin.hosts import domains

# Seconds that Nova may need to write down how an action ended, after the
# server is free for the next one.
RECORD_TIMEOUT = 10


def refusal(client, server, request_id):
    """Get from the record of a server's actions why one was refused.

    :param client: Tempest's servers client of an administrator
    :param server: UUID of the server
    :param request_id: the ID of the request that started the action
    :returns: what Nova wrote about the parts that failed; empty if none did
    """
    events = []

    def have_ended():
        events[:] = _events(client, server, request_id)
        return not _unfinished(events)

    test_utils.call_until_true(have_ended, RECORD_TIMEOUT, 1)
    return '\n'.join(event['details'] or '' for event in events
                     if event['result'] == 'Error')


def _unfinished(events):
    """Tell which events have not ended yet.

    An event that happens again, on the next host, stays without an end: Nova
    writes it into the record of the first one (event_finish finds it by its
    name).
    """
    failed = {event['event'] for event in events
              if event['result'] == 'Error'}
    return {event['event'] for event in events
            if event['result'] is None} - failed


def builds(client, server):
    """Look up which hosts were asked to build a server, in turn.

    :param client: Tempest's servers client of an administrator
    :param server: UUID of the server
    :returns: list of hosts of services; Nova does not record with what success
    """
    [created] = [action for action in client.list_instance_actions(server)[
        'instanceActions'] if action['action'] == 'create']
    # nova.db.main.api.action_events_get has the newest first. Their times are
    # full seconds: two hosts may have been asked in the same one.
    events = reversed(_events(client, server, created['request_id']))
    return [event['host'] for event in events
            if event['event'] == 'compute__do_build_and_run_instance']


def _events(client, server, request_id):
    return client.show_instance_action(server, request_id)[
        'instanceAction']['events']


def compare_absent(host, server, api):
    """Look for a server on a host where it must not be.

    :param host: a compute_host.ComputeHost
    :param server: UUID of the server
    :param api: a cloud.Cloud
    :returns: a facts.Comparison
    """
    provider = api.provider(host.name)
    comparison = facts.Comparison('host %s, where server %s must not be' % (
        host.name, server))
    comparison.equal('libvirt', 'domain', False, _has_domain(host, server))
    _compare_off(comparison, host.survey(guests=[server]), api.server(server))
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
            host.name, server.uuid, server.status))
    _compare_off(comparison, survey, server)
    return comparison


def _compare_off(comparison, survey, server):
    comparison.equal('kernel', 'QEMU processes', [], [
        process.pid for process in survey.processes.get(server.uuid, [])])
    comparison.equal('file system', 'backing files and directories', [],
                     files_of(survey, server))


def _has_domain(host, server):
    try:
        host.domain_xml(server)
    except domains.DomainGone:
        return False
    return True


def files_of(survey, server):
    """Find a server's files and directories below the backing directory.

    :param survey: a survey of a host
    :param server: the cloud.Server
    :returns: list of paths
    """
    return [path for path in survey.files if _is_of(path, server.domain)]


def _is_of(path, domain):
    # libvirt's directories are called after the domain, with its number.
    return any(part == domain or part.endswith('-' + domain)
               for part in path.split(posixpath.sep))


def compare_untouched(evidence, pids, held):
    """Compare a server with what it was before a refused move.

    :param evidence: evidence.Evidence of the server
    :param pids: its QEMU processes before
    :param held: what the move still holds in placement, as
        :func:`held_by_migrations` tells it
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, server %s, after a refusal' % (
        evidence.host.name, evidence.server.uuid))
    comparison.equal('kernel', 'QEMU processes', pids,
                     [process.pid for process in evidence.processes])
    comparison.equal(
        'placement', 'MEMORY_MB allocated, by provider',
        {evidence.provider and evidence.provider.uuid: evidence.ram_mib},
        evidence.allocated)
    comparison.equal('placement', 'held by migrations', {}, held)
    return comparison


def held_by_migrations(client, server, api):
    """Look up what migrations of a server hold in placement.

    :param client: Tempest's migrations client
    :param server: UUID of the server
    :param api: a cloud.Cloud
    :returns: dict of allocations by the UUID of the migration
    """
    migrations = client.list_migrations(instance_uuid=server)['migrations']
    held = {each['uuid']: api.allocated_memory(each['uuid'])
            for each in migrations}
    return {uuid: allocated for uuid, allocated in held.items() if allocated}
