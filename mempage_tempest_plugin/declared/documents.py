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

"""Dataclasses as parts of YAML documents.

A key of a document is a field of a dataclass and has its name. What may stand
there says a JSON schema, what it is if it does not stand there the class.
"""

import dataclasses
import math
import typing

import jsonschema

from mempage_tempest_plugin import plain_yaml
from mempage_tempest_plugin import schema_errors


def read(path):
    """Read a YAML document.

    :param path: of the file
    :returns: what it says
    :raises ValueError: if it is no YAML; in one line
    :raises OSError: if it cannot be read
    """
    with open(path, encoding='utf-8') as stream:
        return parse(stream.read())


def parse(text):
    """Read a YAML document; :raises: as :func:`read`.

    :param text: the document
    """
    try:
        return plain_yaml.parse(text)
    except ValueError as error:
        raise ValueError('is not YAML: %s' % error) from error


def _is_number(_checker, value):
    # JSON has no others.
    return (isinstance(value, (int, float)) and not isinstance(value, bool)
            and math.isfinite(value))


def _is_integer(_checker, value):
    # What is written 4.0 would be a file of pages of 4.0 KiB.
    return isinstance(value, int) and not isinstance(value, bool)


_VALIDATOR = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {'number': _is_number, 'integer': _is_integer}))


def problems(document, schema):
    """Tell what is wrong with a document.

    A part of the schema that no message of JSON schema explains well says in
    its ``description`` what it takes.

    :param document: the document
    :param schema: its JSON schema
    :returns: list of texts, each of which names a key
    """
    errors = _VALIDATOR(schema).iter_errors(document)
    return ['%s: %s' % ('.'.join(map(str, error.path)) or 'top level',
                        _message(error))
            for error in sorted(errors, key=lambda error: [
                str(key) for key in error.path])]


def _message(error):
    expected = error.schema.get('description')
    return ('%s is not %s' % (schema_errors.value(error), expected)
            if expected else schema_errors.message(error))


def extended(schema, own):
    """Add to a schema, or to any dict.

    :param schema: a dict
    :param own: a dict of what is added to it, or replaces it; dicts in both
        become one
    :returns: a new dict
    """
    return {**schema, **own, **{
        key: extended(schema[key], own[key]) for key in schema.keys() & own
        if isinstance(schema[key], dict) and isinstance(own[key], dict)}}


def fields(declared, wanted):
    """Build the fields of an object from a part of a document.

    :param declared: that part, a dict
    :param wanted: the object's dataclass
    :returns: dict of the fields that are in the document
    """
    types = typing.get_type_hints(wanted)
    return {key: _build(value, types[key]) for key, value in declared.items()}


def _build(declared, wanted):
    inner = typing.get_args(wanted)
    if typing.get_origin(wanted) is tuple:
        return tuple(_build(item, inner[0]) for item in declared)
    for found in (wanted, *inner):
        if dataclasses.is_dataclass(found):
            return found(**fields(declared, found))
    return declared


def part(value, wanted):
    """Return the part of a document that an object is built from.

    Keys that have their default are left out.

    :param value: the object
    :param wanted: the dataclass to whose fields the document's keys belong:
        that of the object, or one that it inherits from
    :returns: a dict
    """
    types = typing.get_type_hints(wanted)
    return {field.name: _plain(getattr(value, field.name), types[field.name])
            for field in dataclasses.fields(wanted)
            if not _is_default(value, field)}


def _is_default(value, field):
    # A default may depend on other fields, and only the class knows how.
    return field.default is not dataclasses.MISSING and value == (
        dataclasses.replace(value, **{field.name: field.default}))


def _plain(value, wanted):
    inner = typing.get_args(wanted)
    if typing.get_origin(wanted) is tuple:
        return [_plain(item, inner[0]) for item in value]
    for found in (wanted, *inner):
        if dataclasses.is_dataclass(found):
            return part(value, found)
    return value
