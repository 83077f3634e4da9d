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

"""Tests of the kept connection to libvirt, with its driver for tests."""

from unittest import mock

import ddt
import libvirt
from oslotest import base

from mempage_tempest_plugin.hosts import libvirt_connection


@ddt.ddt
class LibvirtConnectionTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.connection = libvirt_connection.LibvirtConnection(
            mock.Mock(libvirt_uri='test:///default'))
        self.addCleanup(self.connection.close)

    def test_cut_off(self):
        # Nobody has answered yet.
        self.assertTrue(self.connection.is_cut_off())
        self.connection.hostname()
        self.assertFalse(self.connection.is_cut_off())
        self.connection._connection = mock.Mock(**{
            'isAlive.return_value': 0,
            'getHostname.side_effect': libvirt.libvirtError('gone')})
        self.assertTrue(self.connection.is_cut_off())
        # It takes no new one that would answer.
        self.assertTrue(self.connection.is_cut_off())
        self.connection.hostname()
        self.assertFalse(self.connection.is_cut_off())

    def test_end(self):
        [uuid] = self.connection.running()
        self.assertEqual('running', self.connection.end(uuid))
        domain = self.connection._domain(uuid)
        domain.shutdown()
        self.assertEqual('shut down', self.connection.end(uuid))
        domain.create()
        domain.destroy()
        self.assertEqual('destroyed', self.connection.end(uuid))

    @ddt.data((libvirt.VIR_DOMAIN_SHUTOFF_CRASHED, 'crashed'),
              (libvirt.VIR_DOMAIN_SHUTOFF_SAVED, 'other'))
    @ddt.unpack
    def test_end_of_another_kind(self, reason, end):
        with mock.patch.object(self.connection, '_domain') as domain:
            domain.return_value.state.return_value = [
                libvirt.VIR_DOMAIN_SHUTOFF, reason]
            self.assertEqual(end, self.connection.end('uuid'))

    def test_xml_of_the_next_start(self):
        [uuid] = self.connection.running()
        self.assertIn('<name>test</name>', self.connection.inactive_xml(uuid))
        # An identity is what a domain has while it runs.
        self.assertIn("id='1'", self.connection.xml(uuid))
        self.assertNotIn("id='1'", self.connection.inactive_xml(uuid))

    def test_versions(self):
        with mock.patch.object(self.connection, '_open') as opened:
            opened.return_value = mock.Mock(**{
                'getLibVersion.return_value': 9000000,
                'getVersion.return_value': 7002022})
            self.assertEqual(('9.0.0', '7.2.22'), self.connection.versions())

    def test_define(self):
        [uuid] = self.connection.running()
        self.connection.define(self.connection.inactive_xml(uuid).replace(
            '<vcpu placement=\'static\'>2<', '<vcpu placement=\'static\'>1<'))
        self.assertIn('>1</vcpu>', self.connection.inactive_xml(uuid))
        self.assertIn('>2</vcpu>', self.connection.xml(uuid))

    def test_started_for_as_long_as_it_is_connected(self):
        with mock.patch.object(self.connection, '_open') as opened:
            self.connection.start('<domain/>')
            opened.return_value.createXML.assert_called_once_with(
                '<domain/>', libvirt.VIR_DOMAIN_START_PAUSED
                | libvirt.VIR_DOMAIN_START_AUTODESTROY)

    def test_restart(self):
        [uuid] = self.connection.running()
        before = self.connection._domain(uuid).ID()
        self.connection.restart(uuid)
        self.assertEqual('running', self.connection.end(uuid))
        self.assertNotEqual(before, self.connection._domain(uuid).ID())

    @ddt.data(({'time_elapsed': 2500, 'downtime': 31}, (2500, 31)),
              ({}, (None, None)))
    @ddt.unpack
    def test_last_migration(self, told, found):
        domain = mock.Mock(**{'jobStats.return_value': told})
        with mock.patch.object(self.connection, '_domain',
                               return_value=domain):
            took = self.connection.last_migration('uuid')
        self.assertEqual(found, (took.elapsed, took.downtime))
        domain.jobStats.assert_called_once_with(
            libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED |
            libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED)

    def test_destroy(self):
        [uuid] = self.connection.running()
        self.connection.destroy(uuid)
        self.assertEqual('destroyed', self.connection.end(uuid))
