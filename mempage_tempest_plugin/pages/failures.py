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

"""Tests that failed, each with its evidence."""

import dataclasses

from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.pages import runs as runs_of

#: Of a text that is attached, so many characters at its end are shown, and
#: less if there are many.
CHARACTERS = 32 * 1024
ALL_CHARACTERS = 2 * 1024 * 1024
#: So many facts of one test are shown.
FACTS = 50

_TRACEBACK = 'traceback'


@dataclasses.dataclass(frozen=True)
class Text:
    """A text that is attached to a test.

    :ivar text: its end
    :ivar left_out: how many characters before that are not shown
    """

    name: str
    text: str
    left_out: int


@dataclasses.dataclass(frozen=True)
class Failure:
    """A test that failed.

    :ivar name: of the test, in the page
    :ivar test: the streams.Test
    :ivar message: why it failed
    :ivar hosts: list of the streams.HostResult of its hosts
    :ivar facts: list of pairs of a comparison and a fact that disagrees
    :ivar more: how many more of them there are
    :ivar texts: list of :class:`Text`
    """

    name: str
    test: streams.Test
    message: str
    hosts: list
    facts: list
    more: int
    texts: list


def of(runs):
    """Collect the tests that failed.

    :param runs: list of runs.Run
    :returns: list of :class:`Failure`
    """
    failed = [(run, test) for run, test in runs_of.each(runs)
              if test.status == streams.FAILED]
    number = sum(len(test.texts) for _, test in failed)
    limit = min(CHARACTERS, ALL_CHARACTERS // max(number, 1))
    return [_failure(run, test, limit) for run, test in failed]


def _failure(run, test, limit):
    wrong = [(document, fact) for document in test.documents
             for fact in document.get('facts', ()) if not fact['agrees']]
    texts = [_cut(name, test.texts[name], limit)
             for name in sorted(test.texts, key=_order)]
    return Failure(
        run.called(test.name), test, _why(test),
        [result for result in test.hosts() if result.host],
        wrong[:FACTS], len(wrong[FACTS:]), texts)


def _order(name):
    """What was logged comes last, and the traceback first."""
    return (not name.startswith(_TRACEBACK), name.startswith(streams.LOG),
            name)


def _why(test):
    if test.name == streams.UNREADABLE:
        return ('The end of the run, or something in the middle of it, is '
                'missing: what was there is not in this page.')
    if _TRACEBACK in test.texts:
        return first_lines(message(test.texts[_TRACEBACK]))
    return ('It does not tell why: whoever ran it was killed, or it ended '
            'without an error of its own.')


def message(traceback):
    """Take the error out of a traceback.

    :param traceback: text
    :returns: what comes after the last line of code
    """
    lines = traceback.splitlines()
    frames = [number for number, line in enumerate(lines)
              if line.lstrip().startswith('File "')]
    begin = frames[-1] + 1 if frames else 0
    while begin < len(lines) and lines[begin].startswith('    '):
        begin += 1
    return '\n'.join(lines[begin:]).strip() or traceback.strip()


def first_lines(text):
    """Take the lines before the first one that is empty.

    Tables come after that, and are shown as such.
    """
    return text.partition('\n\n')[0]


def _cut(name, text, limit):
    if name.startswith(streams.LOG):
        name = 'log of the test'
    if len(text) <= limit:
        return Text(name, text, 0)
    # Not in the middle of a line, unless it is a long one.
    begin = len(text) - limit
    line = text.find('\n', begin) + 1
    begin = line if 0 < line < len(text) - limit // 2 else begin
    return Text(name, text[begin:], begin)
