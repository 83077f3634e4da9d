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

"""libvirt's configuration files, as libvirt reads them.

They look like Python, or like ini files, and are neither: see
src/util/virconf.c in libvirt.
"""

import re

_STATEMENT = re.compile(r'''
    [ \t\r\n]*
    (?:
        (?P<name>[A-Za-z][A-Za-z0-9_]*) [ \t]* = [ \t]*
        (?:
            """ (?P<long>.*?) """
            | " (?P<double>[^"\r\n]*) "
            | ' (?P<single>[^'\r\n]*) '
            | \[ (?: [^]"'] | "[^"\r\n]*" | '[^'\r\n]*' )* \]
            | [-+]?[0-9]+
        ) [ \t]*
    )?
    (?: \# [^\r\n]* )?
    (?: (?(name) ; | (?!) ) | [\r\n] | \Z )''', re.DOTALL | re.VERBOSE)


def strings(text):
    """Read the options that are strings.

    :param text: the text of a file
    :returns: dict of strings by option; None if it is something else
    :raises ValueError: if libvirt would refuse the file, naming the line
    """
    found = {}
    position = 0
    while position < len(text):
        match = _STATEMENT.match(text, position)
        if match is None:
            line = text.count('\n', 0, _content(text, position))
            raise ValueError('line %d: %s' % (
                line + 1, text.split('\n')[line].strip()))
        if match['name']:
            # Of several, libvirt takes the first.
            found.setdefault(match['name'], next(
                (match[quotes] for quotes in ('long', 'double', 'single')
                 if match[quotes] is not None), None))
        position = match.end()
    return found


def _content(text, position):
    """Skip what is blank."""
    return position + len(text[position:]) - len(
        text[position:].lstrip(' \t\r\n'))
