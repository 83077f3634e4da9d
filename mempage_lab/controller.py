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

"""The controller: databases, message broker, and every OpenStack API."""

import base64
import concurrent.futures
import functools
import hashlib
import os
import pathlib
import shutil
import socket

import bcrypt

from mempage_lab import apis
from mempage_lab import cloud
from mempage_lab import files
from mempage_lab import node
from mempage_lab import paths
from mempage_lab import program
from mempage_lab import secrets
from mempage_lab import templates

NAME = 'controller'
#: Port of each API.
APIS = {
    'keystone': apis.PORTS['keystone'],
    'glance-api': apis.PORTS['glance'],
    'placement': apis.PORTS['placement'],
    'neutron-api': apis.PORTS['neutron'],
    'nova-api': apis.PORTS['nova'],
}
#: Each worker with what it logs once it can be used.
WORKERS = {
    'nova-conductor': 'Starting conductor node',
    'nova-scheduler': 'Starting scheduler node',
    'neutron-ovn-maintenance-worker': '',
}
#: What nova-scheduler asks, and what Tempest may rely on.
SCHEDULER_FILTERS = (
    'ComputeFilter', 'ComputeCapabilitiesFilter', 'ImagePropertiesFilter',
    'ServerGroupAntiAffinityFilter', 'ServerGroupAffinityFilter',
    'SameHostFilter', 'DifferentHostFilter', 'NUMATopologyFilter')
#: That of the project's extension.
EXTENSION_FILTERS = ('AggregateMemoryBackingFilter',)
#: Database users, each with the databases that it owns.
DATABASES = {'keystone': ['keystone'], 'glance': ['glance'],
             'placement': ['placement'], 'neutron': ['neutron'],
             'nova': ['nova_api', 'nova_cell0', 'nova_cell1']}
#: A cell's connections are the ones that nova.conf has, so that a migrated
#: database holds no secret and serves any lab.
CELL = '{scheme}://{username}:{password}@{hostname}/%s?{query}'
NOVA_MIGRATIONS = (
    ['api_db', 'sync'],
    ['cell_v2', 'map_cell0', '--database_connection', CELL % 'nova_cell0'],
    ['cell_v2', 'create_cell', '--name', 'cell1', '--database_connection',
     CELL % 'nova_cell1', '--transport-url',
     '{scheme}://{username}:{password}@{hostname}:{port}/'],
    ['db', 'sync'],
)
DATADIR = '/var/lib/mysql'


def scheduler_filters(topology):
    """Return the names of the filters that nova-scheduler asks."""
    if topology.stock:
        return SCHEDULER_FILTERS
    return SCHEDULER_FILTERS + EXTENSION_FILTERS


def _service(program_name):
    return program_name.split('-')[0]


class Controller:
    """The controller's node and what runs in it.

    :param topology: a :class:`mempage_lab.topology.Topology`
    :param name: its host name
    :param number: its number among the nodes, and the last octet of its
        address
    """

    def __init__(self, topology, name=NAME, number=2):
        self.topology = topology
        self.node = node.Node(name, number, str(topology.management[number]),
                              topology.installation())
        self.venv = self.node.installation.venv

    def programs(self):
        """Return the controller's :class:`Program` objects."""
        ip = self.node.address
        yield program.Program('mariadb', '/usr/sbin/mariadbd '
                              '--defaults-file=/etc/mysql/lab.cnf')
        yield program.Program(
            'rabbitmq', '/usr/lib/rabbitmq/bin/rabbitmq-server',
            user='rabbitmq',
            environment='HOME="/var/lib/rabbitmq",'
            'RABBITMQ_NODENAME="rabbit@localhost",'
            'RABBITMQ_CONFIG_FILE="/etc/rabbitmq/lab.conf",'
            'RABBITMQ_LOGS="-",ERL_EPMD_ADDRESS="127.0.0.1",'
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none '
            '+sbwtdio none +S 2:2 -kernel inet_dist_use_interface '
            '{127,0,0,1}",'
            'RABBITMQ_ENABLED_PLUGINS_FILE="/etc/rabbitmq/no_plugins"')
        yield program.Program('memcached', '/usr/bin/memcached -m 64 -u '
                              'nobody -l ' + ip)
        for database, port in (('nb', 6641), ('sb', 6642)):
            yield program.Program(
                'ovsdb-' + database,
                'ovsdb-server --remote=punix:/run/ovn/ovn%(db)s_db.sock '
                '--remote=ptcp:%(port)d:%(ip)s '
                '--unixctl=/run/ovn/ovn%(db)s_db.ctl '
                '/var/lib/ovn/ovn%(db)s_db.db'
                % {'db': database, 'port': port, 'ip': ip})
        yield program.Program(
            'ovn-northd', 'ovn-northd --n-threads=1 '
            '--ovnnb-db=unix:/run/ovn/ovnnb_db.sock '
            '--ovnsb-db=unix:/run/ovn/ovnsb_db.sock '
            '--unixctl=/run/ovn/ovn-northd.ctl')
        for api in APIS:
            server = self._release.servers.get(api)
            yield program.Program(
                api, self._command(server) if server
                else '%s/bin/pyuwsgi --ini /etc/uwsgi/%s.ini'
                % (self.venv, api), environment=self._environment(api),
                autostart=False)
        for worker in self.workers:
            yield program.Program(worker, self._command(worker),
                                  autostart=False)

    @property
    def workers(self):
        """Names of those workers whose work no API does."""
        served = [_service(api) for api in self._release.servers]
        return [name for name in WORKERS if _service(name) not in served]

    @property
    def _release(self):
        return self.node.installation.release

    def _command(self, name):
        service = _service(name)
        return '%s/bin/%s --config-file /etc/%s/%s.conf' % (
            self.venv, name, service, service)

    def _environment(self, api):
        service = _service(api)
        variables = {'PATH': self.node.installation.search_path}
        if service == 'neutron':
            variables['OS_NEUTRON_CONFIG_FILES'] = '/etc/neutron/neutron.conf'
        else:
            variables['OS_%s_CONFIG_DIR' % service.upper()] = \
                '/etc/%s' % service
        return ','.join('%s="%s"' % item for item in variables.items())

    def start(self, hosts):
        """Start the controller's node with its databases and its broker.

        :param hosts: dict of all nodes' names to their addresses
        """
        if self.node.pid:
            self.node.wait_for_supervisor()
            return
        self.node.prepare()
        self._write_configuration()
        self._write_sql(passwords=self._password_hashes())
        files.copy_tree(self._template, self.node.private(DATADIR))
        self.node.start(list(self.programs()), hosts,
                        templates.render('controller-setup.sh'))

    def _write_configuration(self):
        for service in ('nova', 'glance', 'neutron'):
            shutil.copytree(self.venv / 'etc' / service,
                            self.node.private('/etc/' + service),
                            dirs_exist_ok=True)
        values = dict(node=self.node, controller=self.node.address,
                      secrets=secrets.load(), policy=None,
                      scheduler_filters=scheduler_filters(self.topology),
                      shares=self.topology.shares)
        for path, template, extra in (
                ('/etc/keystone/keystone.conf', 'keystone.conf', {}),
                ('/etc/glance/glance-api.conf', 'glance-api.conf', {}),
                ('/etc/placement/placement.conf', 'placement.conf', {}),
                ('/etc/neutron/neutron.conf', 'neutron.conf',
                 {'port': APIS['neutron-api']}),
                ('/etc/nova/nova.conf', 'nova.conf', {}),
                ('/etc/mysql/lab.cnf', 'my.cnf', {}),
                *(('/etc/uwsgi/%s.ini' % api, 'uwsgi.ini',
                   {'port': port, 'module': self._release.wsgi[api],
                    'processes': self._release.processes.get(api)})
                  for api, port in APIS.items()
                  if api in self._release.wsgi)):
            self.node.write(path, templates.render(
                template, **dict(values, **extra)), mode=0o600)
        self.node.write('/etc/rabbitmq/lab.conf', templates.render(
            'rabbitmq.conf', **values), mode=0o600, owner='rabbitmq')
        self.node.write('/etc/rabbitmq/no_plugins', '[].\n')
        for repository in ('fernet-keys', 'credential-keys'):
            for number in (0, 1):
                self._write_key('/etc/keystone/%s/%d' % (repository, number))

    def _write_key(self, path):
        if not self.node.private(path).exists():
            self.node.write(path, base64.urlsafe_b64encode(
                os.urandom(32)).decode(), mode=0o600)

    # The migrations and the catalogue cost a minute and are always the same:
    # they are made once, in a controller of their own. What differs between
    # labs, passwords and addresses, the database replaces when it starts.

    @functools.cached_property
    def _template(self):
        digest = hashlib.sha256(
            self.node.installation.fingerprint.encode())
        for source in (__file__, apis.__file__, cloud.__file__):
            digest.update(pathlib.Path(source).read_bytes())
        return paths.CACHE / ('database-' + digest.hexdigest()[:12])

    def build_template(self):
        """Make the databases that every lab begins with, unless they exist."""
        if self.node.pid or self._template.exists():
            return
        builder = Controller(self.topology, name='template', number=3)
        node.stop(builder.node.name)
        builder.node.remove()
        builder.make_databases()
        files.copy_tree(builder.node.private(DATADIR), self._template)
        node.stop(builder.node.name)
        builder.node.remove()

    def make_databases(self):
        """Make all databases, migrated, with catalogue and accounts."""
        self.node.prepare()
        self._write_configuration()
        self._write_sql(passwords={})
        datadir = self.node.private(DATADIR)
        self.node.installation.system.run(
            'mariadb-install-db', '--user=mysql', '--skip-test-db',
            '--datadir=%s' % datadir, visible=[datadir.parent])
        self.node.start(list(self.programs()),
                        {self.node.name: self.node.address},
                        templates.render('controller-setup.sh'))
        self.start_database()
        self._migrate()
        self._bootstrap()
        self.start_api('keystone')
        cloud.register_services(cloud.connect(self.node.address),
                                self.node.address)
        self.node.supervisor.stopProcess('mariadb')

    def start_database(self):
        """Wait for the database."""
        self.node.wait_for('mariadb', self._greets)

    def _migrate(self):
        binaries = self.venv / 'bin'
        commands = {
            'keystone': [['keystone-manage', 'db_sync']],
            'glance': [['glance-manage', 'db_sync']],
            'placement': [['placement-manage', 'db', 'sync']],
            'neutron': [['neutron-db-manage', 'upgrade', 'heads']],
            'nova': [['nova-manage', *words] for words in NOVA_MIGRATIONS]}

        def migrate(service):
            for command, *words in commands[service]:
                self.node.run(binaries / command, '--config-file',
                              self._main_config(service), *words)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(migrate, commands))

    def _main_config(self, service):
        name = {'glance': 'glance-api'}.get(service, service)
        return '/etc/%s/%s.conf' % (service, name)

    def _bootstrap(self):
        url = apis.url(self.node.address, 'keystone', '/v3')
        self.node.run(
            self.venv / 'bin' / 'keystone-manage', 'bootstrap',
            '--bootstrap-region-id', 'RegionOne',
            '--bootstrap-public-url', url, '--bootstrap-internal-url', url,
            '--bootstrap-admin-url', url,
            env=dict(os.environ,
                     OS_BOOTSTRAP_PASSWORD=secrets.load()['admin']))

    def _password_hashes(self):
        """Return what Keystone keeps of the passwords of its users."""
        return {user: bcrypt.hashpw(secrets.load()[user].encode(),
                                    bcrypt.gensalt(4)).decode()
                for user in ('admin', *cloud.SERVICES)}

    def _write_sql(self, passwords):
        shares = {'manila': ['manila']} if self.topology.shares else {}
        self.node.write('/etc/mysql/lab.sql', templates.render(
            'lab.sql', databases={**DATABASES, **shares}, passwords=passwords,
            password=secrets.load()['database'],
            controller=self.node.address), mode=0o600, owner='mysql')

    def start_broker(self):
        """Wait for the message broker."""
        self.node.wait_for('rabbitmq', self._broker_answers)

    def start_api(self, api):
        """Start an API and wait until it answers."""
        self.node.start_program(api)
        self.node.wait_for(api, apis.answers(self.node.address, APIS[api]))

    def start_worker(self, name):
        """Start one of nova's or neutron's workers and wait for it.

        A nova-compute that calls the conductor before it listens waits for
        10 s before it calls again.
        """
        self.node.start_program(name)
        self.node.wait_for(name, lambda: WORKERS[name] in self.node.log(
            name).read_text())

    def _greets(self):
        with socket.create_connection((self.node.address, 3306),
                                      2) as stream:
            return stream.recv(1)

    def _broker_answers(self):
        with socket.create_connection((self.node.address, 5672),
                                      2) as stream:
            stream.sendall(b'AMQP\x00\x00\x09\x01')
            return stream.recv(1)
