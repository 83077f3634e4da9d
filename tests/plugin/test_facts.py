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

from mempage_tempest_plugin import facts


class FactsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.comparison = facts.Comparison('host a')
        self.comparison.equal('libvirt', 'discard', True, True)

    def test_agrees(self):
        self.assertIsNone(facts.Agrees().match(self.comparison))

    def test_mismatch_names_fact_and_shows_all(self):
        self.comparison.equal('QEMU', 'paths', ['/a', '/b'], None)
        self.comparison.holds('kernel', 'size', 'at least 4', 3, False)
        text = facts.Agrees().match(self.comparison).describe()
        self.assertEqual(
            'host a: paths: expected /a, /b, QEMU says none\n'
            'host a: size: expected at least 4, kernel says 3\n'
            '\n'
            'host a\n'
            '    fact     expected    observed  witness\n'
            '    discard  yes         yes       libvirt\n'
            '!!  paths    /a, /b      none      QEMU\n'
            '!!  size     at least 4  3         kernel', text)
