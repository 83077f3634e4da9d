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

"""What a stream of results tells."""

import contextlib
import dataclasses
import json

import subunit
import testtools


@dataclasses.dataclass
class Outcome:
    """What became of tests.

    :ivar passed: names of those that passed
    :ivar failures: dict of the name of each test, class or module that failed
        to the text of its first traceback
    :ivar skips: dict of the name of each that was skipped to the reason
    :ivar facts: set of what tests have compared, as lines that read like those
        of a failure
    """

    passed: list = dataclasses.field(default_factory=list)
    failures: dict = dataclasses.field(default_factory=dict)
    skips: dict = dataclasses.field(default_factory=dict)
    facts: set = dataclasses.field(default_factory=set)

    def note(self, test):
        """Take one test's result from testtools.StreamToDict."""
        for name, detail in test['details'].items():
            if name.partition('-')[0] == 'facts':
                # That of a test that was killed may end anywhere.
                with contextlib.suppress(ValueError):
                    self.facts.update(_lines(json.loads(
                        b''.join(detail.iter_bytes()))))
        if test['status'] == 'success':
            self.passed.append(test['id'])
        elif test['status'] == 'skip':
            self.skips[test['id']] = ''.join(
                detail.as_text() for name, detail in test['details'].items()
                if name == 'reason')
        elif test['status'] in ('fail', 'uxsuccess', 'inprogress'):
            # What has a number after its name is of the clean-ups.
            self.failures[test['id']] = ''.join(
                detail.as_text() for name, detail in test['details'].items()
                if name in ('traceback', 'reason'))


def read(path):
    """Read results.

    :param path: a file in the subunit format, version 2; what else is in it,
        as of a Tempest that did not understand its options, is left out
    :returns: an :class:`Outcome`
    """
    outcome = Outcome()
    with open(path, 'rb') as source:
        result = testtools.StreamToDict(outcome.note)
        result.startTestRun()
        subunit.ByteStreamToStreamResult(
            source, non_subunit_name='output').run(result)
        result.stopTestRun()
    return outcome


def message(text):
    """Take the error out of a traceback, without any line of code.

    :param text: the text of a traceback
    :returns: list of its lines
    """
    lines = [line.strip() for line in text.splitlines()]
    frames = [number for number, line in enumerate(lines)
              if line.startswith('File "')]
    code = frames[-1] + 2 if frames else 0
    return [line for line in lines[code:] if line.strip('^~ ')]


def _lines(document):
    return ('%s: expected %s, %s says %s' % (
        fact['name'], _text(fact['expected']), fact['witness'],
        _text(fact['observed'])) for fact in document['facts'])


def _text(value):
    if isinstance(value, list):
        return ', '.join(map(str, value)) or 'none'
    for special, text in (None, 'none'), (True, 'yes'), (False, 'no'):
        if value is special:
            return text
    return str(value)
