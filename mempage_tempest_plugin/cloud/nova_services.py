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

"""What the compute API knows of nova-compute on hosts."""

import contextlib
import dataclasses
import datetime
import functools
import json

import fixtures
from tempest.lib.common import api_version_request
from tempest.lib import exceptions as lib_exc
from tempest.lib.services.compute import base_compute_client
import urllib3

# The first version in which a hypervisor itself shows its uptime, and nothing
# else does.
UPTIME_IN_HYPERVISOR = '2.88'
# A version in which hypervisors have UUIDs, and still show what is used.
USAGE_IN_HYPERVISOR = '2.53'
BINARY = 'nova-compute'
NEVER = '1970-01-01'
# Seconds: less than any service_down_time that tests could be run with.
RECENT = 10


@dataclasses.dataclass(frozen=True)
class Report:
    """The last time that a service told that it lives, as nova shows it.

    :ivar updated_at: when that was; None for never
    :ivar behind: how many seconds before the latest report of any service
    """

    state: str
    updated_at: str
    behind: float

    def is_newer_than(self, before):
        """Tell whether the service lives, and has told it since.

        :param before: an earlier :class:`Report` of the same service
        """
        return self.state == 'up' and self.updated_at != before.updated_at


class ComputeServices:
    """Questions to the compute API about nova-compute.

    :param manager: Tempest's client manager of an administrator
    """

    def __init__(self, manager):
        self._services = manager.services_client
        self._hypervisors = manager.hypervisor_client
        self._versions = manager.compute_versions_client

    def knows(self, microversion):
        """Tell whether the cloud knows a version of the compute API.

        :param microversion: the version
        """
        found = self._versions.list_versions()['versions']
        return any(_is_at_least(each['version'], microversion)
                   for each in found if each.get('version'))

    def host_of(self, hypervisor):
        """Look up the name under which nova-compute is registered.

        :param hypervisor: hypervisor_hostname
        :returns: the service's host, which aggregates have too
        :raises KeyError: if nova knows no such hypervisor
        """
        return self._all[hypervisor]['service']['host']

    def version_of(self, hypervisor):
        """Tell the version of a hypervisor, by which Nova allows moves.

        :param hypervisor: hypervisor_hostname
        :returns: as 10.0.8
        :raises KeyError: if nova knows no such hypervisor
        """
        found = self._all[hypervisor]['hypervisor_version']
        return '%d.%d.%d' % (found // 10**6, found // 10**3 % 10**3,
                             found % 10**3)

    def answers(self, hypervisor):
        """Ask nova-compute something that nobody else can answer.

        Nova does not ask if it has not reported for too long.

        :param hypervisor: hypervisor_hostname
        :returns: whether it answered before Nova had enough of waiting (a
            minute)
        :raises KeyError: if nova knows no such hypervisor
        """
        identifier = self._all[hypervisor]['id']
        try:
            if _speaks(UPTIME_IN_HYPERVISOR):
                found = self._hypervisors.show_hypervisor(identifier)
            else:
                found = self._hypervisors.show_hypervisor_uptime(identifier)
        except (lib_exc.BadRequest, lib_exc.ServerFault,
                urllib3.exceptions.HTTPError):
            return False
        return found['hypervisor']['uptime'] is not None

    def is_up_again(self, hypervisor, before):
        """Tell whether nova-compute works, and counts as up for a while.

        It works if it answers. Its next report would come seconds later:
        that is asked for only where Nova would soon take it for down without.

        :param hypervisor: hypervisor_hostname
        :param before: its :class:`Report` when it was not up for sure
        :raises KeyError: if nova knows no such hypervisor
        """
        if not self.answers(hypervisor):
            return False
        report = self.report(self.host_of(hypervisor))
        return report.is_newer_than(before) or (
            report.state == 'up' and report.behind < RECENT)

    def used_memory(self, hypervisor):
        """Look up how much memory nova-compute takes for used.

        That is what is reserved, and what its guests have. The guest of a
        move that was deleted counts until nova-compute looks again at what it
        has, by default once a minute: the destination knows it by its
        migration only (ResourceTracker.update_usage).

        :param hypervisor: hypervisor_hostname
        :returns: MiB
        :raises KeyError: if nova knows no such hypervisor
        """
        with speaking(USAGE_IN_HYPERVISOR):
            return self._hypervisors.show_hypervisor(
                self._all[hypervisor]['id'])['hypervisor']['memory_mb_used']

    @functools.cached_property
    def _all(self):
        """Hypervisors by their names; what is used of them never changes."""
        # Tempest's schema of 2.88 and later knows none that have an uptime.
        _, body = self._hypervisors.get('os-hypervisors/detail')
        found = json.loads(body)['hypervisors']
        return {each['hypervisor_hostname']: each for each in found}

    def report(self, host):
        """Look up when a service told last that it lives.

        :param host: the service's host
        :returns: a :class:`Report`
        """
        # Nova reads all of them, whichever it is asked for.
        services = self._services.list_services()['services']
        [found] = [each for each in services
                   if (each['binary'], each['host']) == (BINARY, host)]
        latest = max(_time_of(each) for each in services)
        return Report(found['state'], found['updated_at'],
                      (latest - _time_of(found)).total_seconds())

    def force_down(self, host, down):
        """Tell nova to take a service for down, or to look for itself.

        :param host: the service's host
        :param down: whether it counts as down
        """
        self._services.update_service(self._show(host)['id'],
                                      forced_down=down)

    def _show(self, host):
        return self._services.list_services(
            binary=BINARY, host=host)['services'][0]


@contextlib.contextmanager
def speaking(microversion):
    """Speak another version of the compute API for a while.

    Tempest knows one version for all threads: no other may make requests of
    the compute API meanwhile.

    :param microversion: the version
    """
    # Tempest's APIMicroversionFixture sets none at its end, and not the one
    # that the class of the test speaks.
    with fixtures.MonkeyPatch(
            'tempest.lib.services.compute.base_compute_client.'
            'COMPUTE_MICROVERSION', microversion):
        yield


def _time_of(service):
    return datetime.datetime.fromisoformat(service['updated_at'] or NEVER)


def _speaks(microversion):
    """Tell whether requests are of at least that version of the API."""
    return _is_at_least(base_compute_client.COMPUTE_MICROVERSION,
                        microversion)


def _is_at_least(version, other):
    return (api_version_request.APIVersionRequest(version)
            >= api_version_request.APIVersionRequest(other))
