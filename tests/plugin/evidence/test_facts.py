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

import datetime
import json
import os

import jsonschema
from oslotest import base
import testtools
import yaml

from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import server_memory
from tests.plugin import samples

SCHEMA = os.path.join(os.path.dirname(facts.__file__), 'facts_schema.yaml')


class FactsTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.comparison = facts.Comparison('host a')
        self.comparison.equal('libvirt', 'discard', True, True)

    def test_agrees(self):
        self.assertIsNone(facts.Agrees().match(self.comparison))

    def test_mismatch_names_fact_and_shows_all(self):
        self.comparison.equal('QEMU', 'paths', ['/a', '/b'], None)
        self.comparison.holds('kernel', 'size', 'at least 4', 3, False)
        text = facts.Agrees().match(self.comparison).describe()
        self.assertEqual(
            'host a: paths: expected /a, /b, QEMU says none\n'
            'host a: size: expected at least 4, kernel says 3\n'
            '\n'
            'host a\n'
            '     fact     expected    observed  witness\n'
            '     discard  yes         yes       libvirt\n'
            ' !!  paths    /a, /b      none      QEMU\n'
            ' !!  size     at least 4  3         kernel', text)


class KeepTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.test = testtools.TestCase('run')
        with open(SCHEMA, encoding='utf-8') as stream:
            self.schema = yaml.safe_load(stream)

    def _kept(self, name):
        detail = self.test.getDetails()[name]
        self.assertEqual('application/json', repr(detail.content_type))
        [data] = detail.iter_bytes()
        document = json.loads(data)
        jsonschema.validate(
            document, self.schema,
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        return document

    def test_comparison(self):
        comparison = facts.Comparison('host a, server b', 'a', 'b')
        comparison.holds('kernel', 'sizes', 'at least 4', {3}, False)
        facts.keep(self.test, comparison)
        kept = self._kept('facts')
        when = datetime.datetime.fromisoformat(kept.pop('when'))
        self.assertEqual(datetime.timedelta(0), when.utcoffset())
        self.assertEqual({
            'kind': 'facts', 'version': 1, 'subject': 'host a, server b',
            'host': 'a', 'server': 'b', 'facts': [{
                'witness': 'kernel', 'name': 'sizes',
                'expected': 'at least 4', 'observed': [3],
                'agrees': False, 'exact': False}]}, kept)

    def test_what_has_to_be_equal(self):
        comparison = facts.Comparison('host a')
        for observed in ([1], [2]):
            comparison.equal('kernel', 'pids', [1], observed)
        self.assertEqual([(True, True), (False, True)], [
            (fact['agrees'], fact['exact'])
            for fact in comparison.document()['facts']])

    def test_comparisons_of_hosts_and_servers(self):
        for declared, evidence, page_kib in (
                (samples.FILE_BACKED, samples.file_backed_evidence(), None),
                (samples.PLAIN, samples.plain_evidence(), None),
                (samples.LARGE_PAGE, samples.large_page_evidence(), 2048)):
            facts.keep(self.test, server_memory.compare(declared, evidence,
                                                        page_kib))
        for name, host in (('facts', 'fbm1'), ('facts-1', 'plain1'),
                           ('facts-2', 'huge1')):
            kept = self._kept(name)
            self.assertEqual((host, samples.SERVER),
                             (kept['host'], kept['server']))
            [data] = self.test.getDetails()[name].iter_bytes()
            self.assertLess(len(data), 4608)

    def test_left_out(self):
        facts.keep_left_out(self.test, 'a', 'occupied: password=secret')
        self.assertEqual({'kind': 'left_out', 'version': 1, 'host': 'a',
                          'reason': 'occupied: password=***'},
                         self._kept('left_out'))

    def test_outcomes(self):
        facts.keep_outcome(self.test, 'a', None)
        facts.keep_outcome(self.test, 'b', 'boot: password=secret')
        self.assertEqual({'kind': 'outcome', 'version': 1, 'host': 'a',
                          'passed': True, 'error': None},
                         self._kept('outcome'))
        self.assertEqual({'kind': 'outcome', 'version': 1, 'host': 'b',
                          'passed': False, 'error': 'boot: password=***'},
                         self._kept('outcome-1'))
