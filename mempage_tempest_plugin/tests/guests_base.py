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

"""What tests share that count what many guests take from hosts."""

import dataclasses

from tempest.common import compute
from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin import page_sizes
from mempage_tempest_plugin.tests import base

# What nova says if the scheduler finds no host, or if the only one that it
# found turns out to have too little.
REFUSALS = (page_sizes.NO_VALID_HOST, page_sizes.NO_MORE_RETRIES,
            'Insufficient compute resources')


@dataclasses.dataclass
class Guest:
    """A server that a test has requested.

    :ivar size_kib: the page size that it asks for; None for nothing
    :ivar status: ACTIVE or ERROR, once that is known
    :ivar host: name of the host that it is on; None if it is on none
    :ivar fault: why it is in status ERROR
    """

    uuid: str
    size_kib: int | None
    ram_mib: int
    status: str | None = None
    host: str | None = None
    fault: str = ''


class BaseGuestsTest(base.BaseMemoryTest):
    """Tests that must be alone with the memory of all declared hosts.

    Their guests have no operating system: QEMU takes the memory before the
    first instruction, and without one the guests leave the CPUs to others.
    """

    needs_system = False

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
    def flavor_of(cls, ram_mib, size_kib=None, **extra_specs):
        """Get the flavor of a kind of guests.

        :param ram_mib: its RAM
        :param size_kib: the page size that it asks for; None for nothing
        :param extra_specs: further ones
        :returns: its id; it is deleted after the class
        """
        if size_kib:
            extra_specs['hw:mem_page_size'] = str(size_kib)
        key = ram_mib, *sorted(extra_specs.items())
        if key not in cls._flavors:
            cls._flavors[key] = cls.create_flavor(extra_specs, ram_mib)['id']
        return cls._flavors[key]

    def setUp(self):
        super().setUp()
        self.guests = []

    def check_taken(self, host):
        """Assert that just what the running guests need is taken.

        :param host: the compute_host.ComputeHost
        """
        raise NotImplementedError

    def request(self, ram_mib, size_kib, host=None):
        """Request a server; it is deleted after the test.

        :param ram_mib: its RAM
        :param size_kib: the page size that it asks for; None for nothing
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
        flavors = [self.flavor_of(ram, size) for ram, size, _ in wanted]
        return self.at_once(self._create, wanted, flavors)

    def _create(self, wanted, flavor):
        ram_mib, size_kib, host = wanted
        return self.request_with(
            flavor, ram_mib, size_kib,
            **({'hypervisor_hostname': host.name} if host else {}))

    def request_with(self, flavor, ram_mib, size_kib=None, **kwargs):
        """Request a server; it is deleted after the test.

        :param flavor: id of its flavor
        :param ram_mib: its RAM
        :param size_kib: the page size that it asks for; None for nothing
        :param kwargs: further arguments of compute.create_test_server
        :returns: a :class:`Guest`
        """
        _, [server] = compute.create_test_server(
            self.os_admin, name=self._rand_name('guest'), networks='none',
            image_id=self.image, flavor=flavor, **kwargs)
        guest = Guest(server['id'], size_kib, ram_mib)
        self.guests.append(guest)
        self.delete_later(guest.uuid)
        return guest

    def wait_until_settled(self):
        """Wait until each guest either runs or has failed.

        :raises TimeoutException: naming those that do neither
        """
        self.wait_until_built([guest.uuid for guest in self.guests])
        # The fault comes after the status.
        test_utils.call_until_true(self._show_guests, self.FAULT_TIMEOUT,
                                   self.servers_client.build_interval)

    def _show_guests(self):
        shown = {server['id']: server for server in
                 self.servers_client.list_servers(detail=True)['servers']}
        for guest in self.guests:
            server = shown.get(guest.uuid, {})
            guest.status = server.get('status')
            guest.host = server.get('OS-EXT-SRV-ATTR:hypervisor_hostname')
            guest.fault = server.get('fault', {}).get('message', '')
        return all(guest.fault for guest in self.guests
                   if guest.status == 'ERROR')

    def delete_guests(self):
        """Delete all guests, and assert that nothing is taken any more."""
        self.guests = []
        self.delete_booted()
        self.on_each_host(self.check_taken)

    def check_active(self, guests):
        """Assert that guests run, and have their memory."""
        self.wait_until_settled()
        self.assertEqual([], [guest for guest in guests
                              if guest.status != 'ACTIVE'])
        self.on_each_host(self.check_taken)

    def check_refused(self, guests, words=None):
        """Assert that nova refused guests, and that no memory is lost.

        :param guests: list of :class:`Guest`
        :param words: texts, one of which each one's fault has to have, if it
            is not to begin as that of a server without a host
        """
        self.wait_until_settled()
        for guest in guests:
            if guest.status == 'ACTIVE':
                self.fail('host %s had to refuse %s: %s' % (
                    guest.host, guest, 'expected was one of %s' % (words,)
                    if words else 'Nova hands out more memory there than the '
                    'inventory declares for guests'))
            said = (guest.fault.startswith(REFUSALS) if words is None
                    else any(text in guest.fault for text in words))
            self.assertTrue(said, '%s: expected was one of %s' % (
                guest, words or REFUSALS))
            self.assertIsNone(guest.host, guest)
            self.assertEqual({}, self.cloud.allocated_memory(guest.uuid),
                             guest)
        self.on_each_host(self.check_taken)
