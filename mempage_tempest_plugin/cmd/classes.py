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

"""The command mempage-tempest classes: which classes ran where, or why not."""

import argparse
import collections
import dataclasses
import os
import string

import prettytable

from mempage_tempest_plugin.cmd import suite
from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions

_TESTS = 'mempage_tempest_plugin.tests.'


def add_parser(commands):
    """Add the command.

    :param commands: what argparse's add_subparsers returned
    """
    command = commands.add_parser(
        'classes', help='show which test classes ran where, and why not',
        description='Show a table of the test classes and of what became of '
        'each in one run or several.')
    command.set_defaults(function=run)
    command.add_argument(
        'results', nargs='+', type=_named, metavar='[NAME=]RESULTS',
        help='what "stestr last --subunit" writes; a name for its column if '
             'that of the file does not do. Of several with one name, each '
             'result counts that none of the later ones has')
    command.add_argument(
        '--hosts', action='store_true',
        help='a column for each host that a run looked at, in place of one '
             'for each run')
    command.add_argument(
        '--all', action='store_true',
        help='a row for each class that there is, whether it ran or not')


def _named(text):
    name, equals, path = text.partition('=')
    if not equals:
        return os.path.basename(text).removesuffix('.subunit'), text
    if not (name and path):
        raise argparse.ArgumentTypeError('%r is not NAME=RESULTS' % text)
    return name, path


@dataclasses.dataclass
class Cell:
    """What became of a class in one run, or on one host.

    :ivar statuses: how many of its tests have which of streams' words
    :ivar reasons: why some were skipped, or hosts left out, each once
    """

    statuses: collections.Counter = dataclasses.field(
        default_factory=collections.Counter)
    reasons: dict = dataclasses.field(default_factory=dict)

    def note(self, status, reasons):
        """Count a test.

        :param status: one of streams' words
        :param reasons: why it was skipped, or hosts left out
        """
        self.statuses[status] += 1
        self.reasons.update(dict.fromkeys(filter(None, reasons)))


def run(arguments):
    """Show the table.

    :param arguments: of the command
    :returns: exit status: 0 if no test failed
    :raises ResultsError: if there are no results, or none of hosts
    """
    table = collections.defaultdict(lambda: collections.defaultdict(Cell))
    if arguments.all:
        for test in suite.load():
            table[streams.class_of(test.id())]
    columns = {}
    runs = _read(arguments.results)
    for name, tests in runs.items():
        found = list(_of_hosts(tests) if arguments.hosts
                     else _of_run(name, tests))
        if not found:
            raise exceptions.ResultsError(
                name, 'no facts of hosts in it; without --hosts, the table '
                      'has a column for each run')
        for column, of_class, status, reasons in found:
            columns[column] = None
            table[of_class][column].note(status, reasons)
    _show(table, list(columns))
    print()
    for name, tests in runs.items():
        print(_summary(name, tests))
    return int(any(cell.statuses[streams.FAILED] for cells in table.values()
                   for cell in cells.values()))


def _read(results):
    """Read results, and put those of one name together.

    :param results: pairs of a name and a path
    :returns: dict by name of lists of streams.Test
    :raises ResultsError: if there are none
    """
    runs = {}
    for name, path in results:
        later = streams.read('/dev/stdin' if path == '-' else path)
        runs[name] = [test for test in runs.get(name, ())
                      if not _comes_again(test, later)] + later
    return runs


def _comes_again(test, later):
    """Tell whether later results take the place of one."""
    return any(other.name == test.name or (
        other.is_whole_class or test.is_whole_class)
        and other.of_class == test.of_class for other in later)


def _summary(name, tests):
    """Tell how much a column has, and of when it is."""
    days = sorted({str(test.ended.date()) for test in tests if test.ended})
    numbers = collections.Counter(test.status for test in tests)
    return '%s: %s%s' % (name, ', '.join(
        '%d %s' % (number, status) for status, number
        in sorted(numbers.items())), days and ' (%s)' % ' to '.join(
            dict.fromkeys([days[0], days[-1]])) or '')


def _of_run(name, tests):
    for test in tests:
        yield name, test.of_class, test.status, [test.reason, *(
            'without host %s: %s' % item for item in test.left_out.items())]


def _of_hosts(tests):
    for test in tests:
        for result in test.hosts():
            if result.host:
                yield (result.host, test.of_class,
                       result.outcome, [result.reason])


def _show(table, columns):
    letters = _letters(table)
    shown = prettytable.PrettyTable(['class', *columns], align='r')
    shown.align['class'] = 'l'
    shown.set_style(prettytable.PLAIN_COLUMNS)
    shown.right_padding_width = 2
    for name in sorted(table):
        shown.add_row([name.removeprefix(_TESTS)] + [
            _text(table[name].get(column), letters) for column in columns])
    # Not the blanks that fill the last column.
    for line in shown.get_string().splitlines():
        print(line.rstrip())
    if letters:
        print('\nA number is how many tests passed. A letter is why others '
              'were skipped, or hosts left out:\n')
    for reason, letter in letters.items():
        print('%s: %s' % (letter, reason))


def _letters(table):
    """Give each reason to skip a letter, or two, in the order of the table."""
    reasons = dict.fromkeys(
        reason for name in sorted(table) for cell in table[name].values()
        for reason in cell.reasons)
    small = string.ascii_lowercase
    names = [*small, *(first + second for first in small
                       for second in small)]
    return dict(zip(reasons, names))


def _text(cell, letters):
    if cell is None:
        return ''
    passed = cell.statuses[streams.PASSED]
    others = ['%d %s' % (number, status)
              for status, number in sorted(cell.statuses.items())
              if status not in (streams.PASSED, streams.SKIPPED)]
    return ', '.join([*([str(passed)] if passed else []), *others,
                     *(letters[reason] for reason in cell.reasons)])
