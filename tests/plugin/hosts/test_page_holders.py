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


"""Tests of who has large pages, on pages of this machine if it has any."""

import mmap
import os
import subprocess
import unittest

from oslotest import base

from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.hosts import scripts

MAP_HUGETLB = 0x40000
# None of them is needed.
MAP_NORESERVE = 0x4000


class PageHoldersTest(base.BaseTestCase):

    def _run(self):
        return page_holders.parse(subprocess.run(
            ['sh'], input=scripts.read(page_holders.SCRIPT), text=True,
            check=True, stdout=subprocess.PIPE).stdout)

    def test_parse(self):
        self.assertEqual([page_holders.Holder(7, 'ovs-vswitchd'),
                          page_holders.Holder(8, 'a b')],
                         page_holders.parse('7 ovs-vswitchd\n8 a b\n'))

    def test_who_has_none_is_not_named(self):
        self.assertNotIn(os.getpid(), [each.pid for each in self._run()])

    def test_who_has_some_is_named(self):
        try:
            pages = mmap.mmap(-1, 1 << 21, mmap.MAP_PRIVATE
                              | mmap.MAP_ANONYMOUS | MAP_NORESERVE
                              | MAP_HUGETLB)
        except OSError as error:
            raise unittest.SkipTest('large pages: %s' % error)
        self.addCleanup(pages.close)
        self.assertIn(os.getpid(), [each.pid for each in self._run()])
