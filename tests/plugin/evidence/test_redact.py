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

import ddt
from oslotest import base

from mempage_tempest_plugin.evidence import redact


@ddt.ddt
class RedactTest(base.BaseTestCase):

    @ddt.data(
        'transport_url = rabbit://nova:SECRET@198.51.100.1:5672/',
        "<graphics type='vnc' port='5900' passwd='SECRET'/>",
        'password = SECRET',
        "'X-Auth-Token': 'SECRET'",
        'token gAAAAABSECRETSECRETSECRETSECRET_-= used')
    def test_secret(self, text):
        masked = redact.mask(text)
        self.assertNotIn('SECRET', masked)
        self.assertIn('***', masked)

    @ddt.data('qemu+ssh://tempest@198.51.100.1/system',
              '0:40 tmpfs tmpfs /srv/memory')
    def test_harmless(self, text):
        self.assertEqual(text, redact.mask(text))
