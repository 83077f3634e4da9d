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

"""A small run of tests that keep facts, recorded."""

import subunit
import testtools

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import server_memory
from tests.plugin import samples


class Sample(testtools.TestCase):
    """Tests of the hosts fbm1 and plain1."""

    def _keep(self, *comparisons):
        for comparison in comparisons:
            facts.keep(self, comparison)

    def test_both(self):
        self._keep(
            server_memory.compare(samples.FILE_BACKED,
                                  samples.file_backed_evidence()),
            server_memory.compare(samples.PLAIN, samples.plain_evidence()))

    def test_one_fails(self):
        self._keep(
            server_memory.compare(samples.FILE_BACKED,
                                  samples.file_backed_evidence()),
            server_memory.compare(samples.PLAIN, samples.plain_evidence(
                ram_mib=64)))
        self.fail('a host')

    def test_outcomes(self):
        self.test_both()
        facts.keep_outcome(self, 'fbm1', None)
        facts.keep_outcome(self, 'fbm1', None)
        facts.keep_outcome(self, 'plain1', None)
        facts.keep_outcome(self, 'plain1', 'boot: no valid host')
        self.fail('a host')

    def test_guest(self):
        self._keep(facts.Comparison('in the guest'),
                   facts.Comparison('host fbm1', 'fbm1'))
        self.fail('the guest')

    def test_skipped(self):
        self._keep(facts.Comparison('host fbm1', 'fbm1'))
        self.skipTest('not here')

    def test_left_out(self):
        facts.keep_left_out(self, 'fbm1', 'occupied: 2 guests')
        self._keep(server_memory.compare(samples.PLAIN,
                                         samples.plain_evidence()))

    def test_fails_without_a_host(self):
        self.test_left_out()
        self.fail('the other one')

    def test_without_facts(self):
        pass

    def test_fails_later(self):
        self.test_both()
        facts.keep_outcome(self, 'fbm1', None)
        facts.keep_outcome(self, 'plain1', None)
        self.fail('both hosts')


class SkippedClass(testtools.TestCase):
    """A class that is skipped as a whole, as Tempest's are."""

    def id(self):
        return 'setUpClass (%s.SkippedClass)' % __name__

    def runTest(self):
        self.skipTest('no such host')


def record(path, *names):
    """Run some of the tests.

    :param path: the file for their results
    :param names: of methods, or that of the other class
    """
    with open(path, 'wb') as target:
        result = testtools.ExtendedToStreamDecorator(
            subunit.StreamResultToBytes(target))
        result.startTestRun()
        for name in names:
            (SkippedClass() if name == SkippedClass.__name__
             else Sample(name)).run(result)
        result.stopTestRun()
