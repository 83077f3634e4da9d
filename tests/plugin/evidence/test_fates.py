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


"""Tests of what operations do to a guest's memory."""

from unittest import mock

import ddt
from oslotest import base

from mempage_tempest_plugin.evidence import fates
from tests.plugin import samples

FILES = [(samples.PATH, 12)]
BEFORE = fates.Memory([1], FILES)
PROCESS = 'QEMU processes'
RAM = 'files with the RAM: path and inode'


@ddt.ddt
class FatesTest(base.BaseTestCase):

    def _disagreements(self, fate, pids, files, before=BEFORE):
        return [fact.name for fact in fates.compare(
            'host', samples.SERVER, 'something', fate, before,
            fates.Memory(pids, files)).disagreements]

    @ddt.data(
        (fates.KEPT, [1], FILES, []),
        (fates.KEPT, [2], FILES, [PROCESS]),
        (fates.KEPT, [1], [(samples.PATH, 13)], [RAM]),
        (fates.RESTORED, [1], FILES, [PROCESS, RAM]),
        (fates.RESTORED, [2], [('other', 13)], []),
        (fates.NEW, [2], [('other', 13)], []),
        # A file system may give the number of the inode again at once.
        (fates.NEW, [2], [('other', 12)], []),
        (fates.NEW, [2], FILES, [RAM]),
        (fates.NEW, [1], [('other', 13)], [PROCESS]),
        (fates.NEW, [], [('other', 13)], [PROCESS]),
        (fates.NEW, [2], [], [RAM]),
        (fates.KEPT_OR_RESTORED, [1], FILES, []),
        (fates.KEPT_OR_RESTORED, [2], [('other', 13)], []),
        (fates.KEPT_OR_RESTORED, [2], FILES, [RAM]),
        (fates.KEPT_OR_RESTORED, [1], [('other', 13)], [RAM]))
    @ddt.unpack
    def test_compare(self, fate, pids, files, wrong):
        self.assertEqual(wrong, self._disagreements(fate, pids, files))

    def test_anonymous_memory(self):
        before = fates.Memory([1], [])
        self.assertEqual([], self._disagreements(fates.NEW, [2], [], before))
        self.assertEqual([PROCESS], self._disagreements(
            fates.NEW, [1], [], before))

    @ddt.data((fates.NEW, [1], []), (fates.NEW, [], [PROCESS]),
              (fates.KEPT, [1], [PROCESS]))
    @ddt.unpack
    def test_another_kernel_counts_anew(self, fate, pids, wrong):
        before = fates.Memory([1], FILES, 'boot of before')
        self.assertEqual(wrong, self._disagreements(fate, pids, FILES,
                                                    before))

    def test_look(self):
        host = mock.Mock()
        host.memory_backends.return_value = [samples.backend()]
        host.survey.return_value = samples.host_survey(
            [samples.LIBRARY, samples.mapping(), samples.ANONYMOUS])
        mapping = samples.mapping()
        self.assertEqual(
            fates.Memory([samples.PID], [(mapping.path, mapping.inode)],
                         'boot'),
            fates.look(host, samples.SERVER))
