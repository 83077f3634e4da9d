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


import ddt
from oslotest import base

from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.pages import failures
from mempage_tempest_plugin.pages import runs

TRACEBACK = '''Traceback (most recent call last):
  File "/a.py", line 1, in test
    self.check()
    ~~~~~~~~~~^^
  File "/b.py", line 2, in check
    raise ValueError(
AssertionError: 2 of 3 hosts failed
a: file: expected 1

a table
'''


def failed(**values):
    values = {'name': 'a.TestA.test_a', 'documents': [],
              'texts': {'traceback': TRACEBACK}, **values}
    return streams.Test(status=streams.FAILED, **values)


def of(*tests):
    return failures.of([runs.Run('', list(tests))])


@ddt.ddt
class FailuresTest(base.BaseTestCase):

    def test_only_what_failed(self):
        [found] = of(failed(), streams.Test('b.c', streams.PASSED, []))
        self.assertEqual('a.TestA.test_a', found.name)
        self.assertEqual('AssertionError: 2 of 3 hosts failed\n'
                         'a: file: expected 1', found.message)

    @ddt.unpack
    @ddt.data(('Error: without code', 'Error: without code'),
              ('Traceback\n  File "a", line 1, in x\n    y\n', 'Traceback'))
    def test_message(self, traceback, message):
        self.assertIn(message, failures.message(traceback))

    def test_killed(self):
        [found] = of(failed(texts={}))
        self.assertIn('was killed', found.message)

    def test_unreadable(self):
        [found] = of(failed(name=streams.UNREADABLE))
        self.assertIn('is missing', found.message)
        self.assertIn('cannot be read', found.name)

    def test_facts_that_disagree(self):
        facts = [{'name': str(number), 'agrees': number % 2 == 0}
                 for number in range(2 * failures.FACTS + 6)]
        [found] = of(failed(documents=[
            {'kind': 'facts', 'host': None, 'facts': facts}]))
        self.assertEqual(('1', failures.FACTS, 3), (
            found.facts[0][1]['name'], len(found.facts), found.more))

    def test_texts_are_in_order(self):
        [found] = of(failed(texts={
            "pythonlogging:''": 'x', 'fbm1-memory': 'y', 'traceback-1': 'z',
            'traceback': TRACEBACK}))
        self.assertEqual(['traceback', 'traceback-1', 'fbm1-memory',
                          'log of the test'],
                         [text.name for text in found.texts])

    def test_the_end_of_a_long_text(self):
        line = 'x' * 99 + '\n'
        [found] = of(failed(texts={'log': line * 1000}))
        [text] = found.texts
        self.assertEqual(failures.CHARACTERS // 100, text.text.count('\n'))
        self.assertTrue(text.text.startswith('x' * 99 + '\n'))
        self.assertEqual(100 * 1000, len(text.text) + text.left_out)

    @ddt.data('x' * 100000, 'x' * 99999 + '\n', '\n' + 'x' * 99999)
    def test_one_long_line(self, log):
        [found] = of(failed(texts={'log': log}))
        self.assertEqual(failures.CHARACTERS, len(found.texts[0].text))

    def test_many_long_texts(self):
        found = of(*(failed(texts={'log': 'x\n' * 50000})
                     for _ in range(200)))
        size = sum(len(text.text) for each in found for text in each.texts)
        self.assertLessEqual(size, failures.ALL_CHARACTERS)
        self.assertGreater(size, failures.ALL_CHARACTERS * 0.9)
