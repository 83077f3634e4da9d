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

"""The command mempage-tempest report: a page of a run, for people."""

import json
import pathlib

import jsonschema
import yaml

from mempage_tempest_plugin.cmd import argument_types
from mempage_tempest_plugin.cmd import outputs
from mempage_tempest_plugin.evidence import promised
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.pages import report
from mempage_tempest_plugin.pages import runs as runs_of
from mempage_tempest_plugin import schema_errors

#: How files of results end, and what was foretold of them. NAME.expected.json
#: beside NAME.subunit is what "mempage-tempest expect --json" writes.
STREAM = '.subunit'
EXPECTED = '.expected.json'
#: What the cloud runs on, beside the results.
VERSIONS = 'versions.json'

_SCHEMA = pathlib.Path(report.__file__).with_name('versions_schema.yaml')


def add_parser(commands):
    """Add the command.

    :param commands: what argparse's add_subparsers returned
    """
    command = commands.add_parser(
        'report', help='make a page of a run',
        description='Make a page of HTML of a run: the verdict, failures with '
        'their evidence, what was skipped and why, what was seen on each '
        'host, and where the time went. It needs no other file, no network '
        'and no script. Beside NAME.subunit, NAME.expected.json tells what '
        'had to run ("mempage-tempest expect --json-file"), and versions.json '
        'what the cloud runs on.')
    command.set_defaults(function=run)
    command.add_argument(
        'results', nargs='+', type=argument_types.not_empty,
        metavar='RESULTS',
        help='what "stestr last --subunit" writes, or a directory with such '
             'files called NAME.subunit, as of a run of each host; - is stdin')
    command.add_argument(
        '-o', '--output', type=argument_types.output, default='report.html',
        metavar='FILE',
        help='the page; %(default)s if not given')


def run(arguments):
    """Make the page.

    :param arguments: of the command
    :returns: exit status: 0 if the page is there, whatever is in it
    :raises ResultsError: if there are no results
    :raises DocumentError: if what lies beside them cannot be used
    :raises RunError: if the page cannot be written
    """
    print('page: %s' % make(arguments.results, arguments.output))
    return 0


def make(results, output):
    """Make the page of results.

    :param results: list of paths, as the command takes them
    :param output: path of the page
    :returns: the absolute path of the page
    :raises ResultsError: if there are no results
    :raises DocumentError: if what lies beside them cannot be used
    :raises RunError: if the page cannot be written
    """
    paths = [path for name in results for path in _streams(name)]
    outputs.refuse_sources(output, [
        beside for path in paths for beside in (
            path, path.with_name(path.stem + EXPECTED),
            path.with_name(VERSIONS))])
    text = report.html(_read_all(paths), _versions(paths))
    return _write(pathlib.Path(output), text)


def _streams(name):
    """List the files of results that a name stands for."""
    path = pathlib.Path('/dev/stdin' if name == '-' else name)
    if not path.is_dir():
        return [path]
    found = sorted(path.glob('*' + STREAM))
    if not found:
        raise exceptions.ResultsError(
            path, 'no file in it is called NAME%s' % STREAM)
    return found


def _read_all(paths):
    """Read runs; of several, some may have broken down.

    :returns: list of runs.Run
    :raises ResultsError: if none has any results
    """
    if len(paths) == 1:
        return [_read(paths[0], '')]
    runs = []
    for path in paths:
        try:
            runs.append(_read(path, path.stem))
        except exceptions.ResultsError as error:
            runs.append(runs_of.Run(path.stem, [], problems=[str(error)]))
            last = error
    if not any(run.tests for run in runs):
        raise last
    return runs


def _read(path, name):
    tests = streams.read(str(path))
    expected = path.with_name(path.stem + EXPECTED)
    if expected.exists():
        return runs_of.compared(name, tests, *promised.read(expected))
    return runs_of.Run(name, tests)


def _versions(paths):
    """Read what the cloud runs on, if the files beside results tell.

    :returns: a dict; None if they do not, or are of several clouds
    """
    found = {path.parent / VERSIONS for path in paths
             if (path.parent / VERSIONS).exists()}
    if len(found) != 1:
        return None
    [path] = found
    try:
        versions = json.loads(path.read_text(encoding='utf-8'))
        jsonschema.validate(versions, yaml.safe_load(
            _SCHEMA.read_text(encoding='utf-8')))
    except OSError as error:
        raise exceptions.DocumentError(path, error.strerror) from error
    except ValueError as error:
        raise exceptions.DocumentError(
            path, 'is not JSON: %s' % error) from error
    except jsonschema.ValidationError as error:
        raise exceptions.DocumentError(path, '%s: %s' % (
            error.json_path, schema_errors.message(error))) from error
    return versions


def _write(path, text):
    try:
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise exceptions.RunError('%s: %s' % (
            path, error.strerror)) from error
    return path.absolute()
