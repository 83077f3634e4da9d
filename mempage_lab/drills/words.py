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

"""Whether the words that drills expect are said of their faults alone."""

import dataclasses
import re

from mempage_lab.drills import catalogue
from mempage_lab.drills import running

#: What was said when nothing was broken.
CLEAN = 'a clean run'


@dataclasses.dataclass(frozen=True)
class Clash:
    """A drill's words, said although its fault was not there.

    :ivar drill: whose words they are
    :ivar other: the drill whose fault was there, or CLEAN
    :ivar line: what was said
    """

    drill: str
    other: str
    line: str


def judge_again(results):
    """Judge what was said once more, by the words of today.

    :param results: list of :class:`mempage_lab.drills.running.Result`
    :returns: list of the same, with verdicts of today; those of drills that
        there are no more are left out
    """
    judged = []
    for result in results:
        drill = catalogue.DRILLS.get(result.name)
        if drill and result.verdict != running.NOT_RUN:
            verdict, said = running.judge(drill, result.output)
            result = dataclasses.replace(result, verdict=verdict, said=said)
        if drill:
            judged.append(result)
    return judged


def clashes(results, runs):
    """Look for words of drills in what was said of other faults.

    :param results: list of :class:`mempage_lab.drills.running.Result`
    :param runs: list of :class:`mempage_lab.drills.clean.Run`
    :returns: list of :class:`Clash`, one at most for each pair
    """
    found = []
    clean = [line for run in runs for line in run.said]
    for name, drill in catalogue.DRILLS.items():
        for result in results:
            lines = running.said(drill, result.output)
            if result.name != name and lines:
                found.append(Clash(name, result.name, lines[0]))
        lines = [line for line in clean if re.search(drill.words, line)]
        if lines:
            found.append(Clash(name, CLEAN, lines[0]))
    return found
