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

from unittest import mock

import testtools

from mempage_lab import trace

PASSED = '{1} api.test_b.TestB.test_c [0.123456s] ... ok\n'
FAILED = '{0} api.test_d.TestD.test_e_1 [12.5s] ... FAILED\n'
SET_UP = '{0} setUpClass (api.test_f.TestF) ... FAILED\n'
SKIPPED = "{0} api.test_g.TestG.test_h ... SKIPPED: no room ... ok\n"
NOISE = ('\n', 'Captured traceback:\n', '    {0} is no test ... ok\n')


class TraceTest(testtools.TestCase):

    def _said(self, lines, interval):
        shown = mock.Mock()
        with mock.patch.object(trace, 'INTERVAL', interval):
            trace.watch(lines, shown)
        return [text for [text] in (call[0] for call in
                                    shown.say.call_args_list)]

    def test_failures_at_once(self):
        self.assertEqual(
            ['failed: api.test_d.TestD.test_e_1',
             'failed: setUpClass (api.test_f.TestF)'],
            self._said([PASSED, FAILED, SKIPPED, *NOISE, SET_UP], 60))

    def test_how_much_has_run(self):
        self.assertEqual(
            ['1 tests have run, 0 failed', '2 tests have run, 0 failed',
             'failed: api.test_d.TestD.test_e_1',
             '3 tests have run, 1 failed'],
            self._said([PASSED, *NOISE, SKIPPED, FAILED], 0))
