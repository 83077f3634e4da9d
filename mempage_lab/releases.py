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

"""The releases of OpenStack that a lab can be made of."""

import dataclasses

from mempage_lab import paths

#: Where OpenStack publishes the versions that a release was tested with.
UPPER_CONSTRAINTS = 'https://releases.openstack.org/constraints/upper/%s'
#: WSGI module of each API: see :attr:`Release.wsgi`.
WSGI = {'keystone': 'keystone.wsgi.api:application',
        'glance-api': 'glance.wsgi.api:application',
        'placement': 'placement.wsgi.api:application',
        'neutron-api': 'neutron.wsgi.api:application',
        'nova-api': 'nova.wsgi.osapi_compute:application'}


@dataclasses.dataclass(frozen=True)
class Release:
    """One release of OpenStack.

    :ivar name: such as ``2025.1``
    :ivar series: the major version of each of its parts
    :ivar python: the oldest and the newest minor version of Python 3 that it
        runs on; it was tested on those by OpenStack
    :ivar processes: in how many processes an API runs that eventlet has
        patched: each takes one request at a time. The others run in threads.
    :ivar wsgi: WSGI callable of each API that uWSGI runs, as uWSGI names it
    :ivar servers: program of each of the other APIs: it serves the API by
        itself, and does the work of its service's workers
    """
    name: str
    series: dict
    python: tuple
    processes: dict = dataclasses.field(default_factory=dict)
    wsgi: dict = dataclasses.field(default_factory=lambda: WSGI)
    servers: dict = dataclasses.field(default_factory=dict)

    @property
    def constraints(self):
        """The file with the versions that are installed."""
        return paths.PACKAGE / 'constraints' / (self.name + '.txt')

    @property
    def requirements(self):
        """Its parts in the words of pip."""
        return ['%s~=%d.0' % part for part in self.series.items()]

    def runs_on(self, system):
        """Tell whether it runs on the Python of a system.

        :param system: a :class:`mempage_lab.systems.System`
        """
        oldest, newest = self.python
        return oldest <= system.python <= newest


def _series(keystone, glance, placement, neutron, nova, manila):
    return {'keystone': keystone, 'glance': glance,
            'openstack-placement': placement, 'neutron': neutron,
            'nova': nova, 'manila': manila}


#: Of 2024.2 only Keystone has a module for its API, the others scripts.
_SCRIPTS = {
    'keystone': WSGI['keystone'],
    'glance-api': 'glance.common.wsgi_app:init_app()',
    'placement': 'placement.wsgi:init_application()',
    'nova-api': 'nova.api.openstack.compute.wsgi:init_application()'}
_NOVA = {'nova-api': 3}
# Under uWSGI, a Neutron that eventlet has patched hears of OVN's events only
# while it is asked.
_NEUTRON_SERVER = {'neutron-api': 'neutron-server'}
RELEASES = {release.name: release for release in (
    Release('2024.2', _series(26, 29, 12, 25, 30, 19), (9, 12),
            _NOVA, _SCRIPTS, _NEUTRON_SERVER),
    Release('2025.1', _series(27, 30, 13, 26, 31, 20), (9, 12), _NOVA),
    Release('2025.2', _series(28, 31, 14, 27, 32, 21), (10, 13), _NOVA),
    Release('2026.1', _series(29, 32, 15, 28, 33, 22), (10, 13)),
    Release('2026.2', _series(30, 33, 16, 29, 34, 23), (11, 13)))}
NEWEST = RELEASES['2026.2']
