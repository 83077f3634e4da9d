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

"""Words for what JSON schema has against a document, short ones."""

import reprlib

# Where another kind of value was meant, the value may be the whole document.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlevel = _SHORT.maxlist = _SHORT.maxdict = 2
# Characters.
_MOST = 400


def value(error):
    """Show the value that is wrong, or the beginning of it.

    :param error: a jsonschema.ValidationError
    """
    return _SHORT.repr(error.instance)


def message(error):
    """Tell what is wrong with a value; :param error: as of :func:`value`."""
    text = error.message.replace(repr(error.instance), value(error))
    # It may name each key that is unknown, too.
    return text if len(text) <= _MOST else '%s ... %s' % (
        text[:_MOST // 2], text[-_MOST // 2:])
