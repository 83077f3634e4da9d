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

"""Known hazards, and what became of the tests that look at them."""

import dataclasses
import functools
import os

import yaml

from mempage_certificate import profiles

_FILE = os.path.join(os.path.dirname(__file__), 'hazards.yaml')


@dataclasses.dataclass(frozen=True)
class Hazard:
    """Something that is known to go wrong.

    :ivar title: what goes wrong
    :ivar severity: data, guest, move, wear or words
    :ivar tests: list of pairs of the name of a test that looks at it and what
        became of it: list of words of streams
    """

    title: str
    severity: str
    tests: list


@functools.cache
def known():
    """Read the hazards that tests of the catalogue look at.

    :returns: dict by name of dicts of severity, title and tests, which are
        named without their package
    """
    with open(_FILE, encoding='utf-8') as source:
        return yaml.safe_load(source)


def of(run, profile):
    """Tell what a run has seen of known hazards.

    :param run: the runs.Run
    :param profile: the profiles.Profile
    :returns: list of :class:`Hazard`, of those that it asks for
    """
    asked = {test for _, _, identity in profile.wanted()
             for test in profile.checks[identity].get('tests', ())}
    return [Hazard(hazard['title'], hazard['severity'], [
        (test, [entry.test.status
                for entry in run.of_all(profiles.PACKAGE + test)])
        for test in hazard['tests'] if test in asked])
        for hazard in known().values() if asked & set(hazard['tests'])]
