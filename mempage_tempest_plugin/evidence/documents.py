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

"""Evidence as a JSON document, and back; evidence_schema.yaml describes it."""

import json
import os

from cattrs.preconf import json as json_converter
import jsonschema
import yaml

from mempage_tempest_plugin.evidence import collect
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin import schema_errors

KIND = 'evidence'
VERSION = 1
SCHEMA = os.path.join(os.path.dirname(__file__), 'evidence_schema.yaml')

# Sets have no order: the same evidence is to give the same document.
_CONVERTER = json_converter.make_converter(
    unstruct_collection_overrides={frozenset: sorted})


def dumps(evidence):
    """Write evidence as a document.

    :param evidence: a collect.Evidence
    :returns: JSON text
    """
    return json.dumps({'kind': KIND, 'version': VERSION,
                       'evidence': _CONVERTER.unstructure(evidence)})


def loads(text):
    """Read evidence from a document.

    :param text: what :func:`dumps` returned
    :returns: an equal collect.Evidence
    :raises DocumentError: if it is something else
    """
    with open(SCHEMA, encoding='utf-8') as stream:
        schema = yaml.safe_load(stream)
    try:
        document = json.loads(text)
        jsonschema.validate(document, schema)
    except ValueError as error:
        raise exceptions.DocumentError(
            'evidence', 'is not JSON: %s' % error) from error
    except jsonschema.ValidationError as error:
        raise exceptions.DocumentError('evidence', '%s: %s' % (
            error.json_path, schema_errors.message(error))) from error
    return _CONVERTER.structure(document['evidence'], collect.Evidence)
