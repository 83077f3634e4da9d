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


from oslotest import base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin import exceptions


class MempageErrorTest(base.BaseTestCase):

    def test_message_is_as_it_was_given(self):
        error = exceptions.HostError('a', '90 % of %(x)s and %s are full')
        self.assertIsInstance(error, lib_exc.TempestException)
        self.assertEqual('host a: 90 % of %(x)s and %s are full', str(error))

    def test_no_error_is_raised_for_none(self):
        self.assertIsNone(exceptions.raise_all({}.values()))
