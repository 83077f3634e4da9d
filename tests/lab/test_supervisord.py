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

import os
from unittest import mock

from mempage_lab import supervisord
from tests.lab import base


class PollerTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.poller = supervisord.Poller(mock.Mock())
        self.reader, self.writer = os.pipe()
        self.addCleanup(os.close, self.writer)

    def test_stale_descriptor_is_forgotten(self):
        # A closed connection had this number.
        self.poller.register_readable(self.writer)
        os.close(self.reader)
        self.assertEqual([(self.writer, 8)], self.poller._poll_fds(1))
        self.assertEqual(([], []), self.poller.poll(1))
        self.assertEqual([], self.poller._poll_fds(0))

    def test_what_can_be_read_is_told(self):
        self.addCleanup(os.close, self.reader)
        self.poller.register_readable(self.reader)
        os.write(self.writer, b'x')
        self.assertEqual(([self.reader], []), self.poller.poll(1))
        self.assertEqual(([self.reader], []), self.poller.poll(1))
