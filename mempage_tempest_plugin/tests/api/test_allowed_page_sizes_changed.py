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

"""Allowed page sizes change while guests are there.

The tests are named after the rows of the specification: MP4, MP6 and MP7.
"""

import dataclasses

from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin.changes import aggregates
from mempage_tempest_plugin.declared import aggregate_filter
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import page_size_outcomes
from mempage_tempest_plugin.tests.bases import reconfigured

CONF = config.CONF
OPTION = ('libvirt', 'allowed_memory_pagesize')
ZONE = page_sizes.Way.ZONE
# Options with which nova-compute must not start, and what it has to log.
REFUSALS = {
    'empty': ({OPTION: ''}, 'the list is empty'),
    'unknown': ({OPTION: 'medium'}, "'medium' is none of small, large, any"),
    # Page sizes are powers of two.
    'lacking': ({OPTION: '12'}, 'this host knows no such pages'),
    # On hosts that are file-backed, and on those that are not.
    'file-backed': ({
        OPTION: 'large',
        ('libvirt', 'file_backed_memory'): '1024',
        ('DEFAULT', 'ram_allocation_ratio'): '1.0',
        ('DEFAULT', 'reserved_host_memory_mb'): '0',
    }, 'no guest could run here'),
}


# What hosts allow in turn.
LARGE, NUMBER, LIST = POLICIES = ('large', 'number', 'list')


def _large_size(host):
    """Get the smallest size in KiB that a declared pool has."""
    return min(page_sizes.in_pools(host))


def _sizes(policy, host):
    """Tell what a host allows that has one of POLICIES.

    :param host: a compute_host.ComputeHost
    """
    declared = host.declared
    if policy == LARGE:
        return (page_sizes.LARGE,)
    if policy == NUMBER:
        return (_large_size(declared),)
    return page_size_outcomes.forbidding_list(host)


def _as_option(sizes):
    return ','.join(str(size) for size in sizes)


class TestAllowedPageSizesChanged(page_size_outcomes.BasePageSizeTest):
    """Hosts whose allowed page sizes change while guests are there.

    nova-compute takes its time to start. So the hosts are restarted at the
    same time, as few times as possible, before the first test.
    """

    about = which.reconfigurable & which.with_pool & ~which.file_backed
    # Those first that need no restart to take guests of all kinds.
    take = which.Choice(lambda hosts, start: sorted(
        hosts, key=lambda host: 'any' not in host.allowed_page_sizes))
    alone_on = which.each
    promises = ('allowed_memory_pagesize', 'reconfigure_hosts')
    may_skip = (observed.IN_AGGREGATES,)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.reconfiguration = reconfigured.begin(cls)
        cls.refused = {}
        host = cls._host_with(LARGE)
        if not host.declared.allows(host.declared.small_page_kib):
            cls.reconfiguration.apply({host: {OPTION: 'any'}})
        cls.guest = cls.send(cls.flavor_for(None), host, ZONE)
        cls.addClassResourceCleanup(cls.nova.delete, [cls.guest.uuid])
        cls.nova.wait_for(cls.guest.uuid, 'ACTIVE')
        cls._allow(LARGE)

    @classmethod
    def _turn(cls, policy):
        """Tell which hosts have which policy at the same time as a policy.

        :returns: dict of compute_host.ComputeHost by policy
        """
        begin = POLICIES.index(policy) // len(cls.hosts) * len(cls.hosts)
        return dict(zip(POLICIES[begin:], cls.hosts))

    @classmethod
    def _host_with(cls, policy):
        return cls._turn(policy)[policy]

    @classmethod
    def _allow(cls, policy):
        """Reconfigure hosts, of which one has the policy then.

        :returns: the compute_host.ComputeHost, and its declaration as if it
            had that policy for ever
        """
        cls.reconfiguration.apply({
            host: {OPTION: _as_option(_sizes(each, host))}
            for each, host in cls._turn(policy).items()})
        host = cls._host_with(policy)
        return host, dataclasses.replace(
            host.declared, allowed_page_sizes=_sizes(policy, host))

    def _check(self, policy):
        host, declared = self._allow(policy)
        self.check_traits(host, declared)
        self.check_requests(
            [None, page_sizes.LARGE, declared.small_page_kib,
             *page_sizes.in_pools(declared)], {host: declared}, ZONE)

    @decorators.idempotent_id('5c9b3f0e-1f3d-4f0a-9b7f-2a6d8e1c7d21')
    def test_mp4_from_any_to_large(self):
        """From now on the host takes those who ask for large pages only"""
        self._check(LARGE)

    @decorators.idempotent_id('c2a1d7e8-6b94-4e1d-8f0c-3b7e9f2d8e22')
    def test_mp6_number(self):
        """A size in KiB allows just that"""
        self._check(NUMBER)

    @decorators.idempotent_id('a7f2e8d9-3c05-4b2e-9a1d-4c8f0a3e9f23')
    def test_mp6_list(self):
        """A list of sizes in KiB allows each of them, and no other"""
        self._check(LIST)

    @decorators.idempotent_id('d8e3f9a0-4d16-4c3f-8b2e-5d901b4fa024')
    def test_mp7_running_guest_is_left_alone(self):
        """It is named in a warning, and can be operated and deleted"""
        host, _ = self._allow(LARGE)
        log = self.reconfiguration.log_of(host)
        uuid = self.guest.uuid
        self.assertIn(uuid, ''.join(line for line in log.splitlines()
                                    if 'It is left alone' in line))
        self.servers = [self.guest]
        self._operate(host, 'reboot_server', type='HARD')
        self.nova.act(uuid, 'stop_server', 'SHUTOFF')
        self._operate(host, 'start_server')
        self._operate(host, 'rebuild_server', self.image)
        self.nova.delete([uuid])

    def _operate(self, host, method, *arguments, **kwargs):
        """Request what boots the guest anew, with the memory that it had."""
        self.nova.act(self.guest.uuid, method, 'ACTIVE', *arguments, **kwargs)
        self.check_evidence(host)

    @decorators.idempotent_id('e9f4a0b1-5e27-4d40-9c3f-6ea12c50b125')
    def test_mp7_with_the_filter(self):
        """Filter and option hold together and each for itself"""
        if not CONF.mempage.aggregate_memory_backing_filter:
            self.skipTest(joined.lacking('aggregate_memory_backing_filter'))
        host, declared = self._allow(LARGE)
        client = self.os_admin.aggregates_client
        service = self.services.host_of(host.name)
        if service in aggregates.hosts_with(client, aggregate_filter.KEY):
            observed.skip(self, observed.IN_AGGREGATES, host.name)
        for value, expected in self._with_filter(host, declared).items():
            with aggregates.Aggregate(client, [service],
                                      {aggregate_filter.KEY: value}):
                self.check_outcomes(
                    {host: expected}, page_sizes.Way.HOST,
                    '[libvirt] allowed_memory_pagesize = large, in an '
                    'aggregate with %s = %s' % (aggregate_filter.KEY, value))

    def _with_filter(self, host, declared):
        """Outcomes by metadata and request, on a host that allows large."""
        by_filter = page_sizes.Outcome({}, frozenset({
            page_sizes.NO_VALID_HOST}))
        by_host = page_sizes.outcome(
            [declared], None, self.RAM_MIB, page_sizes.Way.HOST,
            dataclasses.replace(self.enforcement(), aggregates=False))
        granted = page_sizes.Outcome({host.name: page_sizes.granted(
            declared, page_sizes.ANY,
            self.flavor_for(page_sizes.ANY)['ram'])}, frozenset())
        # A host has pages of an allowed size only: any cannot get others.
        return {'small': {None: by_host, page_sizes.LARGE: by_filter},
                'large': {None: by_filter, page_sizes.ANY: granted}}

    def _check_refused(self, case):
        """Assert that nova-compute did not start, and said why."""
        if not self.refused:
            self.refused.update(reconfigured.try_all_refused(
                self.reconfiguration, REFUSALS, self.hosts))
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
        self.reconfiguration.apply({})
        host = self._host_with(LARGE)
        for each in self.hosts:
            self.check_traits(each, each.declared)
        self.check_requests([None, page_sizes.LARGE],
                            {host: host.declared}, ZONE)
