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
import json

from mempage_lab.drills import clean
from mempage_lab.drills import running
from mempage_lab import errors
from mempage_lab import files
from mempage_lab import tables


def show(results):
    """Print a table, and how many faults were caught.

    :param results: list of :class:`mempage_lab.drills.running.Result`
    """
    tables.show('Drills', ('DRILL', 'HOSTS', 'VERDICT', 'SAID'), [
        (result.name, ' '.join(result.hosts), result.verdict, result.said)
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


def show_clashes(clashes):
    """Print a table of words that do not tell of their fault alone.

    :param clashes: list of :class:`mempage_lab.drills.words.Clash`
    """
    tables.show('Words of drills that others say',
                ('DRILL', 'SAID OF', 'WHAT'), [
                    dataclasses.astuple(clash) for clash in clashes])


def save(results, path):
    """Write results to a file, as JSON.

    :param results: list of :class:`mempage_lab.drills.running.Result` or
        :class:`mempage_lab.drills.clean.Run`
    :param path: a :class:`pathlib.Path`
    """
    files.write_json(path, [dataclasses.asdict(result)
                            for result in results])


def load(path, but=()):
    """Read what :func:`save` wrote.

    :param path: a :class:`pathlib.Path`, or None; nothing has to be there
    :param but: names of drills of which results are left out
    :returns: list of the same
    :raises LabError: if it is no such file
    """
    if path is None:
        return []
    try:
        return [_read(each) for each in json.loads(path.read_text())
                if each.get('name') not in but]
    except FileNotFoundError:
        return []
    except (OSError, AttributeError, KeyError, TypeError, ValueError,
            RecursionError) as error:
        raise errors.LabError('%s is not what drill --json writes: %s' % (
            path, error)) from error


def _read(found):
    if 'seed' in found:
        return clean.Run(**{**found, 'failed': tuple(found['failed']),
                            'said': tuple(found['said'])})
    return running.Result(**{**found, 'hosts': tuple(found['hosts'])})
