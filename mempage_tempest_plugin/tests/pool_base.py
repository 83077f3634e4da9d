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

"""What tests share that count the pages of whole pools."""

import concurrent.futures
import dataclasses

from tempest.common import compute
from tempest.common import waiters
from tempest import config
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin import pool_counts
from mempage_tempest_plugin import pool_shares
from mempage_tempest_plugin.tests import base

CONF = config.CONF

# What nova says if the scheduler finds no host, or if the only one that it
# found turns out to have too little.
REFUSALS = (page_sizes.NO_VALID_HOST, page_sizes.NO_MORE_RETRIES,
            'Insufficient compute resources')


@dataclasses.dataclass
class Guest:
    """A server that a test has requested.

    :ivar size_kib: the page size that it asks for
    :ivar status: ACTIVE or ERROR, once that is known
    :ivar host: name of the host that it is on; None if it is on none
    :ivar fault: why it is in status ERROR
    """

    uuid: str
    size_kib: int
    ram_mib: int
    status: str | None = None
    host: str | None = None
    fault: str = ''


class BasePoolTest(base.BaseMemoryTest):
    """Tests that must be alone with the pools of all declared hosts.

    Their guests have no operating system: QEMU takes the pages before the
    first instruction, and without one the guests leave the CPUs to others.
    """

    needs_system = False
    # Seconds that the kernel may need to have the pages back after nova has
    # forgotten the server.
    RELEASE_TIMEOUT = 30

    @classmethod
    def is_about(cls, host):
        return bool(page_sizes.large(host))

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls._lift_quota()
        cls._flavors = {}

    @classmethod
    def _lift_quota(cls):
        client = cls.os_admin.quotas_client
        project = client.tenant_id
        limits = client.show_quota_set(project)['quota_set']
        names = ('instances', 'cores', 'ram')
        client.update_quota_set(project, **dict.fromkeys(names, -1))
        cls.addClassResourceCleanup(
            client.update_quota_set, project,
            **{name: limits[name] for name in names})

    @classmethod
    def _flavor(cls, ram_mib, size_kib):
        if (ram_mib, size_kib) not in cls._flavors:
            cls._flavors[ram_mib, size_kib] = cls.create_flavor(
                {'hw:mem_page_size': str(size_kib)}, ram_mib)['id']
        return cls._flavors[ram_mib, size_kib]

    def setUp(self):
        super().setUp()
        self.guests = []
        self._before = {}

    def note_pools(self, host):
        """Remember how many pages are free, for :meth:`check_pools`."""
        self._before[host.name] = host.survey()

    def before(self, host):
        """Return the survey that :meth:`note_pools` has made."""
        return self._before[host.name]

    def all_pools(self):
        """Return all pools with their hosts.

        :returns: list of (compute_host.ComputeHost, pool_shares.Pool)
        """
        return [(host, pool) for host in self.hosts for pool in
                pool_shares.of_host(host.declared, self._before[host.name])]

    def request(self, ram_mib, size_kib, host=None):
        """Request a server; it is deleted after the test.

        :param ram_mib: its RAM
        :param size_kib: the page size that it asks for
        :param host: the compute_host.ComputeHost; None for any host
        :returns: a :class:`Guest`
        """
        [guest] = self.request_at_once([(ram_mib, size_kib, host)])
        return guest

    def request_at_once(self, wanted):
        """Request several servers at the same moment.

        :param wanted: list of what :meth:`request` takes
        :returns: list of :class:`Guest`
        """
        flavors = [self._flavor(ram, size) for ram, size, _ in wanted]
        with concurrent.futures.ThreadPoolExecutor(len(wanted)) as threads:
            return list(threads.map(self._create, wanted, flavors))

    def _create(self, wanted, flavor):
        ram_mib, size_kib, host = wanted
        _, [server] = compute.create_test_server(
            self.os_admin, name=self._rand_name('guest'), networks='none',
            image_id=self.image, flavor=flavor,
            **({'hypervisor_hostname': host.name} if host else {}))
        guest = Guest(server['id'], size_kib, ram_mib)
        self.guests.append(guest)
        self.addCleanup(waiters.wait_for_server_termination,
                        self.servers_client, guest.uuid)
        self.addCleanup(test_utils.call_and_ignore_notfound_exc,
                        self.servers_client.delete_server, guest.uuid)
        return guest

    def request_in_each_pool(self, sizes):
        """Request servers on every host.

        :param sizes: function of a pool_shares.Pool that returns a list of
            MiB: a server for each
        :returns: list of :class:`Guest`
        """
        return self.request_at_once([
            (ram, pool.size_kib, host) for host, pool in self.all_pools()
            for ram in sizes(pool)])

    def wait_until_settled(self):
        """Wait until each guest either runs or has failed.

        :raises TimeoutException: naming those that do neither
        """
        if not test_utils.call_until_true(
                self._all_settled, CONF.compute.build_timeout,
                CONF.compute.build_interval):
            raise lib_exc.TimeoutException(
                'Servers neither ACTIVE nor in ERROR within %d s: %s' % (
                    CONF.compute.build_timeout, ', '.join(
                        guest.uuid for guest in self.guests
                        if not guest.status)))

    def _all_settled(self):
        # One request for all of them is a small part of the work that one
        # for each would be.
        shown = {server['id']: server for server in
                 self.servers_client.list_servers(detail=True)['servers']}
        for guest in self.guests:
            server = shown.get(guest.uuid, {})
            if server.get('status') in ('ACTIVE', 'ERROR'):
                guest.status = server['status']
                guest.host = server['OS-EXT-SRV-ATTR:hypervisor_hostname']
                guest.fault = server.get('fault', {}).get('message', '')
        return all(guest.status for guest in self.guests)

    def delete_guests(self):
        """Delete all guests, and assert that their pages are free again."""
        for guest in self.guests:
            self.servers_client.delete_server(guest.uuid)
        for guest in self.guests:
            waiters.wait_for_server_termination(self.servers_client,
                                                guest.uuid)
        self.guests = []
        self.on_each_host(self.check_pools)

    def check_active(self, guests):
        """Assert that guests run, and have their pages."""
        self.wait_until_settled()
        self.assertEqual([], [guest for guest in guests
                              if guest.status != 'ACTIVE'])
        self.on_each_host(self.check_pools)

    def check_refused(self, guests):
        """Assert that nova refused guests, and that no page is lost."""
        self.wait_until_settled()
        for guest in guests:
            self.assertEqual('ERROR', guest.status, guest)
            self.assertTrue(guest.fault.startswith(REFUSALS), guest)
            self.assertIsNone(guest.host, guest)
            self.assertEqual({}, self.cloud.allocated_memory(guest.uuid),
                             guest)
        self.on_each_host(self.check_pools)

    def check_pools(self, host):
        """Assert that just the pages of the running guests are taken."""
        test_utils.call_until_true(
            lambda: not self._compare_pools(host).disagreements,
            self.RELEASE_TIMEOUT, 1)
        self.assert_agrees(host, self._compare_pools(host))

    def _compare_pools(self, host):
        pages = pool_counts.taken(
            [(guest.host, guest.size_kib, guest.ram_mib)
             for guest in self.guests if guest.host in self._before],
            {name: before.boot for name, before in self._before.items()})
        before = self._before[host.name]
        return pool_counts.compare(host.declared, before, host.survey(),
                                   pages[before.boot])

    def _evidence_table(self, host):
        if host.name not in self._before:
            return super()._evidence_table(host)
        return '%s\n\n%s' % (self._compare_pools(host),
                             '\n'.join(map(str, self.guests)))
