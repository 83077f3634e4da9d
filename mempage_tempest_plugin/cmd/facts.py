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

"""The command mempage-tempest facts: what a run has seen on each host."""

import dataclasses
import json
import re
import sys

from mempage_tempest_plugin.cmd import argument_types
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions


def add_parser(commands):
    """Add the command.

    :param commands: what argparse's add_subparsers returned
    """
    command = commands.add_parser(
        'facts', help='list what a run has seen on each host')
    command.set_defaults(function=run)
    command.add_argument(
        'results', metavar='RESULTS',
        help='what "stestr last --subunit" writes; - is stdin')
    command.add_argument('--host', metavar='NAME', help='only of this host')
    command.add_argument(
        '--test', type=argument_types.regex, default='', metavar='REGEX',
        help='only of tests in whose name this is found')
    command.add_argument(
        '--disagreeing', action='store_true',
        help='only comparisons with a fact that is not as expected')
    command.add_argument(
        '--json', action='store_true',
        help='a line of JSON for each host and test')


def run(arguments):
    """List facts by host and test.

    :param arguments: of the command
    :returns: exit status
    :raises ResultsError: if there are none
    """
    found = _chosen(_read(arguments.results), arguments)
    show = _as_json if arguments.json else _as_text
    for result in found:
        print(show(result))
    return 0


def _read(path):
    """Read results of hosts, ordered by host.

    :param path: of the command
    :returns: list of streams.HostResult
    :raises ResultsError: if there are none
    """
    tests = streams.read('/dev/stdin' if path == '-' else path)
    if any(test.name == streams.UNREADABLE for test in tests):
        print('mempage-tempest: results %s: parts of it cannot be read, and '
              'are left out' % path, file=sys.stderr)
    found = [result for test in tests for result in test.hosts()]
    if not found:
        raise exceptions.ResultsError(
            path, 'no facts in it: its tests kept none, as those of other '
                  'plugins and of earlier versions')
    return sorted(found, key=lambda result: result.host or '')


def _chosen(found, arguments):
    chosen = [result for result in found
              if arguments.host in (None, result.host)
              and re.search(arguments.test, result.test)]
    if not chosen:
        raise exceptions.ResultsError(
            arguments.results, 'no facts that were asked for; there are some '
                               'of %s' % ', '.join(sorted(
                                   {_name(result) for result in found})))
    if not arguments.disagreeing:
        return chosen
    chosen = [dataclasses.replace(result, comparisons=list(filter(
        streams.disagrees, result.comparisons))) for result in chosen]
    return [result for result in chosen if result.comparisons]


def _name(result):
    return 'host %s' % result.host if result.host else 'guests'


def _as_json(result):
    return json.dumps(dataclasses.asdict(result))


def _as_text(result):
    parts = ['%s: %s: %s' % (_name(result), result.test, result.outcome)]
    parts += filter(None, [result.error, result.reason])
    parts += ['%s  %s\n%s' % (
        comparison['when'], comparison['subject'],
        facts.table([facts.Fact(**fact) for fact in comparison['facts']]))
        for comparison in result.comparisons]
    return '\n\n'.join(parts) + '\n'
