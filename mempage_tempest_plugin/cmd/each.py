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

"""The command mempage-tempest run: the suite once for each host."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import re
import tempfile
import time

from oslo_utils import timeutils
import prettytable

from mempage_tempest_plugin.changes import ini
from mempage_tempest_plugin.cmd import argument_types
from mempage_tempest_plugin.cmd import hosts_of_runs
from mempage_tempest_plugin.cmd import lanes
from mempage_tempest_plugin.cmd import new_directory
from mempage_tempest_plugin.cmd import report
from mempage_tempest_plugin.cmd import runner
from mempage_tempest_plugin.cmd import tempest_conf
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions

#: The run that is about no host of its own.
CLOUD = 'cloud'
# What became of a run, beside streams.PASSED and streams.FAILED.
_ERROR = 'error'
_NOT_RUN = 'not run'

# As base.PER_CLOUD and base.PER_HOST are in the names of tests: to import the
# tests is not the business of this process.
_ATTRIBUTE = r'\[.*\b%s\b.*\]$'
_PER_CLOUD = re.compile(_ATTRIBUTE % 'per-cloud')
_PER_HOST = re.compile(_ATTRIBUTE % 'per-host')
# Seconds after which runs that go on are named, if none has ended meanwhile.
_PATIENCE = 30


def add_parser(commands):
    """Add the parser of the command.

    :param commands: the subparsers of mempage-tempest
    """
    parser = commands.add_parser(
        'run', help='run the tests of each host in a run of its own')
    parser.set_defaults(function=run)
    parser.add_argument(
        '--each', action='store_true',
        help='run what is the same for all hosts once, and then all other '
             'tests once for each host')
    parser.add_argument(
        '--lanes', type=argument_types.at_least_one, default=1, metavar='N',
        help='how many hosts at a time; %(default)s if not given')
    parser.add_argument(
        '--config-file', default='etc/tempest.conf', metavar='FILE',
        help='tempest.conf; %(default)s if not given')
    parser.add_argument(
        '--hosts', type=argument_types.names, default=[], metavar='A,B',
        help='these hosts only; those of [mempage] hosts if not given')
    parser.add_argument(
        '--regex', type=argument_types.regex, default='', metavar='REGEX',
        help='only tests in whose name this is found')
    parser.add_argument(
        '--results', type=pathlib.Path, metavar='DIR',
        default=time.strftime('results-%Y%m%d-%H%M%S'),
        help='a new directory for the results; named after the time if not '
             'given')


def run(arguments):
    """Run the tests of each host in a run of its own.

    :param arguments: the parsed command line
    :returns: exit status: 0 if some runs have passed, and all others have
        nothing to test on their hosts, or 1
    :raises RunError: if nothing can run
    """
    if not arguments.each:
        raise exceptions.RunError(
            'run: one run about all hosts is "tempest run --regex '
            'mempage_tempest_plugin"; --each makes one of each host')
    text = tempest_conf.read(arguments.config_file)
    hosts, usable = hosts_of_runs.choose(arguments.hosts)
    results = new_directory.make(arguments.results)
    watch = timeutils.StopWatch().start()
    with tempfile.TemporaryDirectory(prefix='mempage-') as directory, \
            lanes.interruptible():
        each = Each(pathlib.Path(directory), results, text,
                    arguments.lanes)
        tests = each.find(arguments.regex)
        outcomes = each.run(*_tasks(tests, hosts, usable))
    _show(outcomes, watch.elapsed())
    print('results: %s' % results)
    _make_page(results)
    verdicts = {outcome.verdict for outcome in outcomes}
    return int(streams.PASSED not in verdicts
               or not verdicts <= {streams.PASSED, streams.SKIPPED})


def _make_page(results):
    """Make the page of all runs, unless none has come to any result.

    :param results: pathlib.Path of the directory of the results
    """
    try:
        print('page: %s' % report.make([results], results / 'report.html'))
    except exceptions.MempageError as error:
        print('no page: %s' % error)


@dataclasses.dataclass(frozen=True)
class Task:
    """One run.

    :ivar name: of the host, or CLOUD
    :ivar tests: list of the tests' names
    :ivar hosts: names of the hosts that it is about
    :ivar peers: names of hosts that servers may go to besides
    """

    name: str
    tests: list
    hosts: list
    peers: list


def _tasks(tests, hosts, usable):
    """Deal out tests.

    :param tests: names of the tests
    :param hosts: names of the hosts that have a run each
    :param usable: names of all hosts that may be used
    :returns: list of the :class:`Task` of the cloud, which is empty if there
        are no such tests, and list of those of hosts
    :raises RunError: if there are no tests
    """
    of_cloud = list(filter(_PER_CLOUD.search, tests))
    of_hosts = list(filter(_PER_HOST.search, tests))
    if not of_cloud and not of_hosts:
        raise exceptions.RunError('no test is called so')
    rest = [name for name in usable if name not in hosts]
    return ([Task(CLOUD, of_cloud, hosts, rest)] if of_cloud else [],
            [Task(name, of_hosts, [name], hosts_of_runs.peers(name, usable))
             for name in hosts] if of_hosts else [])


@dataclasses.dataclass
class Outcome:
    """What became of one run.

    :ivar name: of the host, or CLOUD
    :ivar seconds: how long it took
    :ivar counts: dict of numbers of tests by their status
    :ivar failures: names of the tests that failed, and of those that had to
        run and did not, with the reason
    :ivar error: why it counts for nothing; None if it does not
    :ivar skips: why no test ran, as was foretold; None if some did
    """

    name: str
    seconds: float = 0
    counts: collections.Counter = dataclasses.field(
        default_factory=collections.Counter)
    failures: list = dataclasses.field(default_factory=list)
    error: str | None = None
    skips: str | None = None

    @property
    def verdict(self):
        """One word for it."""
        if self.error:
            return _NOT_RUN if self.error == _NOT_RUN else _ERROR
        if self.skips:
            return streams.SKIPPED
        return streams.FAILED if self.failures else streams.PASSED

    @property
    def why(self):
        """Why nothing was tested; None if something was."""
        return self.error or self.skips

    def __str__(self):
        reason = ': ' + self.why if self.why else ''
        return '%s: %s%s (%s), %d s' % (
            self.name, self.verdict, reason, ', '.join(
                '%d %s' % (self.counts[status], status)
                for status in _STATUSES), self.seconds)


_STATUSES = (streams.PASSED, streams.FAILED, streams.SKIPPED)


class Each:
    """Runs of the suite, each about one host, several at a time.

    :param directory: a private pathlib.Path for what has passwords in it
    :param results: pathlib.Path of the directory of the results
    :param configuration: text of tempest.conf
    :param limit: how many runs at a time
    """

    def __init__(self, directory, results, configuration, limit):
        self._directory = directory
        self._results = results
        self._configuration = configuration
        self._limit = limit
        self._lanes = lanes.Lanes()
        self._running = {}
        self._runner = runner.Runner(directory, self._lanes)

    def find(self, regex):
        """Find tests.

        :param regex: what has to be found in their names
        :returns: list of the tests' names
        :raises RunError: if they cannot be listed
        """
        return self._runner.find(regex)

    def run(self, of_cloud, of_hosts):
        """Run everything; when interrupted, end what runs.

        :param of_cloud: list of the :class:`Task` that run before all others
        :param of_hosts: list of those of the hosts
        :returns: list of :class:`Outcome`, in the order of the tasks
        """
        tasks = of_cloud + of_hosts
        ended = {}
        with concurrent.futures.ThreadPoolExecutor(self._limit) as threads:
            begin = functools.partial(threads.submit, self._take)
            futures = []
            try:
                for part in of_cloud, of_hosts:
                    futures += map(begin, part)
                    self._follow(futures, ended, len(tasks))
            except KeyboardInterrupt:
                # Who kills it wants to know all the same what has ended.
                with contextlib.suppress(KeyboardInterrupt):
                    self._lanes.end(futures)
            for future in futures:
                if not future.cancelled():
                    ended[future.result().name] = future.result()
        return [ended.get(task.name) or Outcome(task.name, error=_NOT_RUN)
                for task in tasks]

    def _follow(self, futures, ended, number):
        """Wait for runs, and tell about them.

        :param futures: list of futures of :class:`Outcome`
        :param ended: dict of those that have ended by name; it grows
        :param number: how many there are in all
        """
        watch = timeutils.StopWatch().start()
        left = {future for future in futures if not future.done()}
        here = len(left)
        while left:
            done, left = concurrent.futures.wait(
                left, _PATIENCE, concurrent.futures.FIRST_COMPLETED)
            for outcome in (future.result() for future in done):
                ended[outcome.name] = outcome
                lanes.say('%s, %d of %d' % (outcome, len(ended), number))
                for name in outcome.failures:
                    lanes.say('%s: failed: %s' % (outcome.name, name))
            if left and done:
                lanes.say('about %d s are left' % (
                    watch.elapsed() / (here - len(left)) * len(left)))
            elif left:
                lanes.say('still running: %s' % ', '.join(
                    '%s for %d s' % (name, since.elapsed())
                    for name, since in sorted(self._running.items())))

    def _take(self, task):
        """Do one run, whatever happens to it.

        :param task: the :class:`Task`
        :returns: the :class:`Outcome`
        """
        lanes.say('%s: begins, %d tests' % (task.name, len(task.tests)))
        outcome = Outcome(task.name)
        watch = self._running[task.name] = timeutils.StopWatch().start()
        try:
            self._call(task, outcome)
        except Exception as error:
            outcome.error = '%s: %s' % (type(error).__name__, error)
        del self._running[task.name]
        outcome.seconds = watch.elapsed()
        return outcome

    def _call(self, task, outcome):
        own = self._directory / ('of-' + task.name)
        own.mkdir()
        configuration = own / 'tempest.conf'
        with contextlib.ExitStack() as stack:
            _write(configuration, self._configured(task))
            stack.callback(configuration.unlink)
            tests = own / 'tests'
            tests.write_text('\n'.join(task.tests) + '\n')
            stdout, stderr = (stack.enter_context(
                open(self._results / (task.name + suffix), 'xb'))
                for suffix in ('.subunit', '.stderr'))
            status = self._runner.run(
                own, tests, self._limit if task.name == CLOUD else 1,
                stdout=stdout, stderr=stderr,
                env=runner.environment(configuration))
            self._count(outcome, status)
            if not outcome.error:
                self._compare(outcome, configuration, tests)

    def _configured(self, task):
        """Tell what hosts a run is about.

        Its locks are those of all others, so that the leases of tests hold
        between runs; its log is its own.
        """
        return ini.edit(self._configuration, {
            ('DEFAULT', 'log_file'): str(self._results / (
                task.name + '.log')),
            ('mempage', 'hosts'): ','.join(task.hosts),
            ('mempage', 'peers'): ','.join(task.peers) or None})

    def _count(self, outcome, status):
        """Count what a run has to show.

        :param outcome: its :class:`Outcome`
        :param status: its exit status
        """
        said = _last_line(self._results / (outcome.name + '.stderr'))
        path = self._results / (outcome.name + '.subunit')
        try:
            tests = streams.read(str(path))
        except exceptions.ResultsError as error:
            tests = []
            problem = str(error)
        else:
            problem = None
        outcome.counts.update(test.status for test in tests)
        outcome.failures = [test.name for test in tests
                            if test.status == streams.FAILED]
        if self._lanes.stopped and status != 0:
            outcome.error = 'interrupted'
        elif status != 0 and (status != 1 or not outcome.failures):
            outcome.error = 'status %d: %s' % (status, said or problem
                                               or 'it said nothing')
        else:
            outcome.error = problem

    def _compare(self, outcome, configuration, tests):
        """Compare what a run has to show with what it had to.

        :param outcome: its :class:`Outcome`
        :param configuration: pathlib.Path of its tempest.conf
        :param tests: pathlib.Path of the list of its tests
        """
        done = runner.expect(
            runner.environment(configuration), '--json', '--config-file',
            configuration, '--load-list', tests, '--results',
            self._results / (outcome.name + '.subunit'))
        try:
            found = json.loads(done.stdout)['tests']
            (self._results / (outcome.name + report.EXPECTED)).write_text(
                done.stdout)
        except ValueError:
            outcome.error = 'expect: status %d: %s' % (
                done.returncode, runner.last(done.stderr))
            return
        outcome.failures += ['%s: %s' % (test['test'], test['problem'])
                             for test in found if test['problem']]
        if not outcome.counts[streams.PASSED] + len(outcome.failures):
            outcome.skips = '; '.join(dict.fromkeys(
                test['reason'] for test in found))


def _write(path, text):
    """Write a file that nobody else may read."""
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600),
              'w', encoding='utf-8') as stream:
        stream.write(text)


def _last_line(path):
    """Get the last line of what a run said; without any, the file goes."""
    said = runner.last(path.read_text(errors='replace'))
    if not said:
        path.unlink()
    return said


def _show(outcomes, seconds):
    """Print the table of all runs.

    :param outcomes: list of :class:`Outcome`
    :param seconds: how long all of them took together
    """
    table = prettytable.PrettyTable(
        ['host', 'result', *_STATUSES, 'seconds'], align='r')
    table.align['host'] = table.align['result'] = 'l'
    for outcome in outcomes:
        table.add_row(_row(outcome.name, outcome.verdict, [outcome],
                           outcome.seconds))
    passed = [outcome for outcome in outcomes
              if outcome.verdict == streams.PASSED]
    table.add_row(_row('all', '%d of %d passed' % (
        len(passed), len(outcomes)), outcomes, seconds))
    print(table)
    for outcome in outcomes:
        if outcome.why:
            print('%s: %s' % (outcome.name, outcome.why))


def _row(name, result, outcomes, seconds):
    return [name, result, *(
        sum(outcome.counts[status] for outcome in outcomes)
        for status in _STATUSES), '%d' % seconds]
