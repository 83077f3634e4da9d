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

"""Types of arguments that several commands take."""

import argparse
import os
import re


def regex(text):
    """Read a regular expression.

    :param text: what was given
    :returns: the compiled expression
    :raises ArgumentTypeError: if it is none
    """
    try:
        return re.compile(text)
    # Of a number that is too large, or of too many brackets, it is another.
    except (re.error, OverflowError, RecursionError) as error:
        raise argparse.ArgumentTypeError('%s: %.50r' % (error, text))


def regexes(text):
    """Read regular expressions with blanks between them, as Tempest does.

    :param text: what was given
    :returns: list of the compiled expressions
    :raises ArgumentTypeError: if one is none
    """
    return [regex(part) for part in text.split()]


def names(text):
    """Read a list of names from the command line.

    :param text: names, with commas between them
    :returns: list of them, each once
    :raises ArgumentTypeError: if there is none: to leave the option out is
        another wish
    """
    found = list(dict.fromkeys(
        name.strip() for name in text.split(',') if name.strip()))
    if not found:
        raise argparse.ArgumentTypeError('%r has no name in it' % text)
    return found


def not_empty(text):
    """Refuse an empty text, as of a variable of a shell that is not set.

    :param text: what was given
    :raises ArgumentTypeError: if it is empty
    """
    if not text.strip():
        raise argparse.ArgumentTypeError('it is empty')
    return text


def source(text):
    """Refuse a file that cannot be read, before anything is done with it.

    :param text: its path
    :raises ArgumentTypeError: if it cannot be read
    """
    if not os.path.exists(not_empty(text)):
        raise argparse.ArgumentTypeError('%s: no such file' % text)
    if os.path.isdir(text):
        raise argparse.ArgumentTypeError('%s: is a directory' % text)
    if not os.access(text, os.R_OK):
        raise argparse.ArgumentTypeError('%s: may not be read' % text)
    return text


def output(text):
    """Refuse a file that cannot be written, before anything is done for it.

    :param text: its path; - may be stdout
    :raises ArgumentTypeError: if it cannot be written
    """
    directory = os.path.dirname(not_empty(text)) or '.'
    if os.path.isdir(text):
        raise argparse.ArgumentTypeError('%s: is a directory' % text)
    if not os.path.isdir(directory):
        raise argparse.ArgumentTypeError('%s: no such directory' % directory)
    if not os.access(text if os.path.exists(text) else directory, os.W_OK):
        raise argparse.ArgumentTypeError('%s: may not be written' % text)
    return text


def new_output(text):
    """Refuse a file that is there, and that somebody may have worked on.

    :param text: its path; - may be stdout
    :raises ArgumentTypeError: if it is there and not empty, or as of
        :func:`output`
    """
    if os.path.isfile(output(text)) and os.path.getsize(text):
        raise argparse.ArgumentTypeError(
            '%s: is there already; name another file, or remove it' % text)
    return text


def at_least_one(text):
    """Read a number from the command line.

    :param text: what was given
    :raises ArgumentTypeError: if it is less than 1
    """
    return _number(text, 1)


def seconds(text):
    """Read how long something may take from the command line.

    :param text: what was given
    :raises ArgumentTypeError: if it is no number, or a negative one
    """
    return _number(text, 0)


def port(text):
    """Read a port of TCP from the command line.

    :param text: what was given
    :raises ArgumentTypeError: if there is no such port
    """
    return _number(text, 1, 65535)


def _number(text, least, most=None):
    try:
        number = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            '%.50r is no whole number' % text) from error
    if number < least:
        raise argparse.ArgumentTypeError('%d is less than %d' % (
            number, least))
    if most is not None and number > most:
        raise argparse.ArgumentTypeError('%d is more than %d' % (
            number, most))
    return number
