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

"""Quotas of a project that tests lift for a while."""

import contextlib
import dataclasses
import glob
import json
import os

import fasteners
from oslo_log import log as logging
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin import exceptions

LOG = logging.getLogger(__name__)

_UNLIMITED = -1
# Seconds after which one who waits says so, and says it again.
_PATIENCE = 10
# Security group rules for each server that is reached.
_RULES = 8


@dataclasses.dataclass(frozen=True)
class _Service:
    """How a service shows and sets quotas.

    :ivar client: name of its client in Tempest's client manager
    :ivar show: name of the client's method that shows limits and what is used
    :ivar arguments: its arguments after the project
    :ivar update: name of the client's method that sets limits
    :ivar key: that of the answer
    :ivar used: keys of what counts as used
    """

    client: str
    show: str
    arguments: dict
    update: str
    key: str
    used: tuple


_SERVICES = {
    'compute': _Service('quotas_client', 'show_quota_set', {'detail': True},
                        'update_quota_set', 'quota_set',
                        ('in_use', 'reserved')),
    'network': _Service('network_quotas_client', 'show_quota_details', {},
                        'update_quotas', 'quota', ('used', 'reserved')),
}


class Quotas:
    """The quotas that a service has for a project.

    Before they are lifted, the limits are written to a file: whoever finds
    it knows that the limits of the service are not the project's own.

    :param manager: Tempest's client manager of an administrator
    :param service: name of the service
    :param lock_path: directory of the file
    :param project: UUID of the project; that of the manager if not given
    """

    def __init__(self, manager, service, lock_path, project=None):
        self._name = service
        self._service = _SERVICES[service]
        self._client = getattr(manager, self._service.client)
        self.project = project or self._client.tenant_id
        self._path = os.path.join(lock_path, 'mempage-quotas-%s-%s' % (
            service, self.project))
        self._lock = fasteners.InterProcessLock(self._path + '.lock')

    def lacking(self, needed):
        """Tell which limits leave too little.

        :param needed: dict of numbers by the name of the quota
        :returns: dict of the limits by name
        """
        shown = self._shown()
        limits = self._limits(shown, needed)
        return {name: limit for name, limit in limits.items()
                if 0 <= limit < needed.get(name, 0) + sum(
                    shown[name].get(key, 0) for key in self._service.used)}

    def _limits(self, shown, names):
        """Tell the project's own limits.

        :param shown: what the service shows
        :param names: of the quotas; a service may lack some
        """
        return {**{name: shown[name]['limit'] for name in names
                   if name in shown}, **self._kept()}

    def _shown(self):
        return getattr(self._client, self._service.show)(
            self.project, **self._service.arguments)[self._service.key]

    def _kept(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self._path, encoding='utf-8') as stream:
                return json.load(stream)
        return {}

    def lift(self, names):
        """Lift limits, as soon as nobody else has lifted any.

        Others would take the limits of that time for the project's own, and
        put them back for ever.

        :param names: of the quotas
        :raises QuotaNotLifted: if the service ignores it, as Nova does with
            limits that Keystone has; nothing is changed then
        """
        while not self._lock.acquire(timeout=_PATIENCE):
            LOG.info('waiting for the quotas of project %s, which others have '
                     'lifted', self.project)
        with contextlib.ExitStack() as failed:
            failed.callback(self._lock.release)
            limits = self._limits(self._shown(), names)
            self._keep(limits)
            self._set(dict.fromkeys(limits, _UNLIMITED))
            self._check_lifted(limits)
            failed.pop_all()

    def _check_lifted(self, limits):
        shown = self._shown()
        ignored = {name: shown[name]['limit'] for name in limits
                   if shown[name]['limit'] != _UNLIMITED}
        if ignored:
            self.remove()
            raise exceptions.QuotaNotLifted(self._name, self.project, ignored)

    def _keep(self, limits):
        with open(self._path + '.new', 'w', encoding='utf-8') as stream:
            json.dump(limits, stream)
        os.rename(self._path + '.new', self._path)

    def put_back(self):
        """Put back the limits that were lifted."""
        try:
            self.remove()
        finally:
            self._lock.release()

    def remove(self):
        """Put back the limits that somebody has left who was killed."""
        # The project itself may be gone.
        with contextlib.suppress(lib_exc.NotFound, lib_exc.BadRequest):
            self._set(self._kept())
        os.unlink(self._path)

    def _set(self, limits):
        # Even if more is used, by servers that a killed run has left.
        getattr(self._client, self._service.update)(
            self.project, force=True, **limits)


@contextlib.contextmanager
def room(manager, lock_path, servers, flavor, reached=False):
    """Make room for servers in the quotas of a project, for a while.

    Where it is there already, nothing is changed.

    :param manager: Tempest's client manager of an administrator
    :param lock_path: directory that all who use the project share
    :param servers: how many at the same time; math.inf if nobody knows
    :param flavor: theirs, as the API shows it
    :param reached: whether they are reached over a network
    :raises QuotaNotLifted: if a service ignores it
    """
    needed = {'compute': {
        'instances': servers, 'cores': servers * flavor['vcpus'],
        'ram': servers * flavor['ram']}}
    if reached:
        needed['compute']['key_pairs'] = servers
        needed['network'] = {
            'port': servers, 'floatingip': servers,
            'security_group': servers,
            'security_group_rule': _RULES * servers}
    with contextlib.ExitStack() as lifted:
        for service, numbers in needed.items():
            quotas = Quotas(manager, service, lock_path)
            if quotas.lacking(numbers):
                quotas.lift(numbers)
                lifted.callback(quotas.put_back)
        yield


def left(manager, lock_path):
    """Find quotas that somebody has lifted and not put back.

    :param manager: Tempest's client manager of an administrator
    :param lock_path: directory of their files
    :returns: list of :class:`Quotas`
    """
    found = []
    for service in _SERVICES:
        begin = os.path.join(lock_path, 'mempage-quotas-%s-' % service)
        found += [Quotas(manager, service, lock_path, path[len(begin):])
                  for path in sorted(glob.glob(glob.escape(begin) + '*'))
                  if not path.endswith(('.lock', '.new'))]
    return found
