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

from mempage_lab import controller
from mempage_lab import files
from mempage_lab import node
from mempage_lab import packages
from mempage_lab import paths
from mempage_lab import secrets
from tests.lab import base


class ControllerTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(packages, 'venv').return_value = (
            self.directory / 'venv')
        self.patch_object(packages, 'fingerprint').return_value = 'f'
        self.patch_object(shutil, 'copytree')
        self.copies = self.patch_object(files, 'copy_tree')
        self.written = self.record_writes()
        self.started = self.patch_object(node.Node, 'start')
        self.controller = controller.Controller(self.default_topology())
        self.controller.start({})

    def _parsed(self, path):
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(self.written[path])
        return parser

    def test_services_listen_on_the_labs_own_address(self):
        address = self.controller.node.address
        for api, (port, _) in controller.APIS.items():
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
        self.assertEqual(
            ','.join(controller.SCHEDULER_FILTERS), self._parsed(
                '/etc/nova/nova.conf')['filter_scheduler']['enabled_filters'])

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

    def test_every_api_and_worker_is_a_program(self):
        names = [program.name for program in self.started.call_args.args[0]]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({*controller.APIS, *controller.WORKERS},
                             set(names))
