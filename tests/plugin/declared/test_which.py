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

"""Tests of which hosts a test is about."""

import dataclasses
import functools

import ddt
from oslotest import base

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin import exceptions
from tests.plugin import samples

POOL = (inventory.DeclaredPool(2048, 256),)
SERVICE = inventory.Service('/etc/nova.conf', 'restart')


def _store(filesystem, name='store', **changes):
    return dataclasses.replace(
        samples.FILE_BACKED, name=name, file_backed=dataclasses.replace(
            samples.FILE_BACKED.file_backed, filesystem=filesystem),
        **changes)


def _plain(**changes):
    return dataclasses.replace(samples.PLAIN, **changes)


FILE_BACKED = samples.FILE_BACKED
PLAIN = samples.PLAIN
LARGE_PAGE = samples.LARGE_PAGE
SWITCH = inventory.Switch('ovs-vswitchd')
UNEVEN = _plain(pools=(inventory.DeclaredPool(2048, 64, 0),
                       inventory.DeclaredPool(2048, 192, 1)))
EVEN = _plain(pools=(inventory.DeclaredPool(2048, 64, 0, reserved=32),
                     inventory.DeclaredPool(2048, 64, 1)))
ONE_NODE = _plain(pools=(inventory.DeclaredPool(2048, 64, 0, reserved=32),))
EMPTY = _plain(pools=(inventory.DeclaredPool(2048, 0, reserved=8),))
ANY_POOL = _plain(name='any', pools=POOL)
SMALL_ONLY = _plain(pools=POOL, allowed_page_sizes=('small',))
STORE_AND_POOL = dataclasses.replace(FILE_BACKED, pools=POOL)
LARGE_STORE = dataclasses.replace(FILE_BACKED, allowed_page_sizes=('large',))

# Condition, hosts for which it holds, hosts for which it does not.
CONDITIONS = {
    'any_host': ([FILE_BACKED, PLAIN, LARGE_PAGE], []),
    'file_backed': ([FILE_BACKED, STORE_AND_POOL], [PLAIN, LARGE_PAGE]),
    'plain': ([PLAIN, EMPTY], [FILE_BACKED, LARGE_PAGE, SMALL_ONLY]),
    'with_pool': ([LARGE_PAGE, SMALL_ONLY, STORE_AND_POOL],
                  [PLAIN, EMPTY, FILE_BACKED]),
    'with_withheld_pool': (
        [SMALL_ONLY, _plain(pools=POOL, allowed_page_sizes=(4, 1048576))],
        [PLAIN, LARGE_PAGE, ANY_POOL, dataclasses.replace(
            EMPTY, allowed_page_sizes=('small',))]),
    'large_pages': ([LARGE_PAGE, ANY_POOL],
                    [PLAIN, EMPTY, SMALL_ONLY, FILE_BACKED, STORE_AND_POOL]),
    'pages_on_nodes': ([UNEVEN, EVEN], [PLAIN, LARGE_PAGE, ONE_NODE]),
    'uneven_nodes': ([UNEVEN], [PLAIN, LARGE_PAGE, ONE_NODE, EVEN]),
    'reserved_on_node': ([EVEN], [LARGE_PAGE, ONE_NODE, UNEVEN]),
    'small_pages': ([PLAIN, ANY_POOL, SMALL_ONLY,
                     _plain(allowed_page_sizes=(4,))],
                    [LARGE_PAGE, FILE_BACKED,
                     _plain(small_page_kib=64, allowed_page_sizes=(4,))]),
    'some_page_size': ([PLAIN, LARGE_PAGE, SMALL_ONLY],
                       [FILE_BACKED, STORE_AND_POOL,
                        _plain(allowed_page_sizes=('large',))]),
    'no_page_size': ([PLAIN, FILE_BACKED, SMALL_ONLY],
                     [LARGE_PAGE, LARGE_STORE]),
    'pools_kept_back': ([_plain(memory_mb_without_pools=True)],
                        [PLAIN, LARGE_PAGE]),
    'reconfigurable': ([_plain(compute_service=SERVICE)],
                       [PLAIN, _plain(libvirt_restart='restart')]),
    'rebootable': ([_plain(power=inventory.Power(reboot='a'))],
                   [PLAIN, _plain(power=inventory.Power(cut='a'))]),
    'power_can_be_cut': ([_plain(power=inventory.Power(cut='a'))],
                         [PLAIN, _plain(power=inventory.Power(reboot='a'))]),
    'logs': ([_plain(compute_log=inventory.Log(file='/a')),
              _plain(compute_log=inventory.Log(unit='a'))],
             [PLAIN, _plain(compute_service=SERVICE)]),
    'libvirt_restartable': ([_plain(libvirt_restart='restart')],
                            [PLAIN, _plain(compute_service=SERVICE)]),
    'vhost_user': ([_plain(switch=SWITCH)], [PLAIN]),
    'switch_restartable': ([_plain(switch=dataclasses.replace(
        SWITCH, restart='restart'))], [PLAIN, _plain(switch=SWITCH)]),
    'shared_memory': ([FILE_BACKED, LARGE_PAGE, ANY_POOL],
                      [PLAIN, EMPTY, SMALL_ONLY]),
    'on_a_device': ([_store('ext4')],
                    [PLAIN, _store(None),
                     *(_store(name) for name in which.IN_MEMORY)]),
}
# Condition, host, where the server starts, whether it holds.
PAIRS = (
    ('common_large_pages', LARGE_PAGE, ANY_POOL, True),
    ('common_large_pages', LARGE_PAGE, PLAIN, False),
    ('common_large_pages', STORE_AND_POOL, LARGE_PAGE, False),
    ('common_large_pages', LARGE_PAGE, _plain(
        pools=(inventory.DeclaredPool(1048576, 4),)), False),
    ('common_nodes', UNEVEN, EVEN, True),
    ('common_nodes', EVEN, UNEVEN, True),
    ('common_nodes', LARGE_PAGE, UNEVEN, False),
    ('common_nodes', UNEVEN, LARGE_PAGE, False),
    ('alike', FILE_BACKED, STORE_AND_POOL, True),
    ('alike', LARGE_PAGE, PLAIN, True),
    ('alike', FILE_BACKED, PLAIN, False),
    ('alike', PLAIN, FILE_BACKED, False),
)
WORDS = (
    (which.any_host, 'host'),
    (which.file_backed & which.reconfigurable,
     'file-backed host whose nova-compute can be reconfigured '
     '(services.nova-compute.config and .restart)'),
    (which.reconfigurable & which.file_backed,
     'file-backed host whose nova-compute can be reconfigured '
     '(services.nova-compute.config and .restart)'),
    (which.with_pool & which.no_page_size,
     'host with a pool of large pages and that takes guests without page '
     'size'),
    (~which.file_backed, 'host that is not file-backed'),
    (~which.file_backed & ~which.no_page_size,
     'host that is not file-backed and that refuses guests without page '
     'size'),
    (~which.plain, 'host with a backing store or a pool'),
    (~which.alike, 'host with another kind of memory'),
    (~(which.file_backed & which.with_pool),
     'host that is not a file-backed host with a pool of large pages'),
    (~which.with_withheld_pool, 'host that is not a host with a pool of a '
     'page size that is not allowed'),
    (which.file_backed | which.large_pages,
     'host that is a file-backed host or a host with large pages for '
     'guests'),
    (which.some_page_size,
     'host with pages for guests that ask for a page size'),
    (which.pages_on_nodes & which.uneven_nodes,
     'host with large pages for guests on several NUMA nodes (pools[].node) '
     'and with more of them on one node than on another'),
    (which.allowing('small', 2048),
     'host with allowed_page_sizes: [small, 2048]'),
    (which.on_a_device, 'host whose store is a device '
     '(file_backed.filesystem is declared, and is none of tmpfs, ramfs, '
     'hugetlbfs)'),
    (which.libvirt_restartable,
     'host whose libvirt can be restarted (services.libvirt.restart)'),
    (which.vhost_user & which.shared_memory,
     'host whose switch has vhost-user ports (services.switch) and with '
     'memory for guests that others can map (files, or large pages)'),
)


def _names(hosts):
    return [host.name for host in hosts]


@ddt.ddt
class ConditionTest(base.BaseTestCase):

    @ddt.data(*CONDITIONS)
    def test_holds(self, name):
        condition = getattr(which, name)
        holds, does_not_hold = CONDITIONS[name]
        for host in holds:
            self.assertIs(True, condition(host), host)
            self.assertIs(False, (~condition)(host), host)
        for host in does_not_hold:
            self.assertIs(False, condition(host), host)
            self.assertIs(True, (~condition)(host), host)

    @ddt.data(*PAIRS)
    @ddt.unpack
    def test_holds_between_two(self, name, host, start, expected):
        condition = getattr(which, name)
        self.assertIs(expected, condition(host, start))
        self.assertIs(not expected, (~condition)(host, start))

    def test_none_is_forgotten(self):
        conditions = {name for name, value in vars(which).items()
                      if isinstance(value, which.Condition)}
        self.assertEqual(
            conditions, {*CONDITIONS, *(name for name, *_ in PAIRS)})

    def test_request(self):
        self.assertEqual(
            [(True, True, False), (False, False, True)],
            [tuple(which.TAKES[request](host)
                   for request in (None, 'small', 'large'))
             for host in (PLAIN, LARGE_PAGE)])

    def test_allowing(self):
        condition = which.allowing('small', 2048)
        for sizes, expected in ((('small', 2048), True), (('small',), False),
                                (('any',), False)):
            self.assertIs(expected, condition(
                _plain(allowed_page_sizes=sizes)))

    def test_and(self):
        condition = which.file_backed & which.with_pool
        self.assertEqual(
            [True, False, False, False],
            [condition(host) for host in (
                STORE_AND_POOL, FILE_BACKED, LARGE_PAGE, PLAIN)])

    def test_or(self):
        condition = which.file_backed | which.with_pool
        self.assertEqual(
            [True, True, True, False],
            [condition(host) for host in (
                STORE_AND_POOL, FILE_BACKED, LARGE_PAGE, PLAIN)])

    def test_combinations_know_where_the_server_starts(self):
        for condition in (which.file_backed & which.alike,
                          ~~which.alike, which.plain | which.alike):
            self.assertTrue(condition(FILE_BACKED, STORE_AND_POOL))
            self.assertFalse(condition(FILE_BACKED, PLAIN))

    @ddt.data(*WORDS)
    @ddt.unpack
    def test_words(self, condition, words):
        self.assertEqual(words, str(condition))


@ddt.ddt
class AllOfTest(base.BaseTestCase):

    def test_all_have_to_hold(self):
        condition = which.all_of([which.file_backed, which.with_pool])
        self.assertTrue(condition(STORE_AND_POOL))
        self.assertFalse(condition(FILE_BACKED))

    def test_nothing_is_any_host(self):
        self.assertTrue(which.all_of([])(PLAIN))
        self.assertEqual('host', str(which.all_of([])))

    @ddt.data([which.any_host, which.file_backed, which.file_backed],
              [which.file_backed, which.any_host, which.file_backed])
    def test_each_counts_once(self, conditions):
        self.assertEqual('file-backed host', str(which.all_of(conditions)))

    def test_any_iterable(self):
        self.assertEqual('file-backed host', str(which.all_of(
            iter([which.file_backed]))))


class ChoiceTest(base.BaseTestCase):

    def test_each(self):
        self.assertEqual([PLAIN, PLAIN], which.each([PLAIN, PLAIN]))

    def test_first(self):
        self.assertEqual([PLAIN], which.first([PLAIN, FILE_BACKED]))
        self.assertEqual([], which.first([]))

    def test_any_iterable(self):
        for choice in (which.each, which.first, which.one_of_each_policy,
                       which.one_of_each_file_system):
            self.assertEqual([FILE_BACKED], choice(iter([FILE_BACKED])))

    def test_one_of_each_policy(self):
        hosts = [PLAIN, ANY_POOL, LARGE_PAGE, SMALL_ONLY, FILE_BACKED,
                 STORE_AND_POOL]
        alike = [
            # Neither how it is reached, nor a pool without pages,
            dataclasses.replace(ANY_POOL, name='again',
                                address='198.51.100.99'), EMPTY,
            # nor where the store is matters,
            _store('ext4'),
            # nor how it can be changed,
            _plain(compute_service=SERVICE, libvirt_restart='restart')]
        self.assertEqual(hosts, which.one_of_each_policy(hosts + alike))

    def test_order_makes_no_policy(self):
        pools = (*POOL, inventory.DeclaredPool(1048576, 2))
        hosts = [_plain(pools=pools, allowed_page_sizes=('small', 2048)),
                 _plain(pools=pools[::-1], allowed_page_sizes=(2048, 'small'))]
        self.assertEqual(hosts[:1], which.one_of_each_policy(hosts))

    def test_one_of_each_file_system(self):
        hosts = [_store('tmpfs', 'a'), _store('tmpfs', 'b'),
                 _store('ext4', 'c'), _store(None, 'd')]
        self.assertEqual(['a', 'c', 'd'], _names(
            which.one_of_each_file_system(hosts)))

    def test_another_file_system(self):
        hosts = [_store('tmpfs', 'a'), _store('ext4', 'b'),
                 _store('xfs', 'c')]
        start = _store('tmpfs', 'start')
        self.assertEqual(['b'], _names(
            which.another_file_system(hosts, start)))
        # Any store is better than none.
        self.assertEqual(['a'], _names(
            which.another_file_system(hosts[:1], start)))
        self.assertEqual([], which.another_file_system([], start))

    def test_most_large_pages(self):
        hosts = [_plain(), _plain(pools=POOL), _plain(
            pools=(*POOL, inventory.DeclaredPool(1048576, 2)))]
        self.assertEqual(hosts[2:], which.most_large_pages(hosts))
        self.assertEqual(hosts[:1], which.most_large_pages(hosts[:1]))

    def test_among(self):
        choice = which.among(which.file_backed, which.first)
        self.assertEqual([FILE_BACKED], choice(
            [PLAIN, FILE_BACKED, STORE_AND_POOL]))
        self.assertEqual([], choice([PLAIN]))

    def test_among_knows_where_the_server_starts(self):
        choice = which.among(which.alike, which.each)
        self.assertEqual([STORE_AND_POOL], choice(
            [PLAIN, STORE_AND_POOL], FILE_BACKED))

    def test_both(self):
        choice = (which.among(which.file_backed, which.first)
                  + which.among(which.with_pool, which.first))
        self.assertEqual([FILE_BACKED, LARGE_PAGE], choice(
            [PLAIN, LARGE_PAGE, FILE_BACKED]))
        self.assertEqual([LARGE_PAGE], choice([PLAIN, LARGE_PAGE]))

    def test_both_the_same_host(self):
        choice = (which.among(which.file_backed, which.first)
                  + which.among(which.with_pool, which.first))
        self.assertEqual([STORE_AND_POOL], choice([PLAIN, STORE_AND_POOL]))

    def test_both_know_where_the_server_starts(self):
        choice = (which.among(which.alike, which.first)
                  + which.among(~which.alike, which.first))
        self.assertEqual([STORE_AND_POOL, PLAIN], choice(
            [PLAIN, STORE_AND_POOL], FILE_BACKED))


class PairTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.a, self.b, self.c = (_store('tmpfs', name) for name in 'abc')
        self.plain = [_plain(name=name) for name in ('p', 'q')]

    def _pair(self, sources, others=(), start=which.any_host,
              go_to=which.any_host, take=which.each):
        return _names(which.pair(sources, others, start, go_to, take))

    def test_where_it_starts_is_no_destination(self):
        self.assertEqual(['a', 'b'], self._pair([self.a, self.b]))

    def test_others_are_destinations_only(self):
        self.assertEqual(['a', 'b'], self._pair([self.a], [self.b]))
        self.assertEqual([], self._pair(
            [self.a], [self.plain[0]], start=~which.file_backed))

    def test_those_that_the_run_is_about_come_first(self):
        self.assertEqual(['a', 'b'], self._pair(
            [self.a, self.b], [self.c], take=which.first))

    def test_first_start_that_has_somewhere_to_go(self):
        # The only file-backed host has no other one to go to.
        self.assertEqual(['p', 'q'], self._pair(
            [self.a, *self.plain], go_to=which.alike))

    def test_start_with_most_to_go_to(self):
        east = [dataclasses.replace(host, group='east',
                                    name='east-' + host.name)
                for host in (self.a, self.b, self.plain[0])]
        self.assertEqual(['east-a', 'east-b', 'east-p'], self._pair(
            [self.a, self.plain[0], *east], start=which.file_backed,
            take=which.one_of_each_policy))

    def test_both_have_to_suit(self):
        self.assertEqual(['p', 'a', 'b'], self._pair(
            [self.a, *self.plain, self.b], start=which.plain,
            go_to=which.file_backed))

    def test_only_within_a_group(self):
        east, south = (dataclasses.replace(_plain(name=name), group=name)
                       for name in ('east', 'south'))
        self.assertEqual([], self._pair([east, south, self.a]))
        self.assertEqual(['a', 'b'], self._pair([east, self.a, south, self.b]))
        self.assertEqual(['east', 'twin'], self._pair(
            [east, self.a, dataclasses.replace(east, name='twin')]))

    def test_take(self):
        self.assertEqual(['p', 'a'], self._pair(
            [self.plain[0], self.a, self.b], go_to=which.file_backed,
            take=which.first))

    def test_take_knows_where_it_starts(self):
        self.assertEqual(['a', 'd'], self._pair(
            [self.a, self.b, _store('ext4', 'd')],
            take=which.another_file_system))

    def test_start_whose_destinations_nobody_takes(self):
        self.assertEqual(['p', 'a'], self._pair(
            [self.a, *self.plain], take=which.among(
                ~which.alike & which.file_backed, which.each)))

    def test_nothing(self):
        self.assertEqual([], self._pair([]))
        self.assertEqual([], self._pair([self.a]))
        self.assertEqual([], self._pair([self.a, self.b],
                                        start=which.with_pool))
        self.assertEqual([], self._pair([self.a, self.b],
                                        go_to=which.with_pool))


class SelectedTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.inventory = inventory.Inventory('x.yaml', {
            name: _plain(name=name) for name in 'abc'})
        self.select = functools.partial(which.selected, self.inventory)

    def _selected(self, hosts, peers):
        return tuple(map(_names, self.select(hosts, peers)))

    def test_all(self):
        self.assertEqual((['a', 'b', 'c'], []), self._selected([], []))

    def test_hosts(self):
        self.assertEqual((['c', 'a'], []), self._selected(['c', 'a'], []))

    def test_peers(self):
        self.assertEqual((['a'], ['c']), self._selected(['a'], ['c']))

    def test_peers_are_no_hosts(self):
        self.assertEqual((['a', 'b'], ['c']),
                         self._selected(['a', 'b'], ['b', 'c']))

    def test_all_leave_no_peers(self):
        self.assertEqual((['a', 'b', 'c'], []), self._selected([], ['b']))

    def test_declarations(self):
        self.assertEqual(([self.inventory.hosts['a']],
                          [self.inventory.hosts['b']]),
                         self.select(['a'], ['b']))

    def test_unknown_names(self):
        for hosts, peers in ((['a', 'y', 'z'], []), (['y'], ['z']),
                             ([], ['y', 'z'])):
            error = self.assertRaises(exceptions.InventoryError, self.select,
                                      hosts, peers)
            self.assertIn('x.yaml', str(error))
            self.assertIn('declares no y, z, which [mempage] hosts or peers '
                          'names', str(error))
