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

"""Tests of who is told of memory that could not be written."""

import ddt
from oslotest import base

from mempage_tempest_plugin.evidence import silent_loss
from mempage_tempest_plugin.hosts import cache

LOG = ('kernel: I/O error, dev loop0, sector 8 op 0x1:(WRITE)\n'
       'kernel: loop0: writeback error on inode 13, offset 0, sector 42\n')


@ddt.ddt
class SilentLossTest(base.BaseTestCase):

    def _compare(self, runs_on=True, status='ACTIVE',
                 fsync='Input/output error', log=LOG):
        return silent_loss.compare('a', 'uuid', runs_on, status, fsync, log)

    @ddt.data(LOG, 'EXT4-fs: This should not happen!! potential data loss',
              'Buffer I/O error', 'lost sync page write')
    def test_as_known(self, log):
        self.assertEqual([], self._compare(log=log).disagreements)

    def test_evicted(self):
        for seen, name in (({}, []),
                           ({'cached': 3}, ['pages in the page cache']),
                           ({'fsync': 'EIO'}, ['error of fsync'])):
            found = silent_loss.compare_evicted('a', 'uuid', cache.Cached(
                **{'pages': 9, 'cached': 0, 'method': 'mincore',
                   'fsync': None, 'page': 4096, **seen}))
            self.assertEqual(name, [fact.name for fact
                                    in found.disagreements])
            self.assertIn('pushed out (mincore)', found.subject)

    def test_unreadable(self):
        for log, agrees in (LOG, True), ('kernel: lost async page', False):
            found = silent_loss.compare_unreadable('a', 'uuid', log)
            self.assertEqual(agrees, not found.disagreements)

    @ddt.data(({'runs_on': False}, 'runs on in the same process'),
              ({'status': 'SHUTOFF'}, 'status'),
              ({'fsync': None}, 'fsync of what was not written'),
              ({'log': 'kernel: lost in thought'},
               'log of what was not written'))
    @ddt.unpack
    def test_another_end(self, seen, name):
        [wrong] = self._compare(**seen).disagreements
        self.assertEqual(name, wrong.name)
