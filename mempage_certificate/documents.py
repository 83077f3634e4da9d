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

"""Documents of strangers: small, plain, and as their schema says."""

import functools
import json
import os

import jsonschema
import yaml

from mempage_certificate import errors
from mempage_tempest_plugin import plain_yaml
from mempage_tempest_plugin import schema_errors

#: No document has more lists and objects in each other.
DEPTH = 200
_SCHEMAS = os.path.join(os.path.dirname(__file__), 'schemas')
#: No document is larger, in bytes, but results and lines of samples.
LIMIT = 256 * 1024


def from_yaml(name, data, schema):
    """Read a YAML document.

    :param name: of the file, for errors
    :param data: its bytes
    :param schema: name of its schema
    :returns: what it says
    :raises CertificateError: if it is not as the schema says
    """
    try:
        document = plain_yaml.parse(_text(name, data), aliases=False)
        _writable(document)
    except (ValueError, TypeError, RecursionError) as error:
        raise errors.CertificateError('%s: is not plain YAML: %s' % (
            name, _line(error))) from error
    check(name, document, schema)
    return document


def from_json(name, data, schema):
    """Read a JSON document.

    :param name: of the file, for errors
    :param data: its bytes
    :param schema: name of its schema
    :returns: what it says
    :raises CertificateError: if it is not as the schema says
    """
    document = parse(name, data)
    check(name, document, schema)
    return document


def parse(name, data):
    """Read JSON that can be written again.

    :param name: of the file, for errors
    :param data: its bytes
    :returns: what it says
    :raises CertificateError: if it is none, or has a key twice, a number that
        is not finite or a character that is none
    """
    try:
        document = json.loads(data, parse_constant=_no_constant,
                              object_pairs_hook=_unique)
        _shallow(document)
        _writable(document)
    except (ValueError, RecursionError) as error:
        raise errors.CertificateError('%s: is not plain JSON: %s' % (
            name, _line(error))) from error
    return document


def check(name, document, schema):
    """Compare a document with a schema.

    :param name: of the file, for errors
    :param document: what it says
    :param schema: name of a file of schemas, without its ending
    :raises CertificateError: if it is something else
    """
    try:
        error = jsonschema.exceptions.best_match(
            validator(schema).iter_errors(document))
    except RecursionError:
        raise errors.CertificateError('%s: is too deep' % name)
    if error:
        raise errors.CertificateError('%s: %s: %s' % (
            name, error.json_path, schema_errors.message(error)))


@functools.cache
def validator(schema):
    """Return the validator of a schema.

    :param schema: name of a file of schemas, without its ending
    :returns: a jsonschema.Draft202012Validator
    """
    path = os.path.join(_SCHEMAS, schema + '.yaml')
    with open(path, encoding='utf-8') as stream:
        return jsonschema.Draft202012Validator(yaml.safe_load(stream))


def dump(document):
    """Write a document as JSON, the same bytes for the same document.

    :param document: what json.dumps takes
    :returns: bytes
    """
    return (json.dumps(document, indent=1, sort_keys=True, allow_nan=False,
                       ensure_ascii=False) + '\n').encode()


def _text(name, data):
    if len(data) > LIMIT:
        raise errors.CertificateError('%s: is larger than %d KiB' % (
            name, LIMIT // 1024))
    return data.decode()


def _line(error):
    return ' '.join(str(error).split())[:300]


def _writable(document):
    # Raises ValueError, also for half of a pair of surrogates.
    json.dumps(document, allow_nan=False, ensure_ascii=False,
               default=str).encode()


def _shallow(document):
    # Level by level: what goes into it, Python gives up sooner or later.
    level = [document]
    for _ in range(DEPTH):
        level = [item for value in level if isinstance(value, (dict, list))
                 for item in (value.values() if isinstance(value, dict)
                              else value)]
    if level:
        raise ValueError('it is too deep')


def _no_constant(name):
    raise ValueError('%s is no number' % name)


def _unique(pairs):
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError('a key is there twice')
    return document
