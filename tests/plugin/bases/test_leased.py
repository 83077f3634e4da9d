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

"""Tests of what test classes lease, and when."""

import dataclasses
import itertools
import math
from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base
import testtools

from mempage_tempest_plugin.changes import leases
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import leased
from mempage_tempest_plugin.tests.bases import page_size_outcomes
from mempage_tempest_plugin.tests.bases import reachable
from tests.plugin.bases import cases
from tests.plugin import samples

HOSTS = [dataclasses.replace(declared, name=name) for name, declared in (
    ('a', samples.FILE_BACKED), ('b', samples.FILE_BACKED),
    ('c', samples.PLAIN))]
# Which hosts are containers of one machine.
KERNELS = {'a': '1', 'b': '1', 'c': '2'}
A, B, C = (leases.host(host.name) for host in HOSTS)
KERNEL = leases.kernel('1')


class LeasedTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MockPatch(
            'oslo_concurrency.lockutils.get_lock_path',
            return_value='/locks'))
        self.leases = self.useFixture(fixtures.MockPatchObject(
            leases, 'Leases')).mock
        self.declared = HOSTS
        self.useFixture(fixtures.MockPatchObject(
            inventory, 'load', lambda path: inventory.Inventory(
                path, {host.name: host for host in self.declared})))
        self.asked = []
        self.useFixture(fixtures.MockPatchObject(
            compute_host, 'get', self._host))
        self.ram = self.useFixture(fixtures.MockPatchObject(
            leased, '_configured_ram', return_value=192)).mock
        self.configure()

    def _host(self, declared, timeout):
        self.asked.append(declared.name)
        return cases.host(declared.name,
                          kernel=KERNELS.get(declared.name))

    def configure(self, **changes):
        changes = {'host_inventory': 'x.yaml', 'runs_alone': True, **changes}
        options = cases.options(mempage=changes)
        for module in joined, leased:
            self.useFixture(fixtures.MockPatchObject(
                module, 'CONF', options))

    def wish(self, **attributes):
        """Take leases for a class.

        :param attributes: what the class says
        :returns: the leases.Wish; None if it has none
        """
        cls = type('TestIt', (base.BaseMemoryTest,), attributes)
        self.assertIs(self.leases.return_value, leased.take(cls))
        taken = self.leases.return_value.take
        return taken.call_args.args[0] if taken.called else None

    def assert_wish(self, shared, exclusive, wish):
        self.assertEqual((set(shared), set(exclusive)),
                         (set(wish.shared), set(wish.exclusive)))


@ddt.ddt
class WishTest(LeasedTestCase):

    def test_who_has_them_is_told(self):
        self.wish()
        path, holder = self.leases.call_args.args
        self.assertEqual('/locks', path)
        self.assertRegex(holder, r'^TestIt \(process \d+\)$')

    def test_hosts_are_shared(self):
        self.assert_wish([A, B, C], [], self.wish())

    def test_hosts_that_are_not_chosen_do_not_matter(self):
        self.assert_wish([A, B], [], self.wish(about=which.file_backed))

    def test_alone_on_each(self):
        wish = self.wish(about=which.file_backed, alone_on=which.each)
        self.assertEqual({A, B}, wish.exclusive)
        self.assertEqual([(A, True), (B, True)], wish.in_order()[1:])

    def test_alone_on_some(self):
        wish = self.wish(alone_on=which.first)
        self.assertEqual([(A, True), (B, False), (C, False)],
                         wish.in_order()[1:])

    def test_anywhere(self):
        self.assert_wish([A, B, C], [], self.wish(
            about=which.file_backed, anywhere=True))

    def test_anywhere_means_hosts_of_other_runs(self):
        self.configure(hosts=['a'])
        self.assert_wish([A], [], self.wish())
        self.assert_wish([A, B, C], [], self.wish(anywhere=True))

    def test_anywhere_and_alone(self):
        wish = self.wish(about=which.file_backed, take=which.first,
                         anywhere=True, alone_on=which.each)
        self.assertEqual([(A, True), (B, False), (C, False)],
                         wish.in_order()[1:])

    def test_destinations(self):
        class Move(base.BaseMoveTest):
            start_on = which.file_backed
            go_to = which.plain
            alone_on = which.first

        leased.take(Move)
        wish = self.leases.return_value.take.call_args.args[0]
        self.assertEqual([(A, True), (C, False)], wish.in_order()[1:])

    def test_nobody_asks_for_kernels_without_pools(self):
        self.wish()
        self.assertEqual([], self.asked)

    def test_pools_that_are_used(self):
        self.assert_wish(
            [A, B, KERNEL], [],
            self.wish(about=which.file_backed, pools=leased.TAKES))
        self.assertEqual(['a', 'b'], self.asked)

    def test_pools_that_are_counted(self):
        self.assert_wish(
            [A, B], [A, B, KERNEL],
            self.wish(about=which.file_backed, pools=leased.COUNTS,
                      alone_on=which.each))

    def test_pools_that_are_changed(self):
        self.configure(reconfigure_hosts=True)
        self.assert_wish(
            [A, B], [KERNEL, leases.pool_sizes('1')],
            self.wish(about=which.file_backed, pools=leased.CHANGES,
                      promises=('reconfigure_hosts',)))

    @ddt.data('reconfigure_hosts', 'fault_injection')
    def test_nova_compute_sees_no_pool_that_is_changed(self, promise):
        """It looks at them whenever it starts"""
        self.configure(**{promise: True})
        self.assert_wish(
            [A, B, leases.pool_sizes('1')], [],
            self.wish(about=which.file_backed, promises=(promise,)))

    def test_each_kernel(self):
        self.assert_wish([A, B, C], [KERNEL, leases.kernel('2')],
                         self.wish(pools=leased.COUNTS))

    def test_no_hosts_needed(self):
        self.assert_wish([], [], self.wish(needs_hosts=False,
                                           pools=leased.TAKES))
        self.assert_wish([], [], self.wish(needs_hosts=False,
                                           alone_on=which.each))
        self.assert_wish([A, B, C], [], self.wish(needs_hosts=False,
                                                  anywhere=True))

    def test_everything_beside_tests_of_others(self):
        self.configure(runs_alone=False)
        self.assertEqual(leases.EVERYTHING, self.wish(alone_on=which.first))
        self.assertEqual(leases.EVERYTHING, self.wish(pools=leased.COUNTS))
        self.assert_wish([A, B, C], [], self.wish())

    def test_whoever_is_skipped_waits_for_nobody(self):
        self.assertIsNone(self.wish(about=which.large_pages))
        self.assertIsNone(self.wish(promises=('fill_stores',)))
        self.configure(host_inventory=None)
        self.assertIsNone(self.wish())

    def test_neither_does_who_has_no_inventory(self):
        with fixtures.MockPatchObject(
                inventory, 'load', mock.Mock(
                    side_effect=exceptions.InventoryError('x', ['bad']))):
            self.assertIsNone(self.wish())


@ddt.ddt
class StoreTest(LeasedTestCase):
    """Who shares a store leases as many parts of it as the servers need."""

    def test_two_servers_on_each_file_backed_host(self):
        self.assertEqual({leases.store(name): (6, 16) for name in 'ab'},
                         self.wish().parts)

    @ddt.data(({'servers_on_host': 3}, 9), ({'flavor_ram_mib': 64}, 2),
              ({'flavor_ram_mib': 65}, 3), ({'servers_on_host': 16}, 16),
              ({'servers_on_host': math.inf}, 16))
    @ddt.unpack
    def test_what_classes_say(self, attributes, wanted):
        self.assertEqual(
            {leases.store('a'): (wanted, 16)},
            self.wish(about=which.file_backed, take=which.first,
                      **attributes).parts)

    def test_nobody_asks_for_what_is_not_needed(self):
        self.wish(flavor_ram_mib=64)
        self.wish(about=which.plain)
        self.ram.assert_not_called()

    def test_who_is_alone_needs_no_parts(self):
        self.assertEqual(
            {leases.store('b'): (6, 16)},
            self.wish(alone_on=which.first).parts)

    def test_anywhere(self):
        self.assertEqual(
            {leases.store('a'), leases.store('b')},
            set(self.wish(about=which.plain, anywhere=True).parts))

    def test_small_requests(self):
        leased.take(type('TestIt', (
            page_size_outcomes.BasePageSizeTest,), {}))
        [wish] = self.leases.return_value.take.call_args.args
        self.assertEqual((4, 16), wish.parts[leases.store('a')])

    @ddt.data((1, 1), (192, 1), (2 ** 14 + 1, 2), (math.inf, 64))
    @ddt.unpack
    def test_large_stores_have_few_parts(self, servers, wanted):
        """Each part is an open file, and a process has a thousand"""
        self.declared = [dataclasses.replace(
            HOSTS[0], file_backed=dataclasses.replace(
                HOSTS[0].file_backed, capacity_mib=2 ** 20))]
        self.assertEqual(
            {leases.store('a'): (wanted, 64)},
            self.wish(servers_on_host=servers, flavor_ram_mib=1).parts)

    def test_guests_with_another_flavor(self):
        self.wish(about=which.file_backed)
        self.ram.assert_called_with('flavor_ref')
        leased.take(type('TestIt', (reachable.BaseFilledTest,), {}))
        self.ram.assert_called_with('flavor_ref_alt')

    def test_who_has_servers_on_other_hosts_only(self):
        self.assertEqual({}, self.wish(
            anywhere=True, room=leased.Room(in_files=0)).parts)


@ddt.ddt
class PoolTest(LeasedTestCase):
    """Who shares a pool leases as many parts of it as the guests need."""

    def declare(self, *pools):
        self.declared = [dataclasses.replace(
            samples.LARGE_PAGE, name='a', pools=tuple(
                inventory.DeclaredPool(*pool) for pool in pools))]

    def parts(self, **attributes):
        return self.wish(**{'pools': leased.TAKES, **attributes}).parts

    def test_one_server_on_each_host(self):
        self.declare((2048, 384))
        self.assertEqual({leases.pool('a', 2048): (3, 12)}, self.parts())

    @ddt.data(({'room': leased.Room(with_pages=2)}, 6),
              ({'flavor_ram_mib': 66}, 2),
              ({'flavor_ram_mib': 65}, 2), ({'flavor_ram_mib': 64}, 1))
    @ddt.unpack
    def test_what_classes_say(self, attributes, wanted):
        self.declare((2048, 384))
        self.assertEqual({leases.pool('a', 2048): (wanted, 12)},
                         self.parts(**attributes))

    @ddt.data(None, leased.COUNTS, leased.CHANGES)
    def test_nobody_else(self, pools):
        self.declare((2048, 384))
        self.assertEqual({}, self.parts(pools=pools))

    def test_pages_that_no_guest_may_have(self):
        self.declare((2048, 384))
        self.declared = [dataclasses.replace(
            self.declared[0], allowed_page_sizes=('small',))]
        self.assertEqual({}, self.parts())

    def test_who_is_alone_needs_no_parts(self):
        self.declare((2048, 384))
        self.assertEqual({}, self.parts(alone_on=which.each))

    def test_larger_pages_if_they_fit(self):
        """As Nova grants them"""
        self.declare((2048, 384), (1048576, 2))
        self.assertEqual({leases.pool('a', 2048): (3, 12)}, self.parts())
        self.assertEqual({leases.pool('a', 1048576): (16, 32)},
                         self.parts(flavor_ram_mib=1024))

    def test_nothing_of_a_pool_that_is_too_small(self):
        """The test says why: it is no reason to wait"""
        self.declare((2048, 4))
        self.assertEqual({}, self.parts())

    def test_whole_pages(self):
        self.declare((1048576, 4))
        self.assertEqual({leases.pool('a', 1048576): (16, 64)}, self.parts())

    def test_each_node_may_have_what_is_left(self):
        """Two nodes with half of it each may have no room for one more"""
        self.declare((2048, 192, 0), (2048, 192, 1))
        self.assertEqual({leases.pool('a', 2048): (3, 6)}, self.parts())

    def test_small_requests(self):
        self.declare((2048, 384), (1048576, 2))
        leased.take(type('TestIt', (
            page_size_outcomes.BasePageSizeTest,), {}))
        [wish] = self.leases.return_value.take.call_args.args
        self.assertEqual({leases.pool('a', 2048): (4, 12)}, wish.parts)


class ConfiguredRamTest(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        leased._configured_ram.cache_clear()
        self.addCleanup(leased._configured_ram.cache_clear)
        self.manager = self.useFixture(fixtures.MockPatch(
            'tempest.clients.Manager')).mock
        show = self.manager.return_value.flavors_client.show_flavor
        show.return_value = {'flavor': {'ram': 192}}

    def configure(self, dynamic):
        conf = self.useFixture(fixtures.MockPatchObject(leased, 'CONF')).mock
        conf.auth.use_dynamic_credentials = dynamic
        conf.compute = {'flavor_ref': 'theirs'}

    def test_the_administrator_makes_accounts(self):
        self.configure(dynamic=True)
        with fixtures.MockPatchObject(
                leased.credentials_factory,
                'get_configured_admin_credentials') as patched:
            self.assertEqual(192, leased._configured_ram('flavor_ref'))
        self.manager.assert_called_once_with(patched.mock.return_value)
        (self.manager.return_value.flavors_client.show_flavor
         .assert_called_once_with('theirs'))

    def test_the_account_is_given_back(self):
        self.configure(dynamic=False)
        with fixtures.MockPatchObject(
                leased.credentials_factory,
                'get_credentials_provider') as patched:
            self.assertEqual([192, 192], [
                leased._configured_ram('flavor_ref') for _ in range(2)])
        provider = patched.mock.return_value
        self.manager.assert_called_once_with(
            provider.get_admin_creds.return_value.credentials)
        provider.clear_creds.assert_called_once_with()


class WouldWaitTest(LeasedTestCase):

    def setUp(self):
        super().setUp()
        self.cls = type('TestIt', (base.BaseMemoryTest,), {})
        entered = self.leases.return_value.__enter__ = mock.Mock()
        self.leases.return_value.__exit__ = mock.Mock(return_value=False)
        self.take = entered.return_value.take

    def test_free(self):
        self.assertFalse(self.cls.would_wait())
        self.take.assert_called_once_with(mock.ANY, timeout=0)

    def test_not_free(self):
        self.take.side_effect = exceptions.LeaseTimeout(
            'host-a', 'shared', 'held by TestThat', 0)
        self.assertTrue(self.cls.would_wait())

    def test_not_known(self):
        """Or else no other class would run"""
        self.ram.side_effect = ValueError
        self.assertFalse(self.cls.would_wait())
        self.take.assert_not_called()

    def test_whoever_is_skipped_waits_for_nobody(self):
        self.configure(host_inventory=None)
        self.assertFalse(self.cls.would_wait())
        self.take.assert_not_called()


class TakeOthersTest(LeasedTestCase):
    """Another host is leased in the place of one."""

    def _take(self, *avoided, **attributes):
        self.cls = type('TestIt', (base.BaseMemoryTest,), {
            'about': which.file_backed, 'alone_on': which.each, **attributes})
        self.cls._leases = leased.take(self.cls)
        self.leases.return_value.take.reset_mock()
        return leased.take_others(self.cls, avoided)

    @property
    def _names(self):
        return [host.name for host in self.cls.declared]

    def test_another_one_suits(self):
        self.assertTrue(self._take('a', take=which.first))
        self.assertEqual(['b'], self._names)
        self.leases.return_value.release.assert_called_once_with()
        [wish] = self.leases.return_value.take.call_args.args
        self.assert_wish([B], [B], wish)

    def test_no_other_one_suits(self):
        for avoided, taken, about in (
                ('a', which.each, which.file_backed),
                ('c', which.first, which.plain)):
            self.assertFalse(self._take(avoided, take=taken, about=about))
            self.assertIn(avoided, self._names)
            self.assertEqual(frozenset(), self.cls.avoided)
            self.leases.return_value.release.assert_not_called()

    def test_those_before_are_avoided_still(self):
        self.assertFalse(self._take('b', take=which.first,
                                    avoided=frozenset('a')))
        self.assertEqual(['b'], self._names)

    def test_who_moves(self):
        self.cls = type('TestIt', (base.BaseMoveTest,), {
            'alone_on': which.each, 'take': which.first})
        leased.take(self.cls)
        self.cls._leases = mock.Mock()
        self.assertEqual(['a', 'b'], self._names)
        self.assertTrue(leased.take_others(self.cls, ['b']))
        self.assertEqual(['a', 'c'], self._names)

    def test_tests_of_others_wait_for_its_lock(self):
        self.configure(runs_alone=False)
        self.assertTrue(self._take('a', take=which.first))
        self.assertEqual(['b'], self._names)
        self.leases.return_value.release.assert_not_called()


@ddt.ddt
class AloneInTheCloudTest(LeasedTestCase):

    @ddt.data(*itertools.product(
        (None, which.each, which.first),
        (None, leased.TAKES, leased.COUNTS, leased.CHANGES), (True, False)))
    @ddt.unpack
    def test_alone(self, alone_on, pools, runs_alone):
        self.configure(runs_alone=runs_alone)
        cls = type('TestIt', (base.BaseMemoryTest,),
                   {'alone_on': alone_on, 'pools': pools})
        expected = (alone_on is not None or pools in (
            leased.COUNTS, leased.CHANGES)) and not runs_alone
        self.assertIs(expected, leased.is_alone_in_the_cloud(cls))
        # Tempest asks that.
        self.assertIs(expected, cls.is_serial_execution_requested())


class LeasedClassTest(LeasedTestCase):
    """A class has its leases from before Tempest's lock until after it."""

    def setUp(self):
        super().setUp()
        self.happened = []
        taken = self.leases.return_value
        for target, name, word in (
                (taken, 'take', 'lease'), (taken, 'release', 'release')):
            getattr(target, name).side_effect = self._note(word)
        for name in 'setUpClass', 'tearDownClass':
            patched = self.useFixture(fixtures.MockPatch(
                'tempest.test.BaseTestCase.' + name)).mock
            patched.side_effect = self._note(name)
            setattr(self, name, patched)

        class TestIt(base.BaseMemoryTest):
            """All hosts."""

        self.cls = TestIt

    def _note(self, word, error=None):
        def note(*_):
            self.happened.append(word)
            if error:
                raise error
        return note

    def test_order(self):
        self.cls.setUpClass()
        self.cls.tearDownClass()
        self.assertEqual(['lease', 'setUpClass', 'tearDownClass', 'release'],
                         self.happened)

    def test_failed_teardown(self):
        self.tearDownClass.side_effect = self._note('failed', ValueError)
        self.cls.setUpClass()
        self.assertRaises(ValueError, self.cls.tearDownClass)
        self.assertEqual(['failed', 'release'], self.happened[-2:])

    def test_skipped_class(self):
        # As Tempest does it.
        def skip():
            self.cls.tearDownClass()
            raise testtools.TestCase.skipException('no')

        self.setUpClass.side_effect = skip
        self.assertRaises(testtools.TestCase.skipException,
                          self.cls.setUpClass)
        self.assertEqual(['lease', 'tearDownClass', 'release'],
                         self.happened)

    def test_lease_that_is_not_had(self):
        self.leases.return_value.take.side_effect = self._note(
            'lease', exceptions.HostUnreachable('a', 'b@c:22', 'refused'))
        self.assertRaises(exceptions.HostUnreachable, self.cls.setUpClass)
        self.assertEqual(['lease'], self.happened)
