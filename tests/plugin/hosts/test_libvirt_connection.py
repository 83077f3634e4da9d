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

import libvirt
from oslotest import base

from mempage_tempest_plugin.hosts import libvirt_connection


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

    def test_xml_of_the_next_start(self):
        [uuid] = self.connection.running()
        self.assertIn('<name>test</name>', self.connection.inactive_xml(uuid))
        # An identity is what a domain has while it runs.
        self.assertIn("id='1'", self.connection.xml(uuid))
        self.assertNotIn("id='1'", self.connection.inactive_xml(uuid))
