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

"""The node of shared file systems: Manila, and the Ceph that it hands out."""

import functools
import shutil

from openstack import exceptions

from mempage_lab import apis
from mempage_lab import ceph
from mempage_lab import cloud
from mempage_lab import errors
from mempage_lab import installation
from mempage_lab import node
from mempage_lab import program
from mempage_lab import secrets
from mempage_lab import switch
from mempage_lab import templates
from mempage_lab import wait

NAME = 'shares'
#: Its number among the nodes, and the last octet of its address.
NUMBER = 4
API = 'manila-api'
#: Each worker of Manila's with what it logs once it can be used.
WORKERS = {'manila-scheduler': 'Starting manila-scheduler node',
           'manila-share': 'Starting manila-share node'}
SHARE_TYPE = 'mempage'
CONF = '/etc/manila/manila.conf'
WSGI = 'manila.wsgi.api:application'
# eventlet has patched it: each takes one request at a time.
PROCESSES = 2
#: How the API of old clients is asked for: without a project.
_CATALOGUE = ('shared-file-system', '/v2')
_MICROVERSION = '2.82'
# See PATCHES of installation.py.
_PATCHES = (
    # A share service tells the scheduler what room there is when it starts,
    # and once a minute. If both start together, that is when it is heard.
    ('manila/manager.py',
     '    @periodic_task.periodic_task\n'
     '    def _publish_service_capabilities(self, context):\n',
     '    @periodic_task.periodic_task(spacing=CONF.periodic_interval)\n'
     '    def _publish_service_capabilities(self, context):\n', ''),
    # Whoever asks for the pools before that gets what was known then, until
    # somebody creates a share.
    ('manila/scheduler/host_manager.py',
     '        if not cached or not self.host_state_map:\n',
     '        if True:\n', ''))
#: Seconds until Ceph can store something, and Manila has noticed.
LIMIT = 120


class Manila(installation.Installation):
    """Manila of one release, in an environment of its own."""

    distributions = ('manila', 'pyuwsgi', 'mysqlclient', 'python-memcached',
                     'setuptools<81')
    patches = _PATCHES
    kind = 'manila'

    def _finish(self):
        """Let it see the two modules of Ceph's that only Debian has."""
        [site] = self.venv.glob('lib/python3*/site-packages')
        packages = self.system.seen('/usr/lib/python3/dist-packages')
        for pattern in ('rados.*.so', 'ceph_argparse.py'):
            [module] = packages.glob(pattern)
            (site / module.name).symlink_to(
                '/usr/lib/python3/dist-packages/' + module.name)


def manila(topology):
    """Return the :class:`Manila` of a topology."""
    return Manila(topology.release, True,
                  topology.system_named(switch.SYSTEM))


class Shares:
    """That node and what runs in it.

    :param topology: a :class:`mempage_lab.topology.Topology`
    """

    def __init__(self, topology):
        self.topology = topology
        self.node = node.Node(NAME, NUMBER, str(topology.management[NUMBER]),
                              manila(topology))

    def programs(self):
        """Return the node's :class:`mempage_lab.program.Program` objects."""
        yield from ceph.programs()
        venv = self.node.installation.venv
        path = 'PATH="%s"' % self.node.installation.search_path
        yield program.Program(
            API, '%s/bin/pyuwsgi --ini /etc/uwsgi/%s.ini' % (venv, API),
            environment=path, autostart=False)
        for worker in WORKERS:
            yield program.Program(
                worker, '%s/bin/%s --config-file %s' % (venv, worker, CONF),
                environment=path, autostart=False)

    def start(self, hosts):
        """Start the node with Ceph, but without Manila.

        :param hosts: dict of all nodes' names to their addresses
        """
        if self.node.pid:
            self.node.wait_for_supervisor()
            return
        self.node.prepare()
        self._write_configuration()
        self.node.start(list(self.programs()), hosts, templates.render(
            'shares-setup.sh', keyring=ceph.KEYRING))

    def _write_configuration(self):
        ceph.write(self.node, templates.render)
        shutil.copytree(self.node.installation.venv / 'etc' / 'manila',
                        self.node.private('/etc/manila'), dirs_exist_ok=True)
        self.node.write(CONF, templates.render(
            'manila.conf', node=self.node, secrets=secrets.load(),
            controller=self.topology.controller, filesystem=ceph.NAME,
            share_type=SHARE_TYPE), mode=0o600)
        self.node.write('/etc/uwsgi/%s.ini' % API, templates.render(
            'uwsgi.ini', node=self.node, controller=self.node.address,
            module=WSGI, port=apis.PORTS['manila'],
            processes=PROCESSES),
            mode=0o600)

    def make_filesystem(self):
        """Make the file system that shares are parts of."""
        self.node.wait_for('ceph-mon', lambda: self.node.run(
            'ceph', '--connect-timeout', '5', 'mon', 'stat'))
        self.node.run(ceph.MAKE)

    def make_database(self):
        """Make Manila's database, or migrate it."""
        self.node.run(
            self.node.installation.venv / 'bin' / 'manila-manage',
            '--config-file', CONF, 'db', 'sync')

    def register(self, connection):
        """Make Manila's account and its entry in the catalogue.

        :param connection: one to the cloud as its administrator
        """
        kind, path = _CATALOGUE
        cloud.register_service(
            connection, 'manila', kind,
            apis.url(self.node.address, 'manila', path))

    def start_api(self):
        """Start Manila's API and wait until it answers."""
        self.node.start_program(API)
        self.node.wait_for(API, apis.answers(self.node.address,
                                             apis.PORTS['manila']))

    def start_worker(self, name):
        """Start one of Manila's workers and wait for it."""
        self.node.start_program(name)
        self.node.wait_for(name, lambda: WORKERS[name] in self.node.log(
            name).read_text())

    def make_share_type(self, connection):
        """Make the type of share that users get who name none.

        :param connection: one to the cloud as its administrator
        """
        known = _listed(connection, '/types', 'share_types')
        if SHARE_TYPE not in [each['name'] for each in known]:
            exceptions.raise_from_response(connection.shared_file_system.post(
                '/types', microversion=_MICROVERSION, json={'share_type': {
                    'name': SHARE_TYPE, 'extra_specs': {
                        'driver_handles_share_servers': False},
                    'share_type_access:is_public': True}}))

    def wait_until_usable(self, connection):
        """Wait until Manila's scheduler has heard of the file system.

        :param connection: one to the cloud as its administrator
        :raises LabError: with the end of the service's log
        """
        if not wait.until(functools.partial(are_usable, connection), LIMIT,
                          0.5):
            raise errors.LabError(self.node.explain('manila-share'))


def are_usable(connection):
    """Tell whether Manila's scheduler knows where to make shares.

    :param connection: one to the cloud as its administrator
    """
    # A scheduler that does not listen yet would be waited for a minute, and a
    # new one counts as up before it has ever told so.
    up = {service['binary'] for service in _listed(
        connection, '/services', 'services')
        if service['state'] == 'up' and service['updated_at']}
    return bool(up.issuperset(WORKERS) and _listed(
        connection, '/scheduler-stats/pools', 'pools'))


def _listed(connection, path, key):
    found = connection.shared_file_system.get(path,
                                              microversion=_MICROVERSION)
    exceptions.raise_from_response(found)
    return found.json()[key]
