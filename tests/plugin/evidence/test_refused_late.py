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

from mempage_tempest_plugin.declared import move_refusals
from mempage_tempest_plugin.evidence import refused_late

BEGIN = '2026-11-29 ERROR nova [instance: uuid] Live Migration failure: '
NOT_ALIKE = (BEGIN + "unsupported configuration: Target memoryBacking source "
             "'none' doesn't match source memoryBacking source'file'")
NO_ROUTE = BEGIN + 'unable to connect to server at plain1:49152'
LOST = (BEGIN + 'End of file while reading data: : Input/output error: '
        'libvirt.libvirtError: End of file while reading data: : Input/output '
        'error')
REFUSED = LOST.replace(': :', ': Host key verification failed.:')
OTHER = "WARNING nova [instance: uuid] doesn't match source memoryBacking"


@ddt.ddt
class CompareTest(base.BaseTestCase):

    def _compare(self, *ended, lines=(NOT_ALIKE,), has_ended=None):
        return refused_late.compare('fbm1', 'uuid', ended, lines,
                                    move_refusals.NOT_ALIKE, has_ended)

    @ddt.data(('ERROR', 'error'), ('ACTIVE', 'failed'))
    def test_refused(self, ended):
        comparison = self._compare(*ended)
        self.assertEqual([], comparison.disagreements, str(comparison))

    def test_libvirt_forgets_the_reason(self):
        comparison = self._compare('ERROR', 'error', lines=[LOST],
                                   has_ended=lambda: False)
        self.assertEqual([], comparison.disagreements, str(comparison))

    def test_nobody_was_there_to_refuse_it(self):
        """libvirt of the other host ends: that sounds the same."""
        [wrong] = self._compare('ERROR', 'error', lines=[LOST],
                                has_ended=lambda: True).disagreements
        self.assertIn('has ended meanwhile', wrong.name)

    def test_it_may_end_once_it_has_refused(self):
        comparison = self._compare('ERROR', 'error', lines=[LOST, NOT_ALIKE],
                                   has_ended=lambda: True)
        self.assertEqual([], comparison.disagreements, str(comparison))

    @ddt.data(('ACTIVE', 'completed'), ('ACTIVE', 'error'), ('ERROR', ''))
    def test_other_end(self, ended):
        [wrong] = self._compare(*ended).disagreements
        self.assertEqual('status of server and migration', wrong.name)

    @ddt.data((), (NO_ROUTE,), (OTHER,), (REFUSED,))
    def test_other_reason(self, lines):
        [wrong] = self._compare('ERROR', 'error', lines=lines).disagreements
        self.assertEqual('reason why libvirt did not migrate it', wrong.name)

    def test_the_reason_is_told(self):
        [wrong] = self._compare('ERROR', 'error',
                                lines=[NO_ROUTE]).disagreements
        self.assertEqual(['unable to connect to server at plain1:49152'],
                         wrong.observed)
