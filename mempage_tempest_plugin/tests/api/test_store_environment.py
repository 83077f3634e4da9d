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

"""What hosts are made of, before and after a run."""

from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import environments
from mempage_tempest_plugin.evidence import made_of
from mempage_tempest_plugin.tests.bases import base

CONF = config.CONF


class TestStoreEnvironment(base.BaseMemoryTest):
    """File-backed hosts, as a run finds and leaves them.

    Workers run tests in no order that is known before. So the two tests are
    for runs of their own, before and after that of all others, whose results
    are one stream (tempest run --combine).
    """

    about = which.file_backed
    promises = ('run',)

    def setUp(self):
        super().setUp()
        self._found = {}

    @decorators.idempotent_id('456c1690-4767-49e6-985a-3e9169e15337')
    def test_before(self):
        """Keep what each host is made of when the run begins"""
        self.on_each_host(self._look_before, self._keep)

    @decorators.idempotent_id('1f70113f-2507-4a1d-a64c-0d497e4fad19')
    def test_after(self):
        """Keep what each host is made of when the run has ended"""
        self.on_each_host(self._look_after, self._keep)

    def _look_before(self, host):
        self._look(host, environments.BEFORE)

    def _look_after(self, host):
        self._look(host, environments.AFTER)

    def _look(self, host, phase):
        self._found[host.name] = made_of.look(host, CONF.mempage.run, phase)

    # Details of a test are kept by one thread at a time.
    @base.in_turn
    def _keep(self, host):
        environments.keep(self, self._found[host.name])
