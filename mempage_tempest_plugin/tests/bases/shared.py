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

"""Servers that have shares of Manila, which virtiofsd serves."""

import functools

from oslo_concurrency import lockutils
from oslo_utils import units
from tempest import config
from tempest.lib.common.utils import data_utils
from tempest.lib.common.utils import test_utils
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.cloud import shares
from mempage_tempest_plugin.evidence import consumers
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.guests import memory
from mempage_tempest_plugin.guests import share
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import shared_directory
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import connected
from mempage_tempest_plugin.tests.bases import reachable

CONF = config.CONF

#: What Nova says where it refuses a share, and what it refuses with one.
NOT_ATTACHABLE = ('Feature not supported because either compute or instance '
                  'are not configured correctly.')
NOT_WITH_SHARES = 'Feature not supported with instances that have shares.'
# Seconds until what a guest or its host no longer needs is gone.
GONE_TIMEOUT = 60
# How much is written to a share, on each side.
_PAGES = units.Mi // memory.PAGE


def take_turns(cls):
    """Wait for the end of other classes with shares, where they collide.

    Before 34, Nova mounts all shares of CephFS as "nova", which Ceph lets one
    project have at a time; each class has a project of its own.

    :param cls: the test class, which has its clients and no resources yet
    """
    if (CONF.mempage.share_protocol == 'CEPHFS'
            and not cls.services.knows(shares.MOVES_SINCE)):
        lock = lockutils.external_lock(
            'mempage-cephx', lock_path=lockutils.get_lock_path(CONF))
        lock.acquire()
        # When all that is deleted with the class is gone.
        cls.addClassResourceCleanup(lock.release)


class Shared:
    """Shares of a test's servers; each server has one at most.

    :param test: a base.BaseMemoryTest that speaks shares.MICROVERSION
    """

    def __init__(self, test):
        self._test = test
        self.manila = shares.connect(test.os_admin)
        self.attachments = shares.Attachments(test.nova.client)
        #: By UUID of a server: its share, and where its host has it.
        self.of_server = {}
        self.directories = {}
        self._mounted = {}

    def create(self):
        """Create a share; it is deleted after the test.

        :returns: its UUID
        """
        created = self.manila.create_share(
            names.of(type(self._test), 'share'), CONF.mempage.share_protocol)
        self._test.addCleanup(
            shares.remove, self.manila, created,
            functools.partial(self._is_used, created),
            self._test.inventory.limit(shares.ACCESS_TIMEOUT))
        # Manila keeps what a server has, whichever was there first.
        self._test.addCleanup(self._test.delete_requested)
        self._wait_for(
            'share %s' % created, 'available',
            lambda: self.manila.show_share(created)['status'],
            '"openstack share message list --resource-id %s"' % created)
        return created

    def _is_used(self, created):
        return any(
            test_utils.call_and_ignore_notfound_exc(
                self.attachments.statuses, server)
            for server, each in self.of_server.items() if each == created)

    def _wait_for(self, what, status, ask, told):
        """Wait for a status.

        :param what: what has to get it
        :param status: the status
        :param ask: function that returns what it has
        :param told: what tells why it does not get it
        :raises TimeoutException: if it does not
        """
        timeout = self._test.inventory.limit(CONF.compute.build_timeout)
        if not test_utils.call_until_true(
                lambda: ask() in (status, 'error'), timeout, base.INTERVAL
        ) or ask() != status:
            raise lib_exc.TimeoutException(
                '%s is not %s within %d s, but %s: %s tells why' % (
                    what, status, timeout, ask() or 'not there', told))

    def attach(self, host, created=None):
        """Attach a share to the host's server, which is off then.

        :param host: the compute_host.ComputeHost
        :param created: UUID of the share; a new one if None
        """
        server = self._test.server_on(host).uuid
        created = created or self.create()
        self._test.nova.act(server, 'stop_server', 'SHUTOFF')
        self.attachments.attach(server, created, self.tag(created))
        self.of_server[server] = created
        self._wait_for_nova(host, 'inactive')

    def _wait_for_nova(self, host, status):
        server = self._test.server_on(host).uuid
        created = self.of_server[server]
        self._wait_for(
            'share %s of server %s' % (created, server), status,
            lambda: self.attachments.statuses(server).get(created),
            'the log of nova-compute on %s' % host.name)

    @staticmethod
    def tag(created):
        """Tell by which name guests find a share.

        :param created: its UUID
        """
        return 'mempage-' + created[:8]

    def start(self, host):
        """Start the host's server, and assert that its guest has its share.

        The guest has memory as it is declared to have.
        """
        server = self._test.server_on(host)
        self._test.nova.act(server.uuid, 'start_server', 'ACTIVE')
        self.check_attached(host)

    def check_attached(self, host):
        """Assert that libvirt serves its share to the host's guest."""
        test, server = self._test, self._test.server_on(host)
        tag = self.tag(self.of_server[server.uuid])
        self._wait_for_nova(host, 'active')
        found = domain_xml.shares(host.libvirt.xml(server.uuid))
        test.assert_agrees(consumers.compare_shares(
            host.name, server.uuid, [tag], found))
        self.directories[server.uuid] = found[tag]
        self.check_memory(host)

    def tags(self, host):
        """List the tags of shares that libvirt serves to the host's guest."""
        return list(domain_xml.shares(host.libvirt.xml(
            self._test.server_on(host).uuid)))

    def check_memory(self, host):
        """Assert that the guest's memory is as declared."""
        server = self._test.server_on(host)
        self._test.assert_agrees(base.compare_memory(
            self._test, host, server, self._test.page_kib(host)))

    def detach(self, host):
        """Detach its share from the host's server, which is off then."""
        server = self._test.server_on(host).uuid
        self._test.nova.act(server, 'stop_server', 'SHUTOFF')
        self.attachments.detach(server, self.of_server[server])
        timeout = self._test.inventory.limit(CONF.compute.build_timeout)
        test_utils.call_until_true(
            lambda: not self.attachments.statuses(server), timeout,
            base.INTERVAL)
        self._test.assertEqual({}, self.attachments.statuses(server),
                               'shares of server %s' % server)

    def check_nothing_left(self, host):
        """Assert that the host has nothing of its server's share any more.

        And that nobody may mount it.
        """
        server = self._test.server_on(host).uuid
        self.check_not_there(host, server)
        self._test.assert_soon_agrees(
            host, lambda host: consumers.compare_access(
                host.name, server,
                self.manila.list_access(self.of_server[server])),
            GONE_TIMEOUT)

    def check_not_there(self, host, server):
        """Assert that a host has nothing of a server's share.

        :param host: the compute_host.ComputeHost
        :param server: UUID of the server, which had it there
        """
        directory = self.directories[server]
        self._test.assert_soon_agrees(
            host, lambda host: consumers.compare_nothing_shared(
                host.name, server, directory,
                shared_directory.look(host, directory)), GONE_TIMEOUT)

    def mount(self, host, client):
        """Have the guest mount its share, and assert who maps its memory.

        :param host: the compute_host.ComputeHost
        :param client: Tempest's RemoteClient
        """
        server = self._test.server_on(host).uuid
        mounted = share.Share(client, self.tag(self.of_server[server]))
        mounted.mount()
        self._mounted[server] = mounted
        programs = [consumers.VIRTIOFSD]
        if CONF.mempage.vhost_user and host.declared.switch:
            programs.append(host.declared.switch.program)
        connected.check_holders(self._test, host, server, programs)

    def check_both_sides(self, host):
        """Assert that guest and host read what the other one has written."""
        server = self._test.server_on(host).uuid
        directory = self.directories[server]
        seeds = [data_utils.rand_uuid_hex() for _ in range(2)]
        self._mounted[server].write('by-guest', seeds[0], _PAGES)
        shared_directory.write(host, directory + '/by-host', ''.join(
            memory.text(seeds[1], page) for page in range(_PAGES)))
        comparison = facts.Comparison(
            'host %s, server %s, a share on both sides' % (
                host.name, server), host.name, server)
        comparison.equal(
            'file system', 'digest of what the guest has written',
            memory.digest(seeds[0], _PAGES),
            shared_directory.digest(host, directory + '/by-guest'))
        comparison.equal(
            'guest', 'digest of what the host has written',
            memory.digest(seeds[1], _PAGES),
            self._mounted[server].digest('by-host'))
        self._test.assert_agrees(comparison)

    def check_passed_on(self, writer, reader):
        """Assert that a guest reads what the one of another host has written.

        :param writer: the compute_host.ComputeHost of the one
        :param reader: that of the other
        """
        server = self._test.server_on(reader).uuid
        seed = data_utils.rand_uuid_hex()
        name = 'by-guest-of-' + writer.name
        self._mounted[self._test.server_on(writer).uuid].write(
            name, seed, _PAGES)
        comparison = facts.Comparison(
            'a share of the guests on %s and %s' % (writer.name, reader.name),
            reader.name, server)
        comparison.equal('guest', 'digest of %s' % name,
                         memory.digest(seed, _PAGES),
                         self._mounted[server].digest(name))
        self._test.assert_agrees(comparison)


class SharedWithGuests(Shared):
    """The same, where guests are reached over ssh.

    :param test: a base.BaseMemoryTest with ``needs_network``
    """

    def __init__(self, test):
        super().__init__(test)
        self._guests = reachable.Guests(test)

    def boot(self, host, **kwargs):
        """Request a server whose guest can be reached.

        :param host: the compute_host.ComputeHost
        :param kwargs: as of base.BaseMemoryTest.boot
        """
        self._guests.boot(host, **kwargs)

    def enter(self, host):
        """Log in, and have the guest mount its share."""
        self.mount(host, self._guests.connect(self._test.server_on(host)))
