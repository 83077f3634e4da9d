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

"""Tells how far a run of the suite is, by what Tempest prints of it."""

import re
import time

#: Seconds between two lines, while nothing fails.
INTERVAL = 60
# stestr's "{worker} test [seconds] ... outcome"; what is set up has no time.
_LINE = re.compile(r'\{\d+\} (?P<test>.+?)(?: \[[\d.]+s\])? \.\.\. '
                   r'(?P<outcome>ok|FAILED|SKIPPED)')
_FAILED = 'FAILED'


def watch(lines, shown):
    """Say what fails as it fails, and now and then how much has run.

    :param lines: what Tempest prints, an iterable of texts
    :param shown: a :class:`mempage_lab.progress.Progress`
    """
    ran = failed = 0
    told = time.monotonic()
    for line in lines:
        found = _LINE.match(line)
        if not found:
            continue
        ran += 1
        if found['outcome'] == _FAILED:
            failed += 1
            shown.say('failed: %s' % found['test'])
        if time.monotonic() - told >= INTERVAL:
            shown.say('%d tests have run, %d failed' % (ran, failed))
            told = time.monotonic()
