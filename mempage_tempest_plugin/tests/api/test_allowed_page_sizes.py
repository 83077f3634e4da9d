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

"""Hosts give the page sizes that [libvirt] allowed_memory_pagesize allows.

The tests are named after the rows of the specification: MP1 to MP8.
"""

import dataclasses

from tempest.common import waiters
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin import aggregate_policy
from mempage_tempest_plugin import aggregates
from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin import policy
from mempage_tempest_plugin.tests import on_host
from mempage_tempest_plugin.tests import reconfiguring

CONF = config.CONF
OPTION = ('libvirt', 'allowed_memory_pagesize')
ZONE = page_sizes.Way.ZONE
# Options with which nova-compute must not start, and what it has to log.
REFUSALS = {
    'empty': ({OPTION: ''}, 'the list is empty'),
    'unknown': ({OPTION: 'medium'}, "'medium' is none of small, large, any"),
    # Page sizes are powers of two.
    'lacking': ({OPTION: 'small,12'},
                'no NUMA node of this host knows pages of 12 KiB'),
    # On hosts that are file-backed, and on those that are not.
    'file-backed': ({
        OPTION: 'large',
        ('libvirt', 'file_backed_memory'): '1024',
        ('DEFAULT', 'ram_allocation_ratio'): '1.0',
        ('DEFAULT', 'reserved_host_memory_mb'): '0',
    }, 'no guest could run here'),
}


def _text(allowed):
    """Write a list of page sizes as the option has it."""
    return ','.join(str(size) for size in allowed)


def _large_size(host):
    """Get the smallest size in KiB that a declared pool has, or None."""
    return min((pool.size_kib for pool in host.pools if pool.pages),
               default=None)


def _with(host, allowed):
    return dataclasses.replace(host, allowed_page_sizes=allowed)


class _BaseAllowedTest(on_host.BaseOnHostTest):

    promises = {
        'allowed_memory_pagesize': 'does not promise that hosts run the '
                                   'driver of nova_mempage'}

    def check_traits(self, host, declared):
        """Assert that the driver reports the allowed sizes.

        :param host: the compute_host.ComputeHost
        :param declared: its declaration (inventory.Host)
        """
        reported = sorted(
            int(trait.removeprefix(policy.PAGE_SIZE_TRAIT))
            for trait in self.cloud.provider(host.name).traits
            if trait.startswith(policy.PAGE_SIZE_TRAIT))
        self.assertEqual(
            sorted(page_sizes.available(declared)), reported, (
                'host %s must allow %s, and reports other page sizes (KiB) '
                'in its traits. Is [libvirt] allowed_memory_pagesize in its '
                'nova-compute\'s configuration what is declared, is '
                'compute_driver = mempage.LibvirtDriver, and was it restarted '
                'since? Nova ignores options that it does not know' % (
                    host.name, _text(declared.allowed_page_sizes))))


class TestAllowedPageSizes(_BaseAllowedTest):
    """Hosts as they are declared, other than file-backed ones."""

    @classmethod
    def is_about(cls, host):
        return not host.file_backed

    def _first(self, condition, what):
        for host in self.hosts:
            if condition(host.declared):
                return host
        self.skipTest('%s declares no host %s' % (self.inventory.path, what))

    def _check_first(self, condition, what):
        """Assert what becomes of all ways to ask a host for a page size."""
        host = self._first(condition, what)
        declared = host.declared
        numbers = {declared.small_page_kib, _large_size(declared)} - {None}
        self.check_requests([None, page_sizes.SMALL, page_sizes.LARGE,
                             *numbers], {host: declared}, ZONE)

    @decorators.idempotent_id('f3d5c3c1-3b61-4b0e-9e5c-5c8b6f0a7a11')
    def test_mp1_the_driver_knows_the_option(self):
        """Traits tell that the option is in effect"""
        self.on_each_host(self._check_declared_traits)

    def _check_declared_traits(self, host):
        self.check_traits(host, host.declared)

    @decorators.idempotent_id('0d1f6f0e-5a54-4d0c-8f39-3b9f3a0c2d12')
    def test_mp2_pages_are_withheld_from_guests_not_from_the_host(self):
        """A host with free pages that are not allowed gives none of them"""
        host = self._first(
            lambda declared: _large_size(declared)
            and not declared.allows(_large_size(declared)),
            'with a pool of a page size that is not allowed')
        size = _large_size(host.declared)
        free = sum(pool.free for pool in host.survey().pools
                   if pool.size_kib == size)
        self.assertGreaterEqual(free * size, self.ram_mib(size) * 1024)
        self.check_requests([size], {host: host.declared}, ZONE)

    @decorators.idempotent_id('b8e1a8f9-4f5c-4a55-8a0b-1f3f4b6c3e13')
    def test_mp3_small(self):
        """Small: no page size, small and its number; nothing else"""
        self._check_first(
            lambda declared: declared.allowed_page_sizes == ('small',),
            'with allowed_page_sizes: [small]')

    @decorators.idempotent_id('27b0b9c5-0a6e-4a0f-9d8f-6f5a0e7d4f14')
    def test_mp4_large(self):
        """Large: large and its numbers; nothing else"""
        self._check_first(
            lambda declared: declared.allowed_page_sizes == ('large',),
            'with allowed_page_sizes: [large]')

    @decorators.idempotent_id('6a4c8d2e-9a43-4c8b-b2b9-8d6c1f8e5a15')
    def test_mp5_any(self):
        """Any: everything that the host has"""
        self._check_first(
            lambda declared: ('any' in declared.allowed_page_sizes
                              and _large_size(declared)),
            'with a pool of large pages and allowed_page_sizes: [any]')

    @decorators.idempotent_id('e5b7f1a3-7c28-4e2f-a6d1-7a9b2c0f6b17')
    def test_mp7_no_page_size_where_large_pages_must_be(self):
        """No guest slips in by not asking, whoever chose the host"""
        host = self._first(
            lambda declared: not declared.allows(declared.small_page_kib),
            'that does not allow small pages')
        for way in page_sizes.Way.HOST, ZONE:
            self.check_requests([None], {host: host.declared}, way)

    @decorators.idempotent_id('91d0c2b4-2d7f-4b8e-8c35-0e4d5f6a7c18')
    def test_mp8_small_is_the_smallest_size_of_the_host(self):
        """What small gets is the size of ordinary pages of the kernel"""
        self.on_each_host(self._check_small_page)

    def _check_small_page(self, host):
        bytes_ = int(host.ssh.execute(['getconf', 'PAGESIZE']).stdout)
        self.assertEqual(host.declared.small_page_kib, bytes_ // 1024)


class TestAllowedPageSizesChanged(reconfiguring.ReconfiguringTest,
                                  _BaseAllowedTest):
    """Hosts whose allowed page sizes change while guests are there.

    nova-compute takes its time to start. So the hosts are restarted at the
    same time, as few times as possible, before the first test.
    """

    promises = {**reconfiguring.ReconfiguringTest.promises,
                **_BaseAllowedTest.promises}

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        cls.with_pool = [host for host in cls.declared if _large_size(host)
                         and not host.file_backed]
        if not cls.with_pool:
            raise cls.skipException(
                '%s declares no host with a pool of large pages that can be '
                'reconfigured' % cls.inventory.path)
        # Those that need no restart to take guests of all kinds.
        cls.with_pool.sort(
            key=lambda host: 'any' not in host.allowed_page_sizes)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._plan()
        host = cls._host_for('large')
        if not host.declared.allows(host.declared.small_page_kib):
            cls.reconfigure({host: {OPTION: 'any'}})
        cls.guest = cls.send(None, host, ZONE)
        cls.addClassResourceCleanup(cls.delete_servers, [cls.guest])
        waiters.wait_for_server_status(cls.servers_client, cls.guest,
                                       'ACTIVE')
        cls._allow('large')

    @classmethod
    def _plan(cls):
        """Decide which host gets which policy, and what at the same time."""
        hosts = [host for declared in cls.with_pool for host in cls.hosts
                 if host.declared == declared]
        cls.plan = {}
        kinds = ['large', 'number', 'list']
        for start in range(0, len(kinds), len(hosts)):
            at_once = dict(zip(kinds[start:], hosts))
            cls.plan.update(dict.fromkeys(at_once, at_once))
        # What they refuse to start with is tried on those first that run
        # with other options already: they have to be restarted anyway.
        used = hosts[:len(kinds)]
        cls.for_refusals = sorted(cls.hosts,
                                  key=lambda host: host not in used)
        cls.refused = {}

    @classmethod
    def _host_for(cls, kind):
        return cls.plan[kind][kind]

    @staticmethod
    def _sizes(kind, host):
        size = _large_size(host.declared)
        return {'large': ('large',), 'number': (size,),
                'list': (host.declared.small_page_kib, size)}[kind]

    @classmethod
    def _allow(cls, kind):
        """Reconfigure hosts, of which one has the policy then.

        :returns: the compute_host.ComputeHost, and its declaration as if it
            had that policy for ever
        """
        cls.reconfigure({
            host: {OPTION: _text(cls._sizes(each, host))}
            for each, host in cls.plan[kind].items()})
        host = cls._host_for(kind)
        return host, _with(host.declared, cls._sizes(kind, host))

    def _check(self, kind):
        host, declared = self._allow(kind)
        self.check_traits(host, declared)
        self.check_requests(
            [None, page_sizes.LARGE, declared.small_page_kib,
             _large_size(declared)], {host: declared}, ZONE)

    @decorators.idempotent_id('5c9b3f0e-1f3d-4f0a-9b7f-2a6d8e1c7d21')
    def test_mp4_from_any_to_large(self):
        """From now on the host takes those who ask for large pages only"""
        self._check('large')

    @decorators.idempotent_id('c2a1d7e8-6b94-4e1d-8f0c-3b7e9f2d8e22')
    def test_mp6_number(self):
        """A size in KiB allows just that"""
        self._check('number')

    @decorators.idempotent_id('a7f2e8d9-3c05-4b2e-9a1d-4c8f0a3e9f23')
    def test_mp6_list(self):
        """Several sizes in KiB allow each of them"""
        self._check('list')

    @decorators.idempotent_id('d8e3f9a0-4d16-4c3f-8b2e-5d901b4fa024')
    def test_mp7_running_guest_is_left_alone(self):
        """It is named in a warning, and can be operated and deleted"""
        host, _ = self._allow('large')
        warning = [line for line in self.log_of(host).splitlines()
                   if 'are left alone' in line]
        self.assertIn(self.guest, ''.join(warning))
        self.act('reboot_server', 'ACTIVE', self.guest, type='HARD')
        self.act('stop_server', 'SHUTOFF', self.guest)
        self.act('start_server', 'ACTIVE', self.guest)
        self.act('rebuild_server', 'ACTIVE', self.guest, self.image)
        self.assertEqual(host.name, self.cloud.server(self.guest).host)
        self.delete_servers([self.guest])

    @decorators.idempotent_id('e9f4a0b1-5e27-4d40-9c3f-6ea12c50b125')
    def test_mp7_with_the_filter(self):
        """Filter and option hold together and each for itself"""
        if not CONF.mempage.aggregate_memory_backing_filter:
            self.skipTest('[mempage] aggregate_memory_backing_filter does not '
                          'promise that the scheduler has the filter')
        host, declared = self._allow('large')
        client = self.os_admin.aggregates_client
        service = self.services.host_of(host.name)
        if service in aggregates.hosts_with(client, aggregate_policy.KEY):
            self.skipTest('%s is in an aggregate that has %s' % (
                host.name, aggregate_policy.KEY))
        for value, expected in self._with_filter(host, declared).items():
            with aggregates.Aggregate(client, [service],
                                      {aggregate_policy.KEY: value}):
                self.check_outcomes(
                    {host: expected}, page_sizes.Way.HOST,
                    '[libvirt] allowed_memory_pagesize = large, in an '
                    'aggregate with %s = %s' % (aggregate_policy.KEY, value))

    def _with_filter(self, host, declared):
        """Outcomes by metadata and request, on a host that allows large."""
        by_filter = page_sizes.Outcome({}, frozenset({
            page_sizes.NO_VALID_HOST}))
        by_host = page_sizes.Outcome({}, frozenset({
            page_sizes.NO_MORE_RETRIES,
            page_sizes.Refusal.NO_PAGE_SIZE.value}))
        granted = page_sizes.Outcome({host.name: page_sizes.granted(
            declared, page_sizes.ANY,
            self.flavor_for(page_sizes.ANY)['ram'])}, frozenset())
        # A host has pages of an allowed size only: any cannot get others.
        return {'small': {None: by_host, page_sizes.LARGE: by_filter},
                'large': {None: by_filter, page_sizes.ANY: granted}}

    def _check_refused(self, case):
        """Assert that nova-compute did not start, and said why."""
        if not self.refused:
            self.refused.update(self.try_all_refused(
                REFUSALS, self.for_refusals))
        if self.refused[case]:
            raise self.refused[case]

    @decorators.idempotent_id('f0a5b1c2-6f38-4e51-8d40-7fb23d61c226')
    def test_refused_empty_list(self):
        """nova-compute does not start if nothing is allowed"""
        self._check_refused('empty')

    @decorators.idempotent_id('01b6c2d3-7049-4f62-9e51-80c34e72d327')
    def test_refused_unknown_word(self):
        """nova-compute does not start with what it does not understand"""
        self._check_refused('unknown')

    @decorators.idempotent_id('12c7d3e4-815a-4073-8f62-91d45f83e428')
    def test_refused_size_that_the_host_lacks(self):
        """nova-compute does not start with a size that no NUMA node knows"""
        self._check_refused('lacking')

    @decorators.idempotent_id('23d8e4f5-926b-4184-9073-a2e56094f529')
    def test_refused_large_on_a_file_backed_host(self):
        """nova-compute does not start where no guest could"""
        self._check_refused('file-backed')

    @decorators.idempotent_id('34e9f506-a37c-4295-8184-b3f671a5062a')
    def test_restored(self):
        """Back to what is declared: hosts take guests as before"""
        self.reconfigure({})
        host = self._host_for('large')
        for each in self.hosts:
            if not each.declared.file_backed:
                self.check_traits(each, each.declared)
        self.check_requests([None, page_sizes.LARGE],
                            {host: host.declared}, ZONE)
