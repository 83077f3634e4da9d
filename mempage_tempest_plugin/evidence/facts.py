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
import datetime
import json

import prettytable
from testtools import content
from testtools import content_type
from testtools import matchers

from mempage_tempest_plugin.evidence import values

#: Kinds of documents that tests keep, and their version: facts_schema.yaml
#: describes them.
FACTS = 'facts'
OUTCOME = 'outcome'
LEFT_OUT = 'left_out'
MEASUREMENT = 'measurement'
ENVIRONMENT = 'environment'
KINDS = (FACTS, OUTCOME, LEFT_OUT, MEASUREMENT, ENVIRONMENT)
VERSION = 1


@dataclasses.dataclass(frozen=True)
class Fact:
    """One thing that a witness was asked about."""

    witness: str
    name: str
    expected: object
    observed: object
    agrees: bool
    #: Whether only what is equal agrees: then anyone can judge it again.
    exact: bool = False


class Comparison:
    """Everything that was compared for one subject."""

    def __init__(self, subject, host=None, server=None):
        """Begin an empty comparison.

        :param subject: what the facts are about; the table's title
        :param host: name of the host that was looked at; None if a guest was
            asked and not its host
        :param server: UUID of the server that the facts are about, if it is
            one
        """
        self.subject = subject
        self.host = host
        self.server = server
        self.when = datetime.datetime.now(datetime.timezone.utc)
        self.facts = []

    def equal(self, witness, name, expected, observed):
        """Add a fact that has to be exactly as expected."""
        self.facts.append(Fact(witness, name, expected, observed,
                               expected == observed, True))

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

    def document(self):
        """Tell everything as data that can be written as JSON.

        :returns: dict, as facts_schema.yaml describes it; values as
            :func:`values.plain` makes them
        """
        return {
            'kind': FACTS, 'version': VERSION,
            'subject': values.plain(self.subject),
            'host': self.host, 'server': self.server,
            'when': self.when.isoformat(timespec='milliseconds'),
            'facts': [{
                'witness': fact.witness,
                'name': values.plain(fact.name),
                'expected': values.plain(fact.expected),
                'observed': values.plain(fact.observed),
                'agrees': fact.agrees,
                'exact': fact.exact} for fact in self.facts]}

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
            comparison.subject, fact.name, text(fact.expected), fact.witness,
            text(fact.observed)) for fact in wrong]
        return matchers.Mismatch('%s\n\n%s' % ('\n'.join(lines), comparison))

    def __str__(self):
        return 'Agrees()'


def table(facts):
    """Lay out facts for people; disagreements are marked in front.

    :param facts: list of :class:`Fact`
    :returns: text of several lines
    """
    rows = prettytable.PrettyTable(
        ('', 'fact', 'expected', 'observed', 'witness'), border=False,
        align='l', left_padding_width=0)
    for fact in facts:
        rows.add_row(('' if fact.agrees else '!!', fact.name,
                      text(fact.expected), text(fact.observed),
                      fact.witness))
    return '\n'.join(line.rstrip()
                     for line in rows.get_string().splitlines())


def text(value):
    """Write what was expected or observed for people.

    :param value: any value of a fact
    """
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if value is None:
        return 'none'
    if isinstance(value, (list, tuple, set, frozenset)):
        return ', '.join(str(item) for item in value) or 'none'
    return str(value)


def keep(test, comparison):
    """Keep a comparison in a test's details, whatever becomes of the test.

    :param test: the test case
    :param comparison: the :class:`Comparison`
    """
    keep_document(test, comparison.document())


def keep_outcome(test, host, error):
    """Keep what became of one of the hosts that a test covers.

    :param test: the test case
    :param host: name of the host
    :param error: why the test failed there; None if it passed
    """
    keep_document(test, {
        'kind': OUTCOME, 'version': VERSION, 'host': host,
        'passed': error is None, 'error': values.plain(error)})


def keep_left_out(test, host, reason):
    """Keep why a test tells nothing of a host that it was to cover.

    :param test: the test case
    :param host: name of the host
    :param reason: why it was left out
    """
    keep_document(test, {
        'kind': LEFT_OUT, 'version': VERSION, 'host': host,
        'reason': values.plain(reason)})


def keep_document(test, document):
    """Keep any of the documents in a test's details.

    :param test: the test case
    :param document: a dict, as facts_schema.yaml describes it
    """
    text = json.dumps(document, separators=(',', ':')).encode()
    test.addDetailUniqueName(document['kind'], content.Content(
        content_type.JSON, lambda: [text]))
