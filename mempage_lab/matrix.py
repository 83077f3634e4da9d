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

"""Runs the suite in labs of several releases, one after the other."""

import dataclasses
import itertools
import json
import pathlib
import time

from mempage_lab import errors
from mempage_lab import files
from mempage_lab import lab
from mempage_lab import runner
from mempage_lab import stream
from mempage_lab import tables

GREEN = 'green'
RED = 'red'
#: The lab did not come up, or Tempest ended before its tests.
UNFINISHED = 'unfinished'


@dataclasses.dataclass(frozen=True)
class Cloud:
    """One cloud of the matrix.

    :ivar release: the name of a release
    :ivar stock: whether Nova is without the project's extension
    :ivar system: the Debian that all of its nodes run
    """
    release: str
    stock: bool
    system: str


@dataclasses.dataclass(frozen=True)
class Result:
    """What the suite found in one cloud.

    :ivar failures: dict of the name of each test that failed to its message
    :ivar skipped: how many tests were skipped
    :ivar error: why not all of it ran, or an empty text
    :ivar versions: what :func:`mempage_lab.versions.collect` returned
    :ivar results: the directory with all that is known of the run
    """
    cloud: Cloud
    passed: int = 0
    failures: dict = dataclasses.field(default_factory=dict)
    skipped: int = 0
    error: str = ''
    seconds: float = 0
    versions: dict | None = None
    results: str = ''

    @property
    def verdict(self):
        """Whether all passed; UNFINISHED if not all could run."""
        if self.error or not (self.passed or self.failures):
            return UNFINISHED
        return RED if self.failures else GREEN


def clouds(releases, stock, systems):
    """Return the clouds of a matrix.

    :param releases: names of releases
    :param stock: whether Nova is stock, for each of the two ways it can be
    :param systems: names of systems
    :returns: list of :class:`Cloud`
    """
    return [Cloud(release, edition, system) for system, release, edition
            in itertools.product(systems, releases, stock)]


def run(wishes, arguments, shown):
    """Run the suite in each cloud; go on after whatever fails.

    :param wishes: dict of :class:`Cloud` to :class:`mempage_lab.lab.Wish`
    :param arguments: of ``tempest run``
    :param shown: a :class:`mempage_lab.progress.Progress`
    :returns: a generator of :class:`Result`
    """
    for number, (cloud, wish) in enumerate(wishes.items(), 1):
        begin = time.monotonic()
        try:
            result = _run_one(cloud, wish, arguments, shown)
        except errors.LabError as error:
            result = Result(cloud, error=str(error))
        result = dataclasses.replace(
            result, seconds=round(time.monotonic() - begin, 1))
        shown.say('cloud %d of %d, %s: %s, %d passed, %d failed, %d skipped'
                  % (number, len(wishes), name(cloud), result.verdict,
                     result.passed, len(result.failures), result.skipped))
        yield result


def _run_one(cloud, wish, arguments, shown):
    lab.down(shown)
    lab.choose(wish, shown).up(shown)
    status, results = runner.run(arguments, shown)
    outcome = stream.read(results / 'results.subunit')
    # As a worker that is killed between two tests.
    unnamed = status and not outcome.failures
    failures = {test: ' '.join(stream.message(text))
                for test, text in outcome.failures.items()}
    surprise = runner.compare(arguments, results)
    if surprise:
        failures[runner.EXPECTED] = surprise
    said, made = runner.make_page(results)
    # Where no test ran, there is nothing to make one of.
    if outcome.passed and not made:
        failures[runner.PAGE] = said
    return Result(
        cloud, len(outcome.passed), failures, len(outcome.skips),
        error='tempest run: exit status %d, and no test failed' % status
        if unnamed else '',
        versions=json.loads((results / 'versions.json').read_text()),
        results=str(results.resolve()))


def name(cloud):
    """Say which cloud it is."""
    return '%s %s %s' % (cloud.release, _edition(cloud), cloud.system)


def _edition(cloud):
    return 'stock' if cloud.stock else 'extension'


def save(results, path):
    """Write results to a file, as JSON.

    :param results: list of :class:`Result`
    :param path: a :class:`pathlib.Path`
    """
    files.write_json(path, [
        dict(dataclasses.asdict(result), verdict=result.verdict)
        for result in results])


def load(path):
    """Read what :func:`save` wrote.

    :raises LabError: if the file is something else
    """
    try:
        content = json.loads(path.read_text())
        if not isinstance(content, list):
            raise ValueError('it is no list')
        for entry in content:
            entry.pop('verdict')
            entry['cloud'] = Cloud(**entry['cloud'])
        return [Result(**entry) for entry in content]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError,
            RecursionError) as error:
        raise errors.LabError('%s holds no results of a matrix: %s' % (
            path, error)) from error


def show(results):
    """Print a table of verdicts, each test that failed, and where pages are.

    :param results: list of :class:`Result`
    """
    tables.show('Matrix', (
        'RELEASE', 'NOVA', 'SYSTEM', 'VERDICT', '>PASSED', '>FAILED',
        '>SKIPPED', '>SECONDS', 'VERSIONS'), map(_row, results))
    for result in results:
        if result.error:
            print('%s: %s' % (name(result.cloud), result.error))
        for test, message in result.failures.items():
            print('%s: %s: %s' % (name(result.cloud), test, message))
    for result in results:
        page = pathlib.Path(result.results, runner.PAGE)
        if result.results and page.exists():
            print('%s: page: %s' % (name(result.cloud), page))


def _row(result):
    cloud = result.cloud
    return (cloud.release, _edition(cloud), cloud.system, result.verdict,
            result.passed, len(result.failures), result.skipped,
            result.seconds, _versions(result.versions))


def _versions(found):
    if not found:
        return ''
    systems = {'libvirt %(libvirt)s, QEMU %(qemu)s' % host
               for host in found['hosts'].values() if host}
    return 'nova %s, %s' % (found['openstack'].get('nova'),
                            '; '.join(sorted(systems)))
