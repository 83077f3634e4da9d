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

"""Tests of what is kept of a nova-compute that must not start."""

import json

from oslotest import base

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.tests.api import test_file_backed_start
from tests.plugin.bases import cases


class RefusedTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.case = next(
            cases.make(test_file_backed_start.TestFileBackedGuards, name)
            for name in dir(test_file_backed_start.TestFileBackedGuards)
            if name.startswith('test_refused_1_'))

    def _run(self, error):
        self.case.refused = {'ratio_unset': error}
        getattr(self.case, self.case._testMethodName)()

    def _fact(self):
        [fact] = json.loads(b''.join(self.case.getDetails()[
            'facts'].iter_bytes()))['facts']
        return fact['name'], fact['agrees']

    def test_refused(self):
        self._run(None)
        self.assertEqual(('does not start, and logs why', True), self._fact())

    def test_started(self):
        error = exceptions.HostError('fbm1', 'it runs')
        self.assertIs(error, self.assertRaises(exceptions.HostError,
                                               self._run, error))
        self.assertEqual(('does not start, and logs why', False),
                         self._fact())
