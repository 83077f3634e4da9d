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

"""What the documents that tests keep look like."""

import datetime
import functools
import os

import jsonschema
import yaml

from mempage_tempest_plugin import schema_errors

_SCHEMA = os.path.join(os.path.dirname(__file__), 'facts_schema.yaml')
_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks('date-time', raises=ValueError)
def _is_moment(text):
    # jsonschema itself takes any text for one where another package lacks.
    return not isinstance(text, str) or bool(
        datetime.datetime.fromisoformat(text).tzinfo)


def invalid(document, kind):
    """Tell why a document is none of a kind.

    :param document: what a JSON document says
    :param kind: one of facts.KINDS
    :returns: a text that names the place; None if there is nothing wrong
    """
    error = jsonschema.exceptions.best_match(
        _validators()[kind].iter_errors(document))
    return error and '%s: %s' % (
        error.json_path, schema_errors.message(error))


@functools.lru_cache
def _validators():
    """Get the validators of documents, by their kinds."""
    with open(_SCHEMA, encoding='utf-8') as stream:
        schema = yaml.safe_load(stream)
    kinds = [_target(kind) for kind in schema['oneOf']]
    # Each by itself, and without references: a fleet has many documents, and
    # these would take several times as long.
    return {kind: jsonschema.Draft202012Validator(
        _without_references(schema['$defs'][kind], schema['$defs']),
        format_checker=_FORMATS) for kind in kinds}


def _target(schema):
    return schema['$ref'].rpartition('/')[2]


def _without_references(schema, definitions):
    """Put definitions where a schema refers to them.

    :param schema: a part of a schema; beside a reference, it has nothing that
        the definition has, too
    :param definitions: dict of schemas by name
    """
    if isinstance(schema, list):
        return [_without_references(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _without_references(value, definitions)
             for key, value in schema.items() if key != '$ref'}
    if '$ref' in schema:
        found = {**_without_references(definitions[_target(schema)],
                                       definitions), **found}
    return found
