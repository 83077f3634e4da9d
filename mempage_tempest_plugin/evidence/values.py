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

"""Values as plain data for JSON: small, and without secrets."""

from mempage_tempest_plugin.hosts import redact

#: What is longer is cut.
CHARACTERS = 500
ITEMS = 20


def plain(value):
    """Make a value plain.

    :param value: any value that can be shown to people
    :returns: what json.dumps takes: tuples and sets as lists, these sorted;
        what it does not know as text; secrets are masked
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, (list, tuple)):
        return _short_list(value)
    return _short_text(redact.mask(str(value)))


def _short_list(items):
    shown = [plain(item) for item in items[:ITEMS]]
    if len(items) > ITEMS:
        shown.append('and %d more' % (len(items) - ITEMS))
    return shown


def _short_text(text):
    if len(text) > CHARACTERS:
        return '%s... (%d characters)' % (text[:CHARACTERS], len(text))
    return text
