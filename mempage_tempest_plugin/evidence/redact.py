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

"""Keep secrets out of what is attached to test results."""

import re

from oslo_utils import strutils

_RULES = (
    # scheme://user:password@host
    (re.compile(r'(://[^/:@\s]+:)[^@/\s]+@'), r'\1***@'),
    # Fernet tokens
    (re.compile(r'gAAAA[\w=-]{20,}'), '***'),
    # VNC and SPICE passwords in a domain's XML
    (re.compile(r'''(passwd=)(['"]).*?\2'''), r'\1\2***\2'),
)


def mask(text):
    """Replace passwords, tokens and the like.

    :param text: any text
    :returns: the text with *** where a secret was
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return strutils.mask_password(text)
