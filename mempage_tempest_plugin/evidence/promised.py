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

"""What a run has to show, and what it had to show."""

import dataclasses
import json
import re

from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin import exceptions

#: The problem of a run without any test that ran.
NOTHING_RAN = 'no test ran: nothing was tested'

_SET_UP = 'setUpClass '


@dataclasses.dataclass(frozen=True)
class Foretold:
    """What inventory and options say of a test.

    :ivar reason: why it skips; None if it has to run
    :ivar may_skip: how reasons begin for which it may skip all the same, as
        only the cloud tells
    """

    reason: str | None
    may_skip: tuple = ()

    def permits(self, reason):
        """Tell whether it may skip.

        :param reason: why it has skipped
        """
        # A class that skips does so before its test would for another reason.
        return reason == self.reason or reason.startswith(tuple(
            '%s: ' % begin for begin in self.may_skip))

    def __str__(self):
        return ('had to run' if self.reason is None
                else 'had to skip (%s)' % self.reason)


@dataclasses.dataclass(frozen=True)
class Test:
    """A test, what is foretold of it, and what became of it.

    :ivar name: its full name
    :ivar foretold: the :class:`Foretold`
    :ivar status: streams.PASSED, .FAILED or .SKIPPED; None if it is not in
        the results
    :ivar reason: why it was skipped; empty if it was not
    :ivar left_out: why it left out hosts: dict of reasons by their names
    :ivar problem: what is not as it has to be; None if all is
    """

    name: str
    foretold: Foretold
    status: str | None = None
    reason: str = ''
    left_out: dict = dataclasses.field(default_factory=dict)
    problem: str | None = None

    @property
    def of_class(self):
        """The full name of its class."""
        return streams.class_of(self.name)

    @property
    def method(self):
        """The name of its method, with what tells it from others."""
        return self.name.partition('[')[0].rpartition('.')[2]

    @property
    def ran(self):
        """Whether it ran, whatever came of it."""
        return self.status in (streams.PASSED, streams.FAILED)

    def document(self):
        """Write it as a dict for JSON."""
        return {'test': self.name, 'skips': self.foretold.reason,
                'may_skip': self.foretold.may_skip, 'status': self.status,
                'reason': self.reason, 'left_out': self.left_out,
                'problem': self.problem}


def compare(foretold, results=None, required=None):
    """Compare what became of tests with what had to.

    :param foretold: dict of :class:`Foretold` by the full name of the test
    :param results: list of streams.Test; None if nothing has run yet
    :param required: a compiled regular expression: tests in whose name it is
        found have to run, whatever is foretold; None for none
    :returns: list of :class:`Test`
    """
    seen = {result.name: result for result in results or ()}
    classes = {result.of_class: result for result in seen.values()
               if result.name.startswith(_SET_UP)}
    return [_judge(_found(Test(name, each), seen, classes), results,
                   required and required.search(name), classes)
            for name, each in foretold.items()]


def problems(tests, results=None, required=None):
    """Tell in short what is wrong, if anything is.

    :param tests: list of :class:`Test`
    :param results: as of :func:`compare`
    :param required: as of :func:`compare`
    :returns: list of texts
    """
    wrong = sum(test.problem is not None for test in tests)
    found = (['tests that are not as they have to be: %d' % wrong]
             if wrong else [])
    if results is None and all(test.foretold.reason for test in tests):
        found.append('no test has to run: nothing would be tested')
    if results is not None and not any(test.ran for test in tests):
        found.append(NOTHING_RAN)
    if any(test.name == streams.UNREADABLE for test in results or ()):
        found.append('parts of the results cannot be read')
    if required and not any(required.search(test.name) for test in tests):
        found.append('no test is called %s, which --require names'
                     % required.pattern)
    return found


def document(tests, results=None, required=None):
    """Write everything as a dict for JSON.

    :param tests: list of :class:`Test`
    :param results: as of :func:`compare`
    :param required: as of :func:`compare`
    """
    return {'tests': [test.document() for test in tests],
            'required': required and required.pattern,
            'problems': problems(tests, results, required)}


def read(path):
    """Read what was foretold from what :func:`document` wrote.

    :param path: a file of JSON
    :returns: a dict of :class:`Foretold` by the full name of the test, and a
        compiled regular expression of those that have to run, or None
    :raises DocumentError: if it cannot be read, or is something else
    """
    try:
        with open(path, encoding='utf-8') as stream:
            found = json.load(stream)
        foretold = {test['test']: Foretold(test['skips'],
                                           tuple(test['may_skip']))
                    for test in found['tests']}
        required = found['required']
        return foretold, required and re.compile(required)
    except OSError as error:
        raise exceptions.DocumentError(path, error.strerror) from error
    except (ValueError, TypeError, KeyError, re.error) as error:
        raise exceptions.DocumentError(
            path, 'is not what "mempage-tempest expect --json" writes: %r'
            % error) from error


def _found(test, seen, classes):
    """Find a test in results, or its class if that was skipped."""
    result = seen.get(test.name)
    of_class = classes.get(test.of_class)
    if result is None and of_class and of_class.status == streams.SKIPPED:
        result = of_class
    if result is None:
        return test
    return dataclasses.replace(test, status=result.status,
                               reason=result.reason, left_out=result.left_out)


def _judge(test, results, required, classes):
    return dataclasses.replace(test, problem=(
        required and _not_required(test) or results is not None and
        _surprise(test, classes) or None))


def _not_required(test):
    reason = test.reason or test.foretold.reason
    return (not test.ran and reason is not None
            and 'is required, and skips: %s' % reason)


def _surprise(test, classes):
    if test.status == streams.SKIPPED:
        return (not test.foretold.permits(test.reason)
                and '%s, and skipped: %s' % (test.foretold, test.reason))
    if test.foretold.reason is not None:
        return test.ran and '%s, and ran' % test.foretold
    return not test.ran and '%s, and %s' % (
        test.foretold, 'its class could not be set up'
        if test.of_class in classes else 'is not in the results')
