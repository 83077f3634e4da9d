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


import configparser
import re
import shutil

import bcrypt
import ddt

from mempage_lab import controller
from mempage_lab import files
from mempage_lab import installation
from mempage_lab import node
from mempage_lab import paths
from mempage_lab import releases
from mempage_lab import secrets
from tests.lab import base


@ddt.ddt
class ControllerTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(installation.Installation, 'fingerprint', 'f')
        self.patch_object(shutil, 'copytree')
        self.copies = self.patch_object(files, 'copy_tree')
        self.written = self.record_writes()
        self.started = self.patch_object(node.Node, 'start')
        self.topology = self.default_topology()
        self._start(self.topology)

    def _start(self, topology):
        self.controller = controller.Controller(topology)
        self.controller.start({})

    def _parsed(self, path):
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(self.written[path])
        return parser

    def test_services_listen_on_the_labs_own_address(self):
        address = self.controller.node.address
        for api, port in controller.APIS.items():
            uwsgi = self._parsed('/etc/uwsgi/%s.ini' % api)['uwsgi']
            self.assertEqual('%s:%d' % (address, port), uwsgi['http-socket'])
        self.assertIn('\nbind_address = %s\n' % address,
                      self.written['/etc/mysql/lab.cnf'])
        self.assertIn('listeners.tcp.default = %s:5672\n' % address,
                      self.written['/etc/rabbitmq/lab.conf'])
        for program in self.controller.programs():
            if program.name.startswith('ovsdb-'):
                self.assertRegex(program.command, 'ptcp:.*:' + address)

    def test_passwords_are_this_labs(self):
        for service, path in (('glance', '/etc/glance/glance-api.conf'),
                              ('placement', '/etc/placement/placement.conf'),
                              ('neutron', '/etc/neutron/neutron.conf'),
                              ('nova', '/etc/nova/nova.conf')):
            self.assertEqual(
                secrets.load()[service],
                self._parsed(path)['keystone_authtoken']['password'])

    def test_the_scheduler_has_the_filters(self):
        self._assert_filters((*controller.SCHEDULER_FILTERS,
                              'AggregateMemoryBackingFilter'))
        self.assertIn('available_filters = nova_mempage.filters.'
                      'AggregateMemoryBackingFilter\n',
                      self.written['/etc/nova/nova.conf'])

    def _assert_filters(self, expected):
        nova = self._parsed('/etc/nova/nova.conf')
        self.assertEqual(','.join(expected),
                         nova['filter_scheduler']['enabled_filters'])

    def test_a_stock_scheduler_knows_nothing_of_the_extension(self):
        self._start(self.topology.made_of(releases.NEWEST, True, None))
        self._assert_filters(controller.SCHEDULER_FILTERS)
        self.assertIn('available_filters = nova.scheduler.filters.'
                      'all_filters\n', self.written['/etc/nova/nova.conf'])
        for path, text in self.written.items():
            self.assertNotIn('mempage.', text, path)

    @ddt.data(
        ('2024.2', {'nova-api': ('3', '1')}),
        ('2025.2', {'nova-api': ('3', '1')}), ('2026.1', {}), ('2026.2', {}))
    @ddt.unpack
    def test_apis_run_in_threads_unless_eventlet_has_patched_them(
            self, name, patched):
        release = releases.RELEASES[name]
        self._start(self.topology.made_of(release, False, None))
        for api in release.wsgi:
            uwsgi = self._parsed('/etc/uwsgi/%s.ini' % api)['uwsgi']
            self.assertEqual(patched.get(api, ('1', '16')),
                             (uwsgi['processes'], uwsgi['threads']))
            self.assertEqual(release.wsgi[api], uwsgi['module'])

    @ddt.data(
        ('2024.2', 'nova.api.openstack.compute.wsgi:init_application()'),
        ('2025.1', 'nova.wsgi.osapi_compute:application'))
    @ddt.unpack
    def test_the_api_of_an_old_nova(self, release, expected):
        self._start(self.topology.made_of(releases.RELEASES[release], False,
                                          None))
        self.assertEqual(expected, self._parsed(
            '/etc/uwsgi/nova-api.ini')['uwsgi']['module'])

    def _programs(self, release):
        self.written.clear()
        self._start(self.topology.made_of(releases.RELEASES[release], False,
                                          None))
        return {program.name: program.command.split('/bin/')[-1]
                for program in self.controller.programs()}

    def test_an_old_neutron_is_its_own_server(self):
        programs = self._programs('2024.2')
        self.assertEqual(
            'neutron-server --config-file /etc/neutron/neutron.conf',
            programs['neutron-api'])
        self.assertNotIn('/etc/uwsgi/neutron-api.ini', self.written)
        options = self._parsed('/etc/neutron/neutron.conf')['DEFAULT']
        self.assertEqual(
            (self.controller.node.address,
             str(controller.APIS['neutron-api']), '1'),
            tuple(options[name] for name in (
                'bind_host', 'bind_port', 'api_workers')))

    def test_its_workers_do_not_run_twice(self):
        self.assertNotIn('neutron-ovn-maintenance-worker',
                         self._programs('2024.2'))
        self.assertEqual(['nova-conductor', 'nova-scheduler'],
                         self.controller.workers)

    @ddt.data('2025.1', '2025.2', '2026.1', '2026.2')
    def test_uwsgi_serves_a_newer_neutron(self, release):
        programs = self._programs(release)
        self.assertEqual('pyuwsgi --ini /etc/uwsgi/neutron-api.ini',
                         programs['neutron-api'])
        self.assertIn('/etc/uwsgi/neutron-api.ini', self.written)
        self.assertEqual(list(controller.WORKERS), self.controller.workers)
        self.assertLessEqual(set(controller.WORKERS), set(programs))

    def test_all_is_of_its_own_environment(self):
        openstack = self.controller.node.installation
        paste = '%s/etc/%%s/api-paste.ini' % openstack.venv
        self.assertEqual(paste % 'nova', self._parsed(
            '/etc/nova/nova.conf')['wsgi']['api_paste_config'])
        self.assertEqual(paste % 'neutron', self._parsed(
            '/etc/neutron/neutron.conf')['DEFAULT']['api_paste_config'])
        for program in self.controller.programs():
            if program.name in (*controller.APIS, *controller.WORKERS):
                self.assertTrue(program.command.startswith(
                    '%s/bin/' % openstack.venv), program.command)
            if program.name in controller.APIS:
                self.assertIn('PATH="%s"' % openstack.search_path,
                              program.environment)

    def test_the_controller_takes_no_guests(self):
        nova = self._parsed('/etc/nova/nova.conf')
        self.assertNotIn('compute_driver', nova['DEFAULT'])
        self.assertNotIn('libvirt', nova)

    def test_database_users_own_their_databases(self):
        sql = self.written['/etc/mysql/lab.sql']
        for user, databases in controller.DATABASES.items():
            for database in databases:
                self.assertIn("GRANT ALL ON %s.* TO %s@'%%';"
                              % (database, user), sql)

    def test_passwords_of_the_template_are_replaced(self):
        sql = self.written['/etc/mysql/lab.sql']
        for user in ('admin', 'nova', 'neutron', 'glance', 'placement'):
            [stored] = re.findall("password_hash = '([^']*)' WHERE "
                                  "local_user.name = '%s'" % user, sql)
            self.assertEqual(stored.encode(), bcrypt.hashpw(
                secrets.load()[user].encode(), stored.encode()))
        self.assertIn("'//%s')" % self.controller.node.address, sql)

    def test_database_begins_as_the_template(self):
        self.copies.assert_called_once()
        template, datadir = self.copies.call_args.args
        self.assertEqual(paths.CACHE, template.parent)
        self.assertEqual(self.controller.node.private('/var/lib/mysql'),
                         datadir)

    def test_another_openstack_has_another_template(self):
        self.patch_object(installation.Installation, 'fingerprint', 'g')
        self._start(self.topology)
        one, another = [call.args[0] for call in self.copies.call_args_list]
        self.assertNotEqual(one, another)

    def test_a_stock_nova_has_the_same_template(self):
        self._start(self.topology.made_of(releases.NEWEST, True, None))
        one, another = [call.args[0] for call in self.copies.call_args_list]
        self.assertEqual(one, another)

    def test_the_template_is_of_the_nodes_system(self):
        openstack = self.controller.node.installation
        run = self.patch_object(openstack.system, 'run')
        for name in ('start_database', '_migrate', '_bootstrap', 'start_api'):
            self.patch_object(controller.Controller, name)
        for name in ('register_services', 'connect'):
            self.patch_object(controller.cloud, name)
        self.patch_object(node.Node, 'supervisor', base.supervisor())
        self.controller.make_databases()
        run.assert_called_once()
        datadir = self.controller.node.private('/var/lib/mysql')
        self.assertIn('mariadb-install-db', run.call_args.args)
        self.assertIn('--datadir=%s' % datadir, run.call_args.args)
        self.assertEqual([datadir.parent], run.call_args.kwargs['visible'])

    def test_every_api_and_worker_is_a_program(self):
        names = [program.name for program in self.started.call_args.args[0]]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({*controller.APIS, *controller.WORKERS},
                             set(names))
