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

"""Reading YAML in which nothing is lost, and that is no larger than it looks.
"""

from collections import abc

import yaml

#: Aliases repeat no more values than so many.
LIMIT = 100_000
_MERGE = 'tag:yaml.org,2002:merge'


class _Loader(yaml.SafeLoader):
    """Reads YAML without keys that are there twice: one would be lost."""

    aliases = True

    def __init__(self, stream):
        super().__init__(stream)
        # By the id of a node, how many values it has, also by aliases.
        self._sizes = {}
        self._size = self._repeated = 0

    def compose_node(self, parent, index):
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            return self._compose_alias(event, parent, index)
        before = self._size
        node = super().compose_node(parent, index)
        self._size += 1
        self._sizes[id(node)] = self._size - before
        return node

    def _compose_alias(self, event, parent, index):
        if not self.aliases:
            raise _problem('aliases are not allowed', event)
        node = super().compose_node(parent, index)
        if id(node) not in self._sizes:
            raise _problem('*%s is a part of itself' % event.anchor, event)
        self._size += self._sizes[id(node)]
        self._repeated += self._sizes[id(node)]
        if self._repeated > LIMIT:
            raise _problem('aliases repeat more than %d values' % LIMIT,
                           event)
        return node

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        seen = set()
        for part, _ in node.value:
            # What is merged may be said again.
            if self.aliases and part.tag == _MERGE:
                continue
            key = self.construct_object(part, deep=True)
            if not isinstance(key, abc.Hashable):
                raise _problem('a key has to be one value', part)
            if key in seen:
                raise _problem('key %.50r is there twice' % (key,), part)
            seen.add(key)
        return node

    def construct_object(self, node, deep=False):
        try:
            return super().construct_object(node, deep)
        # PyYAML raises these, and without a place, if a value is not what
        # its tag says.
        except (ValueError, LookupError, AttributeError) as error:
            raise _problem('%s (%s)' % (error, node.tag), node) from error


class _StrictLoader(_Loader):
    """Reads YAML in which all that is said stands where it belongs."""

    aliases = False


def parse(text, aliases=True):
    """Read a YAML document.

    :param text: the document
    :param aliases: whether it may have aliases and merges
    :returns: what it says
    :raises ValueError: if it is none, has a key twice, or aliases that make
        it too large; in one line
    """
    try:
        return yaml.load(  # noqa: S506
            text, _Loader if aliases else _StrictLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(' '.join(str(error).split())) from error


def _problem(text, where):
    return yaml.composer.ComposerError(None, None, text, where.start_mark)
