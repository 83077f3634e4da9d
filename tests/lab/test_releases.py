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


import re

import ddt

from mempage_lab import controller
from mempage_lab import releases
from mempage_lab import systems
from tests.lab import base

ALL = list(releases.RELEASES.values())


@ddt.ddt
class ReleasesTest(base.LabTestCase):

    @ddt.data(*ALL)
    def test_constraints_are_those_of_the_release(self, release):
        pinned = dict(re.findall(r'(?m)^([\w.-]+)==(\d+)',
                                 release.constraints.read_text()))
        self.assertEqual(release.series, {
            part: int(pinned[part]) for part in release.series})

    @ddt.data(*ALL)
    def test_constraints_pin_all_that_is_listed(self, release):
        for line in release.constraints.read_text().splitlines():
            self.assertRegex(line, r'^[\w.-]+==[\w.+!-]+$')

    def test_requirements(self):
        requirements = releases.RELEASES['2025.1'].requirements
        self.assertIn('nova~=31.0', requirements)
        self.assertIn('openstack-placement~=13.0', requirements)

    def test_each_release_has_the_next_major_versions(self):
        for former, release in zip(ALL, ALL[1:]):
            self.assertEqual({part: major + 1 for part, major
                              in former.series.items()}, release.series)

    def test_the_newest_is_the_last(self):
        self.assertIs(ALL[-1], releases.NEWEST)

    @ddt.data(*ALL)
    def test_every_api_is_started(self, release):
        self.assertEqual(sorted(controller.APIS),
                         sorted([*release.wsgi, *release.servers]))
        for callable_ in release.wsgi.values():
            self.assertRegex(callable_, r'^[\w.]+:\w+(\(\))?$')

    @ddt.data(('2024.2', 'debian-12', True), ('2024.2', 'debian-13', False),
              ('2025.1', 'debian-13', False), ('2025.2', 'debian-13', True),
              ('2026.2', 'debian-12', True), ('2026.2', 'debian-13', True))
    @ddt.unpack
    def test_runs_on(self, name, system, expected):
        self.assertEqual(expected, releases.RELEASES[name].runs_on(
            systems.System(system)))

    @ddt.data(*ALL)
    def test_runs_on_some_system(self, release):
        self.assertTrue(any(release.runs_on(systems.System(name))
                            for name in systems.DEBIANS))
