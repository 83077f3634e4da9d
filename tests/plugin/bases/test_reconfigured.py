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

from oslotest import base as test_base

from mempage_tempest_plugin.tests.bases import reconfigured

REFUSALS = {case: ({'option': case}, 'words of %s' % case)
            for case in ('one', 'two', 'three')}


class _Reconfiguration:
    """Writes down what happens to hosts, which are words here."""

    def __init__(self, never_down=None):
        self.taken = []
        self.never_down = never_down

    def apply_refused(self, refusals):
        self.taken.append({host: options['option']
                           for host, (options, _) in refusals.items()})
        return {host: 'error of two' if options['option'] == 'two' else None
                for host, (options, _) in refusals.items()}

    def wait_until_down(self, host):
        self.taken.append('%s is down' % host)
        return self.never_down

    def restore(self, hosts):
        self.taken.append('put back %s' % ' '.join(hosts))


class TryAllRefusedTest(test_base.BaseTestCase):

    def _try(self, hosts, never_down=None, refusals=REFUSALS, **kwargs):
        begun = _Reconfiguration(never_down)
        self.taken = begun.taken
        return reconfigured.try_all_refused(begun, refusals, hosts, **kwargs)

    def _in_turn(self, host, hosts):
        """Try cases that share their words, which are their first letter."""
        refusals = {case: ({'option': case}, case[0])
                    for case in ('a1', 'a2', 'b1', 'b2', 'c1')}
        self.assertEqual(refusals.keys(),
                         self._try(hosts, refusals=refusals).keys())
        return [batch[host][0] for batch in self.taken[:-1] if host in batch]

    def test_words_of_the_case_before_are_not_those_of_the_next(self):
        self.assertEqual(list('ababc'), self._in_turn('a', ['a']))
        for host in 'ab':
            turn = self._in_turn(host, ['a', 'b'])
            self.assertEqual(len(turn), len(set(turn)))

    def test_same_words_if_there_are_no_others(self):
        refusals = {case: ({'option': case}, 'a') for case in ('one', 'two')}
        self._try(['a'], refusals=refusals)
        self.assertEqual([{'a': 'one'}, {'a': 'two'}, 'put back a'],
                         self.taken)

    def test_several_hosts_at_the_same_time(self):
        self.assertEqual(
            {'one': None, 'two': 'error of two', 'three': None},
            self._try(['a', 'b']))
        self.assertEqual([{'a': 'one', 'b': 'two'}, {'a': 'three'},
                          'put back a b'], self.taken)

    def test_others_go_on_until_the_first_is_down(self):
        self.assertEqual(
            {'one': 'late', 'two': 'error of two', 'three': None},
            self._try(['a', 'b', 'c'], 'late', until_down=True))
        self.assertEqual(
            [{'a': 'one'}, {'b': 'two', 'c': 'three'}, 'put back b c',
             'a is down', 'put back a'], self.taken)

    def test_one_host_goes_down_before_it_goes_on(self):
        self.assertEqual(
            {'one': None, 'two': 'error of two', 'three': None},
            self._try(['a'], until_down=True))
        self.assertEqual(
            [{'a': 'one'}, 'a is down', 'put back a', {'a': 'two'},
             {'a': 'three'}, 'put back a'], self.taken)
