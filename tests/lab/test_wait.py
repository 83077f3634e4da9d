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


from mempage_lab import wait
from tests.lab import base


class UntilTest(base.LabTestCase):

    def test_ready(self):
        answers = [None, False, 7, 8]
        self.assertIs(True, wait.until(lambda: answers.pop(0), 9, 0))
        self.assertEqual([8], answers)

    def test_never_ready(self):
        self.assertIs(False, wait.until(lambda: False, 0.01, 0))

    def test_error(self):
        self.assertRaises(ZeroDivisionError, wait.until, lambda: 1 / 0, 9, 0)
