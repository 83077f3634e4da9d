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

"""Tables with a column for each host, or for all hosts that are alike."""

import collections
import dataclasses
import itertools
import re

from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.pages import runs as runs_of

AGREES = 'agrees'
DISAGREES = 'disagrees'
#: A test has seen the fact disagree, and did not fail: it had to.
NOTED = 'noted'

#: More columns than a sheet of paper, or a telephone, has room for make
#: another table.
COLUMNS = 12

# What is another one for each guest.
_OF_GUEST = re.compile(r'\d+-instance-[0-9a-f]{8}|'
                       r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')
# The titles that come first.
_WRONG = 'Not as expected'
_FAILED = 'Failed'
_ORDER = (streams.FAILED, streams.UNKNOWN, streams.PASSED, streams.SKIPPED)


@dataclasses.dataclass(frozen=True)
class Column:
    """A host, or several that are alike in all rows.

    :ivar hosts: tuple of their names; None is what is about no host
    :ivar letter: what it is called if it is of several hosts
    """

    hosts: tuple
    letter: str = ''

    @property
    def name(self):
        """What stands above it."""
        if self.letter:
            return '%s: %d hosts' % (self.letter, len(self.hosts))
        return self.hosts[0] or 'no host'


@dataclasses.dataclass(frozen=True)
class Part:
    """Some columns of a matrix, which make one table.

    :ivar columns: list of :class:`Column`
    :ivar groups: dict of lists of pairs of a row's name and its cells, which
        are None or tuples of pairs of a state and a number, by titles
    """

    columns: list
    groups: dict


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A table of hosts, in as many parts as it takes.

    :ivar parts: list of :class:`Part`; empty if there is nothing
    :ivar alike: list of the :class:`Column` of several hosts
    :ivar hosts: how many hosts there are
    """

    parts: list
    alike: list
    hosts: int


def of_facts(runs):
    """Tell which facts agree on which hosts.

    :param runs: list of runs.Run
    :returns: a :class:`Matrix`
    """
    table = collections.defaultdict(
        lambda: collections.defaultdict(collections.Counter))
    for _, test in runs_of.each(runs):
        disagrees = DISAGREES if test.status == streams.FAILED else NOTED
        for document in test.documents:
            for fact in document.get('facts', ()):
                name = _OF_GUEST.sub('…', fact['name'])
                table[fact['witness'], name][document['host']][
                    AGREES if fact['agrees'] else disagrees] += 1

    def wrong(row):
        return bool(set().union(*table[row].values()) - {AGREES})

    def group(row):
        return (_WRONG if wrong(row) else 'As expected, says %s' % row[0])

    def name(row):
        return '%s, says %s' % row[::-1] if wrong(row) else row[1]

    return _matrix(table, group, name, frozenset)


def of_classes(runs):
    """Tell what became of the tests of each class on which hosts.

    :param runs: list of runs.Run
    :returns: a :class:`Matrix`
    """
    table = collections.defaultdict(
        lambda: collections.defaultdict(collections.Counter))
    for _, test in runs_of.each(runs):
        found = [(result.host, result.outcome) for result in test.hosts()]
        for host, outcome in found or [(None, test.status)]:
            table[test.of_class or test.name][host][outcome] += 1

    def group(row):
        states = set().union(*table[row].values())
        if states & {streams.FAILED, streams.UNKNOWN}:
            return _FAILED
        return 'Passed' if streams.PASSED in states else 'Skipped'

    return _matrix(table, group, runs_of.short,
                   lambda cell: frozenset(cell.items()))


def _matrix(table, group, name, alike):
    """Lay out a table.

    :param table: dict of dicts of Counters of states, by host and row
    :param group: function of a row that tells the title that it is under
    :param name: function of a row that tells its name
    :param alike: function of a cell: hosts for whose cells it returns the
        same have one column
    """
    rows = sorted(table, key=name)
    hosts = sorted({host for cells in table.values() for host in cells},
                   key=lambda host: (host is None, host or ''))
    columns = _columns(table, rows, hosts, alike)
    groups = collections.defaultdict(list)
    for row in rows:
        groups[group(row)].append(row)
    titles = sorted(groups, key=lambda title: (
        title not in (_WRONG, _FAILED), title))

    def rows_of(title, some):
        return [(name(row), [_cell(table[row], column) for column in some])
                for row in groups[title]]

    parts = [Part(some, {title: rows_of(title, some) for title in titles})
             for some in _chunks(columns)]
    return Matrix(parts, [column for column in columns if column.letter],
                  len(set(hosts) - {None}))


def _columns(table, rows, hosts, alike):
    found = collections.defaultdict(list)
    for host in hosts:
        found[host is None, *(
            alike(table[row][host]) if host in table[row] else None
            for row in rows)].append(host)
    letters = map(_letters, itertools.count())
    # The most come first, and what is about no host last.
    return [Column(tuple(names), next(letters) if len(names) > 1 else '')
            for names in sorted(found.values(), key=lambda names: (
                names == [None], -len(names)))]


def _letters(number):
    """Count in letters: A to Z, AA and so on."""
    more, last = divmod(number, 26)
    return (_letters(more - 1) if more else '') + chr(ord('A') + last)


def _chunks(columns):
    return (columns[begin:begin + COLUMNS]
            for begin in range(0, len(columns), COLUMNS))


def _cell(cells, column):
    counts = collections.Counter()
    for host in column.hosts:
        counts.update(cells.get(host, {}))
    return tuple((state, counts[state])
                 for state in (DISAGREES, NOTED, AGREES, *_ORDER)
                 if counts[state])
