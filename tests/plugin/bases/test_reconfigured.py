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

    def _in_turn(self, host, hosts, alike=('a1', 'a2', 'b1', 'b2', 'c1')):
        """Try cases that share their words, which are their first letter."""
        refusals = {case: ({'option': case}, case[0]) for case in alike}
        self.assertEqual(refusals.keys(),
                         self._try(hosts, refusals=refusals).keys())
        return [batch[host] for batch in self.taken[:-1]]

    def test_words_of_the_case_before_are_not_those_of_the_next(self):
        self.assertEqual(['b2', 'a2', 'c1', 'b1', 'a1'],
                         self._in_turn('a', ['a']))

    def test_each_host_hears_all_words_and_each_case_is_tried(self):
        """Or a host that starts where it must not is not noticed"""
        hosts = ['a', 'b', 'c']
        tried = [self._in_turn(host, hosts) for host in hosts]
        self.assertEqual([['c1', 'b1', 'a1'], ['c1', 'b2', 'a2'],
                          ['c1', 'b1', 'a1']], tried)
        self.assertEqual(['a3', 'a1', 'a2'], [
            case for host in ('a', 'b')
            for case in self._in_turn(host, ['a', 'b'], ('a1', 'a2', 'a3'))
            if (host, case) != ('b', 'a1')])

    def test_same_words_if_there_are_no_others(self):
        refusals = {case: ({'option': case}, 'a') for case in ('one', 'two')}
        self._try(['a'], refusals=refusals)
        self.assertEqual([{'a': 'two'}, {'a': 'one'}, 'put back a'],
                         self.taken)

    def test_the_first_error_of_a_case(self):
        self.assertEqual(
            {'one': None, 'two': 'error of two', 'three': None},
            self._try(['a', 'b']))
        self.assertEqual([dict.fromkeys('ab', case) for case in (
            'three', 'two', 'one')] + ['put back a b'], self.taken)

    def test_others_are_put_back_before_the_first_is_down(self):
        self.assertEqual(
            {'one': 'late', 'two': 'error of two', 'three': None},
            self._try(['a', 'b', 'c'], 'late', until_down=True))
        self.assertEqual(['put back b c', 'a is down', 'put back a'],
                         self.taken[3:])

    def test_one_host_goes_down_at_last(self):
        self._try(['a'], until_down=True)
        self.assertEqual(
            [{'a': 'three'}, {'a': 'two'}, {'a': 'one'}, 'a is down',
             'put back a'], self.taken)
