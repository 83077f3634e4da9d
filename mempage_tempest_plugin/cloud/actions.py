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

from tempest.lib.common.utils import test_utils

# Seconds that Nova may need to write down how an action ended, after the
# server is free for the next one.
RECORD_TIMEOUT = 10
# Seconds until it has given back what it held for a server that failed: it
# says ERROR, and then does that.
GIVE_BACK_TIMEOUT = 30


def refusal(client, server, request_id, limit):
    """Get from the record of a server's actions why one was refused.

    :param client: Tempest's servers client of an administrator
    :param server: UUID of the server
    :param request_id: the ID of the request that started the action
    :param limit: as of servers.Servers
    :returns: what Nova wrote about the parts that failed; empty if none did
    """
    events = []

    def have_ended():
        events[:] = _events(client, server, request_id)
        return not _unfinished(events)

    test_utils.call_until_true(have_ended, limit(RECORD_TIMEOUT), 1)
    return '\n'.join(event['details'] or '' for event in _failed(events))


def last_failure(client, server):
    """Get what went wrong in the latest action of a server.

    :param client: Tempest's servers client of an administrator
    :param server: UUID of the server
    :returns: one line; empty if nothing did. Nova keeps 255 characters of
        each error
    """
    latest = max(client.list_instance_actions(server)['instanceActions'],
                 key=lambda action: action['start_time'], default=None)
    if not latest:
        return ''
    return '; '.join(
        '%s: %s' % (event['event'], ' '.join(
            (event.get('details') or 'not recorded').split()))
        for event in _failed(_events(client, server, latest['request_id'])))


def _failed(events):
    return [event for event in events if event['result'] == 'Error']


def _unfinished(events):
    """Tell which events have not ended yet.

    An event that happens again, on the next host, stays without an end: Nova
    writes it into the record of the first one (event_finish finds it by its
    name).
    """
    failed = {event['event'] for event in _failed(events)}
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


def migration_status(client, server):
    """Look up how the latest migration of a server stands.

    :param client: Tempest's migrations client
    :param server: UUID of the server
    :returns: the status of its record; empty if there is none
    """
    migrations = client.list_migrations(instance_uuid=server)['migrations']
    latest = max(migrations, key=lambda each: each['id'], default=None)
    return latest['status'] if latest else ''


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


def left_allocated(server, api, limit):
    """Look up what a server still holds in placement that was refused.

    :param server: its UUID
    :param api: a cloud.Cloud
    :param limit: as of servers.Servers
    :returns: dict of MiB by provider UUID; it is empty as soon as Nova has
        given all back
    """
    test_utils.call_until_true(lambda: not api.allocated_memory(server),
                               limit(GIVE_BACK_TIMEOUT), 1)
    return api.allocated_memory(server)
