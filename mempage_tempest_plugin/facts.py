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

"""Facts, expected and observed, and the table that shows them."""

import dataclasses

from testtools import matchers


@dataclasses.dataclass(frozen=True)
class Fact:
    """One thing that a witness was asked about."""

    witness: str
    name: str
    expected: object
    observed: object
    agrees: bool


class Comparison:
    """Everything that was compared for one subject."""

    def __init__(self, subject):
        """Begin an empty comparison.

        :param subject: what the facts are about; the table's title
        """
        self.subject = subject
        self.facts = []

    def equal(self, witness, name, expected, observed):
        """Add a fact that has to be exactly as expected."""
        self.holds(witness, name, expected, observed, expected == observed)

    def holds(self, witness, name, expected, observed, agrees):
        """Add a fact of which the caller has judged whether it agrees.

        :param witness: who says so
        :param name: what it is about
        :param expected: what it should be, for people
        :param observed: what the witness said
        :param agrees: whether that will do
        """
        self.facts.append(Fact(witness, name, expected, observed,
                               bool(agrees)))

    @property
    def disagreements(self):
        """The facts that are not as expected."""
        return [fact for fact in self.facts if not fact.agrees]

    def __str__(self):
        return '%s\n%s' % (self.subject, table(self.facts))


class Agrees(matchers.Matcher):
    """Match a :class:`Comparison` without disagreements."""

    def match(self, comparison):
        """Judge a comparison.

        :param comparison: the :class:`Comparison`
        :returns: None, or a mismatch that shows the whole table
        """
        wrong = comparison.disagreements
        if not wrong:
            return None
        lines = ['%s: %s: expected %s, %s says %s' % (
            comparison.subject, fact.name, _text(fact.expected), fact.witness,
            _text(fact.observed)) for fact in wrong]
        return matchers.Mismatch('%s\n\n%s' % ('\n'.join(lines), comparison))

    def __str__(self):
        return 'Agrees()'


def table(facts):
    """Lay out facts for people; disagreements are marked in front.

    :param facts: list of :class:`Fact`
    :returns: text of several lines
    """
    rows = [('', 'fact', 'expected', 'observed', 'witness')]
    rows += [('' if fact.agrees else '!!', fact.name, _text(fact.expected),
              _text(fact.observed), fact.witness) for fact in facts]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return '\n'.join('  '.join(
        cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in rows)


def _text(value):
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if value is None:
        return 'none'
    if isinstance(value, (list, tuple, set, frozenset)):
        return ', '.join(str(item) for item in value) or 'none'
    return str(value)
