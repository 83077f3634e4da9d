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

"""Edit configuration files as oslo.config reads them.

configparser would lose all but one of several values of an option, and
comments; oslo.config has a parser, and no writer.
"""

import io
import re

_ASSIGNED = re.compile('[=:]')


def edit(text, changes):
    """Give options other values, and leave all other lines alone.

    :param text: the text of a file that oslo.config can read
    :param changes: dict by (group, option) of the value, of a list of values
        of an option that may appear several times, or of None to remove it
    :returns: the text of the changed file
    """
    changes = {(_normalized(group), option): value
               for (group, option), value in changes.items()}
    added = {}
    for (group, option), value in changes.items():
        added.setdefault(group, []).extend(
            '%s = %s\n' % (option, each) for each in _values(value))
    lines = []
    group = None
    keep = True
    for line in _lines(text):
        if line.startswith('['):
            group = _normalized(line.strip()[1:-1])
        # A line that is indented continues the option before it.
        if not line.startswith((' ', '\t')):
            option = _ASSIGNED.split(line, maxsplit=1)[0].strip()
            keep = (group, option) not in changes
        if keep:
            lines.append(line)
        if line.startswith('['):
            lines += added.pop(group, ())
    for group, options in added.items():
        if options:
            lines += ['\n', '[%s]\n' % group, *options]
    return ''.join(lines)


def _lines(text):
    """List the lines of a text, each with an end.

    str.splitlines would end them at characters that for oslo.config, which
    iterates over a file, are like any other.
    """
    for line in io.StringIO(text, newline=''):
        yield line if line.endswith(('\n', '\r')) else line + '\n'


def _normalized(group):
    """Spell the name of a group as oslo.config compares it."""
    return group if group == 'DEFAULT' else group.lower()


def _values(value):
    if value is None:
        return []
    return [value] if isinstance(value, str) else value
