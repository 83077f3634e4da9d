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


from mempage_lab.drills import catalogue
from mempage_lab.drills import clean
from mempage_lab.drills import drill
from mempage_lab.drills import running
from mempage_lab.drills import words
from tests.lab import base


def _drill(text):
    return drill.Drill(what='what', where='fbm1', fault=None, tests='A',
                       words=text)


def _result(name, *lines):
    return running.Result(name, 'what', ('fbm1',), running.CAUGHT, '',
                          {'A.test': list(lines)}, 1.5)


class WordsTest(base.LabTestCase):

    def setUp(self):
        super().setUp()
        self.patch_object(catalogue, 'DRILLS', {
            'size': _drill('size: expected 4, .* 2'),
            'kind': _drill('kind')})

    def test_words_of_one_fault_alone(self):
        results = [_result('size', 'size: expected 4, QEMU says 2'),
                   _result('kind', 'kind: expected f, find says d')]
        self.assertEqual([], words.clashes(results, []))

    def test_words_that_another_fault_has_said(self):
        results = [_result('size', 'size: expected 4, QEMU says 2',
                           'any kind of line', 'kind: expected f')]
        self.assertEqual([words.Clash('kind', 'size', 'any kind of line')],
                         words.clashes(results, []))

    def test_words_that_were_said_though_nothing_was_broken(self):
        run = clean.Run(7, 3, (), 1.5, ('kind: expected f, find says f',
                                        'size: expected 4, QEMU says 4'))
        self.assertEqual(
            [words.Clash('kind', words.CLEAN,
                         'kind: expected f, find says f')],
            words.clashes([], [run]))

    def test_results_are_judged_by_the_words_of_today(self):
        kept = [_result('size', 'size: expected 4, QEMU says 3'),
                _result('gone', 'x')]
        [judged] = words.judge_again(kept)
        self.assertEqual(running.CAUSE_UNSAID, judged.verdict)
