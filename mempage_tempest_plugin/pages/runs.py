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

"""What a page is about: one run of the suite, or one of each host."""

import dataclasses
import re

from mempage_tempest_plugin.evidence import promised
from mempage_tempest_plugin.evidence import streams

_TESTS = 'mempage_tempest_plugin.tests.'
_FIXTURE = re.compile(r'(setUpClass|tearDownClass) \((.*)\)$')


@dataclasses.dataclass(frozen=True)
class Run:
    """One stream of results.

    :ivar name: what tells it from others; empty if there is only one
    :ivar tests: list of streams.Test
    :ivar expected: list of promised.Test; None if nobody has told which
        tests have to run
    :ivar problems: what is wrong with these, as list of texts
    """

    name: str
    tests: list
    expected: list | None = None
    problems: list = dataclasses.field(default_factory=list)

    def called(self, test):
        """Tell the name of a test in the page.

        :param test: the full name of the test
        """
        name = short(test)
        return '%s: %s' % (self.name, name) if self.name else name


def compared(name, tests, foretold, required):
    """Make a run of results and of what was foretold.

    :param name: of the run
    :param tests: list of streams.Test
    :param foretold: dict of promised.Foretold, as promised.read returns it
    :param required: compiled regular expression, or None, as promised.read
        returns it
    """
    expected = promised.compare(foretold, tests, required)
    problems = promised.problems(expected, tests, required)
    # One of several may have nothing to test.
    return Run(name, tests, expected, [
        problem for problem in problems
        if not name or problem != promised.NOTHING_RAN])


def short(test):
    """Shorten the full name of a test, or that of a class.

    :param test: the name
    """
    if test == streams.UNREADABLE:
        return 'parts of the stream that cannot be read'
    found = _FIXTURE.match(test)
    if found:
        return '%s, %s' % (short(found[2]), found[1])
    return test.removeprefix(_TESTS).partition('[')[0]


def each(runs):
    """Go through all tests.

    :param runs: list of :class:`Run`
    :returns: iterable of pairs of the run and a streams.Test
    """
    return ((run, test) for run in runs for test in run.tests)
