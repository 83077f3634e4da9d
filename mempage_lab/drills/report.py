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

"""Shows what came of drills."""

import collections
import dataclasses

from mempage_lab.drills import running
from mempage_lab import files
from mempage_lab import tables


def show(results):
    """Print a table, and how many faults were caught.

    :param results: list of :class:`mempage_lab.drills.running.Result`
    """
    tables.show('Drills', ('DRILL', 'HOST', 'VERDICT', 'SAID'), [
        (result.name, result.host, result.verdict, result.said)
        for result in results])
    counts = collections.Counter(result.verdict for result in results)
    print('%d of %d caught%s' % (
        counts.pop(running.CAUGHT, 0), len(results),
        ''.join('; %d %s' % (count, verdict)
                for verdict, count in counts.items())))


def show_runs(runs):
    """Print a table of runs in a lab that nobody has broken.

    :param runs: list of :class:`mempage_lab.drills.clean.Run`
    """
    tables.show('Runs', ('>SEED', '>PASSED', '>FAILED', '>SECONDS', 'WHICH'), [
        (run.seed, run.passed, len(run.failed), run.seconds,
         ' '.join(run.failed)) for run in runs])
    print('%d of %d clean' % (sum(run.clean for run in runs), len(runs)))


def save(results, path):
    """Write results to a file, as JSON.

    :param results: list of :class:`mempage_lab.drills.running.Result` or
        :class:`mempage_lab.drills.clean.Run`
    :param path: a :class:`pathlib.Path`
    """
    files.write_json(path, [dataclasses.asdict(result)
                            for result in results])
