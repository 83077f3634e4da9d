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
import re


def regex(text):
    """Read a regular expression.

    :param text: what was given
    :returns: the compiled expression
    :raises ArgumentTypeError: if it is none
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError('%s: %r' % (error, text))


def names(text):
    """Read a list of names from the command line.

    :param text: names, with commas between them
    :returns: list of them, each once
    """
    return list(dict.fromkeys(
        name.strip() for name in text.split(',') if name.strip()))


def at_least_one(text):
    """Read a number from the command line.

    :param text: what was given
    :raises ArgumentTypeError: if it is less than 1
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError('%d is less than 1' % number)
    return number
