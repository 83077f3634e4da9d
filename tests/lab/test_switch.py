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

import os

import ddt

from mempage_lab import switch
from tests.lab import base


@ddt.ddt
class SwitchTest(base.LabTestCase):

    def test_pages(self):
        self.assertEqual(switch.PAGES, switch.pages(switch.DPDK, 2048))
        self.assertEqual(0, switch.pages(switch.DPDK, 1048576))
        self.assertEqual(0, switch.pages(None, 2048))

    def test_the_usual_one_is_told_nothing_more(self):
        self.assertEqual({}, switch.options(None, 0))

    def test_one_of_dpdk_takes_the_pages_that_it_is_said_to(self):
        options = switch.options(switch.DPDK, 0)
        for key in ('dpdk-socket-mem', 'dpdk-socket-limit'):
            self.assertEqual(
                switch.PAGES * switch.PAGE_KIB, options[key] * 1024)
        self.assertIn('--in-memory', options['dpdk-extra'])
        self.assertGreater(options['pmd-sleep-max'], 0)

    @ddt.data((0, '0x2'), (1, '0x20'), (2, '0x2'))
    @ddt.unpack
    def test_their_threads_are_spread_over_the_cpus(self, index, mask):
        self.patch_object(os, 'sched_getaffinity').return_value = {1, 5}
        self.assertEqual(mask,
                         switch.options(switch.DPDK, index)['pmd-cpu-mask'])
