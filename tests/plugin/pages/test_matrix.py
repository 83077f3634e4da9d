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


from oslotest import base

from mempage_tempest_plugin.evidence import streams
from mempage_tempest_plugin.pages import matrix
from mempage_tempest_plugin.pages import runs


def fact(name, agrees, witness='kernel'):
    return {'witness': witness, 'name': name, 'expected': 1, 'observed': 1,
            'agrees': agrees}


def facts(host, *found):
    return {'kind': 'facts', 'version': 1, 'subject': 's', 'host': host,
            'server': None, 'when': 'now', 'facts': list(found)}


def run_of(*tests):
    return [runs.Run('', list(tests))]


def test_of(status, *documents, name='a.TestA.test_a[id-1]'):
    return streams.Test(name, status, list(documents))


def shown(part):
    return {title: dict(rows) for title, rows in part.groups.items()}


class FactsTest(base.BaseTestCase):

    def test_hosts_that_are_alike_have_one_column(self):
        found = matrix.of_facts(run_of(test_of(streams.PASSED, *(
            facts('host%03d' % number, *(
                fact('fact %d' % row, True) for row in range(60)
                if row < 50 or number % 2)) for number in range(200)))))
        self.assertEqual(200, found.hosts)
        [part] = found.parts
        self.assertEqual(['A: 100 hosts', 'B: 100 hosts'],
                         [column.name for column in part.columns])
        self.assertEqual('host198', found.alike[0].hosts[-1])
        rows = shown(part)['As expected, says kernel']
        self.assertEqual([(('agrees', 100),)] * 2, rows['fact 0'])
        self.assertEqual([(), (('agrees', 100),)], rows['fact 59'])

    def test_many_columns_make_several_tables(self):
        found = matrix.of_facts(run_of(test_of(streams.PASSED, *(
            facts('host%02d' % number, fact('of %d' % number, True))
            for number in range(matrix.COLUMNS + 3)))))
        self.assertEqual([matrix.COLUMNS, 3],
                         [len(part.columns) for part in found.parts])
        self.assertEqual([], found.alike)

    def test_one_that_disagrees_has_a_column_of_its_own(self):
        found = matrix.of_facts(run_of(
            test_of(streams.PASSED, *(
                facts(host, fact('x', True)) for host in 'abc')),
            test_of(streams.FAILED, facts('b', fact('x', False)))))
        [part] = found.parts
        self.assertEqual([('a', 'c'), ('b',)],
                         [column.hosts for column in part.columns])
        self.assertEqual(
            {'Not as expected': {'x, says kernel': [
                (('agrees', 2),), (('disagrees', 1), ('agrees', 1))]}},
            shown(part))

    def test_what_disagrees_comes_first(self):
        found = matrix.of_facts(run_of(test_of(
            streams.FAILED, facts('a', fact('good', True, 'A'),
                                  fact('bad', False, 'Z')))))
        self.assertEqual(['Not as expected', 'As expected, says A'],
                         list(found.parts[0].groups))

    def test_a_test_that_did_not_fail_had_to_see_it_disagree(self):
        found = matrix.of_facts(run_of(test_of(
            streams.PASSED, facts('a', fact('x', False)))))
        self.assertEqual([(('noted', 1),)], shown(found.parts[0])[
            'Not as expected']['x, says kernel'])

    def test_names_of_guests_make_no_rows(self):
        found = matrix.of_facts(run_of(test_of(streams.PASSED, facts(
            'a', fact('file of 7-instance-0000001a', True),
            fact('file of 8-instance-0000001b', True)))))
        self.assertEqual({'file of …': [(('agrees', 2),)]}, shown(
            found.parts[0])['As expected, says kernel'])

    def test_what_is_about_no_host_comes_last(self):
        found = matrix.of_facts(run_of(test_of(
            streams.PASSED, facts(None, fact('x', True)),
            facts('z', fact('x', True)))))
        self.assertEqual(['z', 'no host'], [
            column.name for column in found.parts[0].columns])
        self.assertEqual(1, found.hosts)

    def test_no_facts(self):
        self.assertEqual([], matrix.of_facts(run_of(
            test_of(streams.PASSED))).parts)

    def test_letters(self):
        self.assertEqual(['A', 'Z', 'AA', 'AZ', 'BA'],
                         [matrix._letters(n) for n in (0, 25, 26, 51, 52)])


class ClassesTest(base.BaseTestCase):

    def test_outcomes(self):
        found = matrix.of_classes(run_of(
            test_of(streams.PASSED, facts('a'), facts('b')),
            test_of(streams.FAILED, facts('a', fact('x', False)),
                    facts('b', fact('x', True))),
            test_of(streams.SKIPPED, name='setUpClass (a.TestB)'),
            test_of(streams.PASSED, facts('a'), name='a.TestC.test_c')))
        [part] = found.parts
        self.assertEqual(
            {'Failed': {'a.TestA': [
                (('failed', 1), ('passed', 1)),
                (('unknown', 1), ('passed', 1)), ()]},
             'Passed': {'a.TestC': [(('passed', 1),), (), ()]},
             'Skipped': {'a.TestB': [(), (), (('skipped', 1),)]}},
            shown(part))

    def test_hosts_with_as_many_tests_are_alike(self):
        found = matrix.of_classes(run_of(
            test_of(streams.PASSED, facts('a'), facts('b'), facts('c')),
            test_of(streams.PASSED, facts('c'))))
        self.assertEqual([('a', 'b'), ('c',)], [
            column.hosts for column in found.parts[0].columns])
