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

"""Runs the whole suite again and again in a lab that nobody has broken."""

import dataclasses
import random
import time

from mempage_lab import runner
from mempage_lab import stream

_LARGEST_SEED = 2 ** 32


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run of the suite came to.

    :ivar seed: of the order of the tests
    :ivar passed: how many tests passed
    :ivar failed: names of the tests that failed; what ended the run, if none
        of them did
    :ivar said: all facts that were found, and why tests were skipped, as
        lines; each of them once
    """

    seed: int
    passed: int
    failed: tuple
    seconds: float
    said: tuple = ()

    @property
    def clean(self):
        """Whether tests ran, and all of them passed."""
        return bool(self.passed and not self.failed)


def run(count, workers, shown):
    """Run the suite in random order.

    :param count: how many times
    :param workers: how many of them
    :param shown: a :class:`mempage_lab.progress.Progress`
    :returns: a generator of :class:`Run`
    """
    arguments = runner.suite(workers)
    for number in range(1, count + 1):
        seed = random.randrange(_LARGEST_SEED)
        begin = time.monotonic()
        status, results = runner.run(arguments, shown, seed)
        outcome = stream.read(results / 'results.subunit')
        failed = tuple(sorted(outcome.failures))
        if status and not failed:
            # As a worker that is killed between two tests.
            failed = ('tempest run: exit status %d' % status,)
        if runner.compare(arguments, results):
            failed += (str(results / runner.EXPECTED),)
        done = Run(seed, len(outcome.passed), failed,
                   round(time.monotonic() - begin, 1),
                   tuple(sorted({*outcome.facts, *outcome.skips.values()})))
        shown.say('run %d of %d, seed %d: %d passed, %d failed' % (
            number, count, seed, done.passed, len(done.failed)))
        yield done
