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


import json

import ddt
import jsonschema
from oslotest import base
import yaml

from mempage_tempest_plugin.evidence import documents
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import numa_maps
from mempage_tempest_plugin.hosts import survey
from tests.plugin import samples


@ddt.ddt
class DocumentsTest(base.BaseTestCase):

    @ddt.data(samples.file_backed_evidence(), samples.plain_evidence(),
              samples.large_page_evidence(),
              samples.file_backed_evidence(provider=None),
              samples.file_backed_evidence(survey=samples.host_survey(
                  available_mib=100, processes={samples.SERVER: [
                      survey.Process(samples.PID, samples.QEMU_USER, [],
                                     [numa_maps.NodePages(1, 2048, 96)])]})),
              samples.file_backed_evidence(provider=samples.provider(
                  memory_total=None, allocation_ratio=None)))
    def test_written_and_read_back(self, evidence):
        self.assertEqual(evidence, documents.loads(documents.dumps(evidence)))

    def test_kinds_of_collections_are_kept(self):
        evidence = documents.loads(
            documents.dumps(samples.file_backed_evidence()))
        self.assertIsInstance(evidence.provider.traits, frozenset)
        self.assertEqual({samples.PATH: [(samples.PID, '0:40')]},
                         evidence.survey.mappers)
        evidence = documents.loads(
            documents.dumps(samples.large_page_evidence()))
        self.assertEqual((2048,), evidence.xml.hugepages)

    def test_the_same_evidence_gives_the_same_document(self):
        traits = ['CUSTOM_%d' % number for number in range(20)]
        written = {documents.dumps(samples.file_backed_evidence(
            provider=samples.provider(traits=frozenset(order))))
            for order in (traits, traits[::-1])}
        self.assertEqual(1, len(written))

    def test_schema(self):
        with open(documents.SCHEMA, encoding='utf-8') as stream:
            jsonschema.Draft202012Validator.check_schema(
                yaml.safe_load(stream))

    def test_what_is_wrong_is_named(self):
        document = json.loads(documents.dumps(samples.plain_evidence()))
        document['evidence']['survey']['memory_mib'] = 'all'
        error = self.assertRaises(exceptions.DocumentError, documents.loads,
                                  json.dumps(document))
        self.assertEqual("evidence: $.evidence.survey.memory_mib: 'all' is "
                         "not of type 'integer'", str(error))

    def test_no_json(self):
        error = self.assertRaises(exceptions.DocumentError, documents.loads,
                                  'host fbm1')
        self.assertIn('evidence: is not JSON', str(error))
