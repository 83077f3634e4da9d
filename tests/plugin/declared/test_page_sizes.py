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

import dataclasses

import ddt
from oslotest import base

from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin.declared import page_sizes
from tests.plugin import samples

RAM_MIB = 64
POOL = (inventory.DeclaredPool(size_kib=2048, pages=32),)
POLICIES = {
    'plain': samples.PLAIN,
    'pool': dataclasses.replace(samples.PLAIN, name='pool', pools=POOL),
    'large only': dataclasses.replace(
        samples.PLAIN, name='large only', pools=POOL,
        allowed_page_sizes=('large',)),
    'small only': dataclasses.replace(
        samples.PLAIN, name='small only', pools=POOL,
        allowed_page_sizes=('small',)),
    'file-backed': samples.FILE_BACKED,
    'file-backed, pool': dataclasses.replace(samples.FILE_BACKED, pools=POOL),
    '64 KiB': dataclasses.replace(samples.PLAIN, small_page_kib=64),
    'small by number': dataclasses.replace(
        samples.PLAIN, pools=POOL, allowed_page_sizes=(4,)),
    '2 MiB of two pools': dataclasses.replace(
        samples.PLAIN, allowed_page_sizes=(2048,),
        pools=POOL + (inventory.DeclaredPool(size_kib=1048576, pages=4),)),
}
FIT = page_sizes.Refusal.CANNOT_FIT
FILE = page_sizes.Refusal.FILE_BACKED
ASKS = page_sizes.Refusal.PAGE_SIZE
SIZE = page_sizes.Refusal.NO_PAGE_SIZE
REQUESTS = (None, 'small', 'large', 'any', 4, 2048, 1048576)
# The size that each request is granted, or why it is refused.
MATRIX = {
    'plain': (None, 4, FIT, 4, 4, FIT, FIT),
    'pool': (None, 4, 2048, 2048, 4, 2048, FIT),
    'large only': (SIZE, FIT, 2048, 2048, FIT, 2048, FIT),
    'small only': (None, 4, FIT, 4, 4, FIT, FIT),
    'file-backed': (None, *[ASKS] * 6),
    'file-backed, pool': (None, *[ASKS] * 6),
    '64 KiB': (None, 64, FIT, 64, FIT, FIT, FIT),
    'small by number': (None, 4, FIT, 4, 4, FIT, FIT),
    '2 MiB of two pools': (SIZE, FIT, 2048, 2048, FIT, 2048, FIT),
}
NOWHERE = page_sizes.NO_VALID_HOST
RETRIES = page_sizes.NO_MORE_RETRIES
HOST = page_sizes.Way.HOST
ZONE = page_sizes.Way.ZONE
# Policy, request, way, what does not enforce page sizes, and the faults.
FAULTS = (
    ('plain', 'large', HOST, '', {NOWHERE}),
    ('plain', 'large', HOST, 'numa_filter', {NOWHERE, RETRIES, FIT.value}),
    ('plain', 'large', ZONE, '', {FIT.value}),
    ('large only', None, HOST, '', {NOWHERE}),
    ('large only', None, HOST, 'aggregates', {RETRIES, SIZE.value}),
    ('large only', None, HOST, 'driver', {NOWHERE}),
    ('large only', None, HOST, 'driver aggregates', set()),
    ('large only', None, ZONE, '', {SIZE.value}),
    ('large only', None, ZONE, 'driver', set()),
    ('large only', 'small', HOST, 'numa_filter', {NOWHERE}),
    ('large only', 'small', ZONE, '', {FIT.value}),
    ('large only', 'small', ZONE, 'driver', set()),
    ('small only', 2048, ZONE, '', {FIT.value}),
    ('file-backed', 'small', HOST, '', {RETRIES, ASKS.value}),
    ('file-backed', 'small', HOST, 'driver', {RETRIES, FILE.value}),
    ('file-backed', 'small', ZONE, '', {ASKS.value}),
    ('file-backed', 'small', ZONE, 'driver', {FILE.value}),
    ('file-backed', 'large', ZONE, '', {ASKS.value}),
    ('file-backed', 'large', ZONE, 'driver', {FIT.value}),
    ('file-backed, pool', 'large', HOST, '', {NOWHERE}),
    ('file-backed, pool', 'large', HOST, 'driver', {RETRIES, FILE.value}),
    ('file-backed, pool', 'large', HOST, 'numa_filter',
     {NOWHERE, RETRIES, ASKS.value}),
    ('file-backed', None, ZONE, '', set()),
)


def _enforcement(missing):
    return page_sizes.Enforcement(**dict.fromkeys(missing.split(), False))


@ddt.ddt
class RefusalTest(base.BaseTestCase):

    @ddt.data(*[(policy, request, expected)
                for policy, row in MATRIX.items()
                for request, expected in zip(REQUESTS, row)])
    @ddt.unpack
    def test_matrix(self, policy, request, expected):
        host = POLICIES[policy]
        found = page_sizes.refusal(host, request, RAM_MIB)
        if found is None and request:
            found = page_sizes.granted(host, request, RAM_MIB)
        self.assertEqual(expected, found)

    def test_more_than_the_pool(self):
        for request in ('large', 2048):
            self.assertIs(FIT, page_sizes.refusal(
                POLICIES['pool'], request, RAM_MIB + 2))
        self.assertEqual(4, page_sizes.granted(
            POLICIES['pool'], 'any', RAM_MIB + 2))

    def test_nodes_that_differ(self):
        host = dataclasses.replace(samples.PLAIN, pools=(
            inventory.DeclaredPool(2048, 20, node=0),
            inventory.DeclaredPool(2048, 32, node=1),
            inventory.DeclaredPool(2048, 8, node=1)))
        self.assertEqual(2048, page_sizes.granted(host, 2048, 80))
        self.assertIs(FIT, page_sizes.refusal(host, 2048, 82))

    @ddt.data(
        # The sizes of pools on two hosts, the RAM needed; RAM, page size.
        ((2048,), (2048,), 64, 66, 2048),
        ((2048,), (2048,), 66, 66, 2048),
        ((2048, 1048576), (2048,), 1024, 1026, 2048),
        ((2048, 1048576), (2048, 1048576), 1024, 1026, 2048),
        ((2048, 1048576), (1048576,), 64, 1024, 1048576),
        ((64, 2048), (64, 2048), 64, 65, 64),
        ((32768, 1048576), (32768, 1048576), 1024, 1056, 32768))
    @ddt.unpack
    def test_common_ram(self, source, destination, needed, ram_mib, size):
        hosts = [dataclasses.replace(samples.PLAIN, pools=tuple(
            inventory.DeclaredPool(size, 2 ** 16) for size in sizes))
            for sizes in (source, destination)]
        self.assertEqual(ram_mib, page_sizes.common_ram(hosts, needed))
        for host in hosts:
            self.assertEqual(size, page_sizes.granted(
                host, page_sizes.LARGE, ram_mib))

    @ddt.data(
        # The sizes of pools, those that the kernel knows; what to allow.
        ((2048, 1048576), (2048, 1048576), (4, 2048)),
        ((2048,), (2048, 1048576), (4, 1048576)),
        ((1048576,), (2048, 1048576), (4, 2048)),
        ((2048,), (2048,), (4,)))
    @ddt.unpack
    def test_forbidding_list(self, pools, known, expected):
        host = dataclasses.replace(samples.PLAIN, pools=tuple(
            inventory.DeclaredPool(size, 8) for size in pools))
        self.assertEqual(expected, page_sizes.forbidding_list(host, known))
        # There is something that it forbids.
        self.assertNotEqual(set(), set(pools) - page_sizes.available(
            dataclasses.replace(host, allowed_page_sizes=expected)))

    def test_pools_without_pages(self):
        host = dataclasses.replace(samples.PLAIN, pools=(
            inventory.DeclaredPool(2048, 0),
            inventory.DeclaredPool(1048576, 1)))
        self.assertEqual({1048576}, page_sizes.in_pools(host))

    def test_part_of_a_page(self):
        self.assertIs(FIT, page_sizes.refusal(POLICIES['pool'], 2048, 63))


class WholeRamTest(base.BaseTestCase):

    def _ram(self, *sizes):
        return page_sizes.whole_ram([dataclasses.replace(
            samples.LARGE_PAGE, pools=tuple(
                inventory.DeclaredPool(size, 9) for size in pools))
            for pools in sizes], 127)

    def test_ram(self):
        self.assertEqual(127, self._ram())
        self.assertEqual(127, self._ram(()))
        self.assertEqual(128, self._ram((2048,), (2048, 1048576)))
        # Pages of 1 GiB only: nothing less can be had.
        self.assertEqual(1024, self._ram((2048,), (1048576,)))


@ddt.ddt
class OutcomeTest(base.BaseTestCase):

    @ddt.data(*FAULTS)
    @ddt.unpack
    def test_faults(self, policy, request, way, missing, expected):
        outcome = page_sizes.outcome(
            [POLICIES[policy]], request, RAM_MIB, way, _enforcement(missing))
        self.assertEqual(expected, outcome.faults)
        self.assertEqual(not expected, bool(outcome.granted))

    @ddt.data(('large only', None), ('file-backed', 'small'),
              ('file-backed', 2048))
    @ddt.unpack
    def test_page_size_filter(self, policy, request):
        """The scheduler knows of refusals, also where a host is forced."""
        for way in page_sizes.Way:
            outcome = page_sizes.outcome(
                [POLICIES[policy]], request, RAM_MIB, way,
                page_sizes.Enforcement(page_size_filter=True))
            self.assertEqual(({}, {NOWHERE}),
                             (outcome.granted, outcome.faults))

    def _anywhere(self, policies, request, missing=''):
        return page_sizes.outcome(
            [POLICIES[policy] for policy in policies], request, RAM_MIB,
            page_sizes.Way.SCHEDULER, _enforcement(missing))

    def test_all_hosts_that_can(self):
        outcome = self._anywhere(['plain', 'pool', 'large only'], 'any')
        self.assertEqual({'plain1': 4, 'pool': 2048, 'large only': 2048},
                         outcome.granted)
        self.assertEqual(set(), outcome.faults)

    def test_the_one_that_can(self):
        outcome = self._anywhere(['plain', 'large only', 'small only'],
                                 'large')
        self.assertEqual(({'large only': 2048}, set()),
                         (outcome.granted, outcome.faults))

    def test_none_that_can(self):
        outcome = self._anywhere(['plain', 'small only'], 'large')
        self.assertEqual(({}, {NOWHERE}), (outcome.granted, outcome.faults))

    def test_hosts_that_the_scheduler_does_not_know_to_refuse(self):
        outcome = self._anywhere(['plain', 'file-backed'], 'small')
        self.assertEqual(({'plain1': 4}, {RETRIES}),
                         (outcome.granted, outcome.faults))
        # Only these may have been asked in vain.
        self.assertEqual({'fbm1'}, outcome.late)

    def test_nothing_enforced(self):
        outcome = self._anywhere(['small only'], 'large', 'driver aggregates')
        self.assertEqual({'small only': 2048}, outcome.granted)

    def test_no_page_size_has_no_size(self):
        outcome = self._anywhere(['plain', 'large only'], None)
        self.assertEqual({'plain1': None}, outcome.granted)
