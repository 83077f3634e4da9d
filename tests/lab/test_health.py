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


import http.server
import threading
from unittest import mock

import ddt
from keystoneauth1 import exceptions

from mempage_lab import errors
from mempage_lab import health
from mempage_lab import shares
from tests.lab import base


class _Handler(http.server.BaseHTTPRequestHandler):

    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@ddt.ddt
class HealthTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.lab = mock.Mock()

    def _serve(self, status):
        server = http.server.HTTPServer(('127.0.0.1', 0), _Handler)
        server.status = status
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        return server.server_port

    def _answers(self, port):
        self.lab.apis = {'api': ('127.0.0.1', port)}
        return health.apis(self.lab)

    @ddt.data((200, True), (300, True), (401, True), (500, False),
              (503, False))
    @ddt.unpack
    def test_answer(self, status, expected):
        self.assertEqual({'api': expected},
                         self._answers(self._serve(status)))

    def test_nobody_listens(self):
        self.assertEqual({'api': False}, self._answers(1))

    def test_shares(self):
        usable = self.patch_object(shares, 'are_usable')
        usable.return_value = False
        self.lab.shares = []
        self.assertEqual([], health.of_shares(self.lab))
        self.lab.shares = [mock.Mock()]
        [problem] = health.of_shares(self.lab)
        self.assertIn('nobody can make shares', problem)
        usable.return_value = True
        self.assertEqual([], health.of_shares(self.lab))

    def _services(self, *times):
        self.lab.cloud.compute.services.return_value = [
            mock.Mock(updated_at=time) for time in times]
        return health.last_report(self.lab, 'a', 'nova-compute')

    def test_last_report(self):
        self.assertEqual(
            '2026-11-20T16:34:26+00:00',
            self._services('2026-11-20T16:34:26.000000').isoformat())

    @ddt.data([], [None])
    def test_never_reported(self, times):
        self.assertIsNone(self._services(*times))

    def test_the_cloud_does_not_answer(self):
        self.lab.cloud.compute.services.side_effect = \
            exceptions.ConnectFailure('refused')
        error = self.assertRaises(errors.LabError, health.last_report,
                                  self.lab, 'a', 'nova-compute')
        self.assertEqual('the cloud does not answer: refused', str(error))

    @ddt.data([True], [False], [])
    def test_forced_down(self, services):
        self.lab.cloud.compute.services.return_value = [
            mock.Mock(is_forced_down=forced) for forced in services]
        self.assertEqual(services == [True], health.is_forced_down(
            self.lab, 'a', 'nova-compute'))
