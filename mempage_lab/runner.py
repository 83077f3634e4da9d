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

"""Runs Tempest in the lab."""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

from mempage_lab import accounts
from mempage_lab.discovery import shares
from mempage_lab.discovery import test_discover
from mempage_lab import errors
from mempage_lab import lab
from mempage_lab import paths
from mempage_lab import shell
from mempage_lab import trace
from mempage_lab import versions

#: How many workers run the suite: with two, both CPUs are idle for a fifth of
#: the time, while all that the workers do is to wait for Nova.
WORKERS = 4
#: This project's tests.
SUITE = '^mempage_tempest_plugin'
#: What the command said that compares a run with what it had to show.
EXPECTED = 'expected.txt'
#: The page of a run.
PAGE = 'report.html'
BIN = pathlib.Path(sys.prefix, 'bin')
#: What the lab's certificates are about.
PRODUCT = paths.PACKAGE / 'product.yaml'
# A command whose whole process group gets a signal when its standard input
# ends, and so when the process at the other end of that dies, whatever of.
_ENDED_WITH_INPUT = ('exec 3<&0; { cat; kill -%s 0; } <&3 >&2 & '
                     'exec "$@" 3<&- </dev/null')
# Tests stay with those of their class.
STESTR_CONF = """[DEFAULT]
test_path=%s
top_dir=%s
group_regex=([^\\.]*\\.)*
""" % (paths.PACKAGE / 'discovery', paths.PACKAGE.parent)


def suite(workers=WORKERS, regex=SUITE):
    """Tell what runs when the user names no tests: this project's suite.

    :param workers: how many of them
    :param regex: which tests
    :returns: arguments of ``tempest run``
    """
    return ('--regex', regex, '--concurrency', str(workers))


def help_of(program, *arguments):
    """Print the help of a command to which arguments are handed on.

    :returns: its exit status
    """
    return subprocess.call([BIN / program, *arguments, '--help'])


def check_values(program, arguments):
    """Leave as a command does that refuses what an option is given.

    It tells that before the help that is asked for at the end. Of options
    that it does not know, it tells only when it runs.

    :param program: whose subcommand ``run`` gets the arguments
    """
    status = subprocess.call([BIN / program, 'run', *arguments, '--help'],
                             stdout=subprocess.DEVNULL)
    if status:
        sys.exit(status)


def check(arguments):
    """Refuse what Tempest would refuse once the lab is up.

    :param arguments: of ``tempest run``
    :raises LabError: if they select tests by what is no regular expression
    :raises SystemExit: as Tempest does, if it does not know them
    """
    selected = _selection(arguments)
    for option, value in zip(selected[::2], selected[1::2]):
        # Tempest takes several, with blanks between them.
        for regex in {'--regex': value.split(),
                      '--exclude-regex': [value]}.get(option, ()):
            try:
                re.compile(regex)
            except (re.error, OverflowError, RecursionError) as error:
                raise errors.LabError('%s: %s: %.50r' % (
                    option, error, regex)) from error


def run(arguments, shown=None, seed=None):
    """Run Tempest and keep its results.

    :param arguments: of ``tempest run``; this project's suite runs unless
        they name tests
    :param shown: a :class:`mempage_lab.progress.Progress` that tells how far
        it is; none: what Tempest prints is shown
    :param seed: a number for a random order of the tests
    :returns: exit status of Tempest, and the directory of the results
    """
    _prepare_workspace()
    before = _number_of_runs()
    environment = {} if seed is None else {test_discover.SEED: str(seed)}
    if shown:
        # Else Python keeps lines for which nobody is at a terminal.
        environment['PYTHONUNBUFFERED'] = '1'
    with tempfile.TemporaryDirectory(dir=paths.TEMPEST_WORKSPACE) as shared:
        status = _call(
            BIN / 'tempest', 'run', '--config-file', paths.TEMPEST_CONF,
            *_naming_tests(arguments), cwd=paths.TEMPEST_WORKSPACE,
            env={**os.environ, **environment, shares.DIRECTORY: shared},
            shown=shown)
    return status, _keep_results(_number_of_runs() != before)


def compare(arguments, results):
    """Compare a run with what it had to show, and keep that.

    :param arguments: of ``tempest run``; this project's suite runs unless
        they name tests
    :param results: the directory of the results
    :returns: what had to run and did not, as text; None if all did
    """
    done = subprocess.run(
        [BIN / 'mempage-tempest', 'expect', '--config-file',
         paths.TEMPEST_CONF, '--results', results / 'results.subunit',
         '--json-file', results / 'results.expected.json',
         *_selection(_naming_tests(arguments))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=paths.TEMPEST_WORKSPACE)
    (results / EXPECTED).write_text(done.stdout)
    return done.stdout if done.returncode else None


def make_page(results):
    """Make the page of a run, beside its results.

    :param results: the directory of the results
    :returns: what the command said, and whether the page is there
    """
    done = subprocess.run(
        [BIN / 'mempage-tempest', 'report', results, '--output',
         results / PAGE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    return done.stdout.strip(), done.returncode == 0


def _naming_tests(arguments):
    """Add the suite to arguments that name no tests, or only excluded ones."""
    named = {'--regex', '--include-list', '--load-list'}.intersection(
        _selection(arguments))
    # The last one of an argument counts.
    return arguments if named else (*suite(), *arguments)


def _selection(arguments):
    """Pick those arguments of ``tempest run`` that select tests.

    Those of old names, which Tempest still takes, get today's.
    """
    # Other commands need not wait for Tempest.
    from tempest.cmd import run as tempest_run

    given = tempest_run.TempestRun(None, None).get_parser(
        'tempest run').parse_args(list(map(str, arguments)))
    selected = {
        '--regex': 'smoke' if given.smoke else given.regex,
        '--exclude-regex': given.exclude_regex or given.black_regex,
        '--include-list': given.include_list or given.whitelist_file,
        '--exclude-list': given.exclude_list or given.blacklist_file,
        '--load-list': given.load_list}
    return [part for option, value in selected.items() if value
            for part in (option, value)]


def run_each(arguments):
    """Run the suite once for each host, and keep the results.

    :param arguments: of ``mempage-tempest run``
    :returns: exit status of it
    """
    _prepare_workspace()
    results = _new_results()
    try:
        # It puts an end to its own children, and tells what has ended.
        return _call(
            BIN / 'mempage-tempest', 'run', '--config-file',
            paths.TEMPEST_CONF, '--results', results, *arguments,
            cwd=paths.TEMPEST_WORKSPACE, ended_by='TERM')
    finally:
        # Not before: it takes only a directory that is empty.
        _note_versions(results)
        # It made one, of which these are no part.
        make_page(results)


def certify(arguments):
    """Run what a profile asks for, and make a certificate of it.

    Unless others are named, the profile and the product are the lab's own.

    :param arguments: of ``mempage-certify run``
    :returns: exit status of it
    """
    _prepare_workspace()
    own = () if any(
        argument.startswith('--resume') for argument in arguments) else (
        '--profile', 'smoke-lab', '--product', PRODUCT,
        '--results', _new_results() / 'certificate')
    return _call(
        BIN / 'mempage-certify', 'run', '--config-file', paths.TEMPEST_CONF,
        *own, *arguments, cwd=paths.TEMPEST_WORKSPACE, ended_by='TERM')


def _call(*command, ended_by='KILL', shown=None, **kwargs):
    """Run a command that does not outlive this process.

    Nor do its children: the workers of Tempest would go on with their tests.

    :param ended_by: the signal that it gets if this process ends first
    :param shown: as of :func:`run`
    :param kwargs: passed on to :class:`subprocess.Popen`
    :returns: its exit status
    """
    if shown:
        kwargs.update(stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                      text=True, errors='replace')
    process = subprocess.Popen(
        ['sh', '-c', _ENDED_WITH_INPUT % ended_by, 'sh', *command],
        stdin=subprocess.PIPE, start_new_session=True, **kwargs)
    if shown:
        # Its children may print after its end: nobody waits for these.
        watching = threading.Thread(target=trace.watch,
                                    args=(process.stdout, shown))
        watching.start()
    try:
        return process.wait()
    finally:
        process.stdin.close()
        process.wait()
        if shown:
            watching.join()


def _number_of_runs():
    """Return stestr's own count: Tempest may end before it runs any test."""
    count = paths.TEMPEST_WORKSPACE / '.stestr' / 'next-stream'
    return count.read_text() if count.exists() else ''


def _prepare_workspace():
    conf = paths.TEMPEST_WORKSPACE / '.stestr.conf'
    if not conf.exists():
        shell.run(BIN / 'tempest', 'init', '--workspace-path',
                  paths.STATE / 'workspaces.yaml', paths.TEMPEST_WORKSPACE)
    conf.write_text(STESTR_CONF)
    accounts.release()


def _keep_results(ran):
    """Copy the last run's stream of results out of the workspace."""
    results = _new_results()
    _note_versions(results)
    with open(results / 'results.subunit', 'wb') as stream:
        if ran:
            subprocess.run([BIN / 'stestr', 'last', '--subunit'],
                           stdout=stream, cwd=paths.TEMPEST_WORKSPACE)
    if paths.TEMPEST_LOG.exists():
        paths.TEMPEST_LOG.rename(results / 'tempest.log')
    return results


def _new_results():
    """Make a directory for results, to which ``latest`` points."""
    now = datetime.datetime.now().strftime('%Y%m%d-%H%M%S')
    results = paths.RESULTS / now
    results.mkdir(parents=True)
    latest = paths.RESULTS / 'latest'
    latest.unlink(missing_ok=True)
    latest.symlink_to(results.name)
    return results


def _note_versions(results):
    (results / 'versions.json').write_text(json.dumps(
        versions.collect(lab.load()), indent=2) + '\n')
