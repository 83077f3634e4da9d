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

"""Output of the scripts that run on hosts: texts under headings."""

import re

_HEADING = re.compile(r'^=== (.*)$', re.MULTILINE)


def split(text):
    """Split the output of a script.

    :param text: the output; a heading is a line that begins with ``===``
    :returns: dict of texts by heading
    """
    parts = _HEADING.split(text)
    return dict(zip(parts[1::2], parts[2::2]))
