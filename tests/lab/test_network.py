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


import errno
from unittest import mock

import pyroute2

from mempage_lab import network
from tests.lab import base


class RemoveLinkTest(base.LabTestCase):

    def _remove(self, code):
        machine = mock.Mock()
        machine.link.side_effect = pyroute2.NetlinkError(code, 'odd')
        network._remove_link(machine, 7)

    def test_a_link_that_went_with_its_peer(self):
        self._remove(errno.ENODEV)

    def test_a_link_that_cannot_be_removed(self):
        self.assertRaises(pyroute2.NetlinkError, self._remove, errno.EPERM)
