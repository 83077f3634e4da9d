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

"""Tests of what the benchmark of bundles measures."""

from oslotest import base

from mempage_certificate import masking
from mempage_certificate import profiles
from mempage_certificate import runs
from mempage_certificate import verdict
from tests.certificate import benchmark
from tests.certificate import samples


class FleetTest(base.BaseTestCase):

    def test_each_host_is_judged(self):
        sample = samples.Sample('smoke-lab')
        masked, hosts = masking.mask(benchmark.fleet(sample.records, 3))
        self.assertEqual(['compute-00%d.example.org' % number
                          for number in range(3)], sorted(hosts))
        run = runs.read(masked)
        found = verdict.judge(run, profiles.find('smoke-lab'),
                              samples.PRODUCT)
        self.assertEqual([], found.problems)
        self.assertEqual({'host-1', 'host-2', 'host-3'},
                         {host.host for host in found.hosts})
        self.assertEqual({'lane-1', 'lane-2', 'lane-3'},
                         set(run.lanes.values()))
