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

"""Tests of what becomes of hosts that are not what tests need."""

import json
from unittest import mock

import fixtures
from oslotest import base as test_base

from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed
from tests.plugin.bases import cases
from tests.plugin import samples


class LeaveOutTest(test_base.BaseTestCase):

    def _leave_out(self, needs_all=False, **reasons):
        self.useFixture(fixtures.MockPatchObject(
            observed, 'CONF', cases.options()))
        cls = mock.Mock(skipException=base.BaseMemoryTest.skipException,
                        left_out={'z': 'before'},
                        hosts=[cases.host(name) for name in reasons],
                        needs_all_hosts=needs_all)
        cls.__name__ = 'TestStoreDevice'
        observed.leave_out(cls, observed.NO_DISK_COUNT,
                           lambda host: reasons[host.name])
        self.left_out = cls.left_out
        return [host.name for host in cls.hosts]

    def test_some(self):
        self.assertEqual(['a', 'c'], self._leave_out(
            a=None, b='on loop0', c=None))
        self.assertEqual(
            {'z': 'before', 'b': observed.NO_DISK_COUNT + ': on loop0'},
            self.left_out)

    def test_each_test_keeps_it(self):
        case = cases.make(base.BaseMemoryTest, left_out={'b': 'on loop0'})
        [detail] = case.getDetails().values()
        self.assertEqual(
            {'kind': 'left_out', 'version': 1, 'host': 'b',
             'reason': 'on loop0'}, json.loads(b''.join(detail.iter_bytes())))

    def test_all(self):
        error = self.assertRaises(
            base.BaseMemoryTest.skipException, self._leave_out,
            a='on loop0', b='no nvme-cli')
        self.assertEqual(
            observed.NO_DISK_COUNT + ': host a: on loop0; host b: no nvme-cli',
            str(error))

    def test_one_that_is_needed(self):
        error = self.assertRaises(
            base.BaseMemoryTest.skipException, self._leave_out,
            needs_all=True, a=None, b='on loop0')
        self.assertEqual(observed.NO_DISK_COUNT + ': host b: on loop0',
                         str(error))

    def test_all_are_needed_and_there(self):
        self.assertEqual(['a', 'b'], self._leave_out(
            needs_all=True, a=None, b=None))


class OtherQemuTest(test_base.BaseTestCase):

    def _leave_out(self, **versions):
        cls = type('TestMoves', (base.BaseMoveTest,), {'left_out': {}})
        cls.hosts = [cases.host(name) for name in versions]
        cls.services = mock.Mock(**{'version_of.side_effect': versions.get})
        observed.leave_out_other_qemu(cls)
        self.cls = cls
        return [host.name for host in cls.hosts]

    def test_all_alike(self):
        self.assertEqual(['a', 'b'], self._leave_out(a='7.2.22', b='7.2.22'))
        self.assertEqual({}, self.cls.left_out)
        # It is for something else that the test has no host, then.
        observed.skip_left_out(self.cls, observed.OTHER_QEMU)

    def test_some(self):
        self.assertEqual(['a', 'c'], self._leave_out(
            a='10.0.8', b='7.2.22', c='10.0.8'))
        text = 'it has QEMU 7.2.22, and a has 10.0.8'
        self.assertEqual({'b': observed.OTHER_QEMU + ': ' + text},
                         self.cls.left_out)
        observed.skip_left_out(self.cls, observed.OCCUPIED)
        error = self.assertRaises(
            self.cls.skipException, observed.skip_left_out, self.cls,
            observed.OTHER_QEMU)
        self.assertEqual(observed.OTHER_QEMU + ': host b: ' + text,
                         str(error))

    def test_no_destination_is_left(self):
        error = self.assertRaises(
            base.BaseMoveTest.skipException, self._leave_out,
            a='7.2.22', b='10.0.8', c='10.0.8')
        self.assertEqual(
            observed.OTHER_QEMU + ': host b: it has QEMU 10.0.8, and a has '
            '7.2.22; host c: it has QEMU 10.0.8, and a has 7.2.22', str(error))


class OccupiedTest(test_base.BaseTestCase):

    def _leave_out(self, bases=(base.BaseMemoryTest,), alone_on=which.each,
                   running=None, known=None):
        self.useFixture(fixtures.MockPatchObject(
            observed, 'CONF', cases.options()))
        cls = type('TestFullStore', bases, {'alone_on': alone_on})
        cls.hosts = [cases.host(declared.name, declared=declared)
                     for declared in (samples.FILE_BACKED, samples.PLAIN)]
        cls.declared = [host.declared for host in cls.hosts]
        cls.nova = mock.Mock(**{'on_host.side_effect': lambda name: (
            (known or {}) if name == 'fbm1' else {})})
        cls.hosts[0].libvirt.running.return_value = (
            {'u': '1-a', 'v': '2-b'} if running is None else running)
        observed.leave_out_occupied(cls)
        return [host.name for host in cls.hosts]

    def test_others_guests(self):
        self.assertEqual(['plain1'], self._leave_out())

    def test_nothing_is_left(self):
        error = self.assertRaises(
            base.BaseMemoryTest.skipException, self._leave_out,
            (base.BaseMoveTest,))
        self.assertEqual(
            'guests of others would come to harm: host fbm1: 2 are there, '
            'running or not, that are no test\'s', str(error))

    def test_guests_that_do_not_run(self):
        """They may be started, or be there in a moment"""
        self.assertEqual(['plain1'], self._leave_out(
            running={}, known={'u': 'database'}))

    def test_guests_of_a_killed_run(self):
        self.assertEqual(['plain1'], self._leave_out(
            running={}, known={'u': 'tempest-mempage-TestX-server-1'}))

    def test_each_guest_counts_once(self):
        error = self.assertRaises(
            base.BaseMemoryTest.skipException, self._leave_out,
            (base.BaseMoveTest,), running={'u': '1-a'},
            known={'u': 'database', 'v': 'backup'})
        self.assertIn(': 2 are there', str(error))

    def test_hosts_that_others_may_use(self):
        """Guests of other tests may be there, and nothing harms them"""
        for alone_on in None, which.last:
            self.assertEqual(['fbm1', 'plain1'],
                             self._leave_out(alone_on=alone_on))


class TakeUnoccupiedTest(test_base.BaseTestCase):
    """Other hosts are taken for those with guests of others."""

    def _take(self, occupied, choices):
        """Return who was asked, and who has leased others.

        :param occupied: names of hosts
        :param choices: lists of names of hosts that are chosen, one after
            the other
        """
        self.asked, self.avoided = [], []
        chosen = iter(choices)

        def get(declared, timeout):
            self.asked.append(declared)
            return cases.host(declared)

        def take_others(cls, avoided):
            self.avoided.append(sorted(avoided))
            self.alone = next(chosen, None) or self.alone
            return self.avoided[-1] and len(self.avoided) < len(choices)

        self.alone = next(chosen)
        self.useFixture(fixtures.MockPatchObject(
            observed, 'CONF', cases.options()))
        for module, name, double in (
                (observed.compute_host, 'get', get),
                (observed.leased, 'alone_on', lambda cls: self.alone),
                (observed.leased, 'take_others', take_others)):
            self.useFixture(fixtures.MockPatchObject(module, name, double))
        cls = type('TestIt', (base.BaseMemoryTest,), {'nova': mock.Mock(**{
            'on_host.side_effect': lambda name: (
                {'u': 'database'} if name in occupied else {})})})
        observed.take_unoccupied(cls)
        return cls.left_out

    def test_none_is_occupied(self):
        self.assertEqual({}, self._take([], [['a']]))
        self.assertEqual(['a'], self.asked)

    def test_another_one_suits(self):
        self.assertEqual(
            {'a': 'guests of others would come to harm: 1 are there, running '
                  'or not, that are no test\'s'},
            self._take(['a'], [['a'], ['b']]))
        self.assertEqual(['a', 'b'], self.asked)

    def test_another_one_is_occupied_as_well(self):
        self.assertEqual(
            {'a', 'b'}, set(self._take(['a', 'b'], [['a'], ['b'], ['c']])))
        self.assertEqual(['a', 'b', 'c'], self.asked)

    def test_no_other_one_suits(self):
        """It is left to who leaves out hosts"""
        self.assertEqual({}, self._take(['a'], [['a']]))
        self.assertEqual([['a']], self.avoided)


class SkipIfOccupiedTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            names, 'CONF', mock.Mock(resource_name_prefix='tempest')))
        self.host = cases.host('a')
        self.case = cases.make(base.BaseMemoryTest, nova=mock.Mock())

    def _ask(self, running, known):
        self.host.libvirt.running.return_value = running
        self.case.nova.on_host.return_value = known
        observed.skip_if_occupied(self.case, self.host)
        self.case.nova.on_host.assert_called_once_with('a')

    def test_guests_of_the_test(self):
        self._ask({'u': 'instance-1'},
                  {'u': 'tempest-mempage-TestFullStore-server-1',
                   'v': 'tempest-mempage-TestFullStore-server-2'})

    def test_guests_that_have_come(self):
        for running, known in (({'u': 'instance-1'}, {'u': 'database'}),
                               ({}, {'u': 'database'}),
                               ({'u': 'no-server'}, {})):
            self.case.nova.on_host.reset_mock()
            error = self.assertRaises(
                base.BaseMemoryTest.skipException, self._ask, running, known)
            self.assertEqual(
                'guests of others would come to harm: host a: 1 are there, '
                'running or not, that are no test\'s', str(error))
