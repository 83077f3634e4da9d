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

import subunit
import testtools
from testtools import content
from testtools import content_type

from mempage_lab import stream
from tests.lab import base


class StreamTest(base.LabTestCase):

    def test_read(self):
        class Sample(testtools.TestCase):
            def test_good(self):
                pass

            def test_bad(self):
                self.addCleanup(self.fail, 'in use')
                self.fail('because')

            def test_skipped(self):
                self.skipTest('not here')

        path = self.directory / 'stream'
        with open(path, 'wb') as target:
            result = testtools.ExtendedToStreamDecorator(
                subunit.StreamResultToBytes(target))
            result.startTestRun()
            for name in ('test_good', 'test_bad', 'test_skipped'):
                Sample(name).run(result)
            result.stopTestRun()
        outcome = stream.read(path)
        [(name, said)] = outcome.failures.items()
        self.assertTrue(name.endswith('test_bad'), name)
        self.assertIn('because', said)
        self.assertNotIn('in use', said)
        [(name, reason)] = outcome.skips.items()
        self.assertTrue(name.endswith('test_skipped'), name)
        self.assertEqual('not here', reason)
        [name] = outcome.passed
        self.assertTrue(name.endswith('test_good'), name)

    def test_facts_read_like_those_of_a_failure(self):
        class Sample(testtools.TestCase):
            def test(self):
                for text in json.dumps({'facts': [
                        {'name': 'share', 'witness': 'QEMU', 'expected': True,
                         'observed': False},
                        {'name': 'owners', 'witness': 'kernel',
                         'expected': [7, 8], 'observed': []},
                        {'name': 'source', 'witness': 'libvirt',
                         'expected': None, 'observed': 1}]}), '{"facts":':
                    self.addDetailUniqueName('facts', content.Content(
                        content_type.JSON, lambda text=text: [text.encode()]))

        path = self.directory / 'stream'
        with open(path, 'wb') as target:
            result = testtools.ExtendedToStreamDecorator(
                subunit.StreamResultToBytes(target))
            result.startTestRun()
            Sample('test').run(result)
            result.stopTestRun()
        self.assertEqual({'share: expected yes, QEMU says no',
                          'owners: expected 7, 8, kernel says none',
                          'source: expected none, libvirt says 1'},
                         stream.read(path).facts)

    def test_what_is_no_result_is_left_out(self):
        path = self.directory / 'stream'
        path.write_text("usage: tempest help [-h]\nerror: '--hlep'\n")
        self.assertEqual(stream.Outcome(), stream.read(path))
