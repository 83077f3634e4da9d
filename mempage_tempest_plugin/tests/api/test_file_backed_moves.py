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

"""Guests have their memory where their host takes it from, after any move."""

from tempest.lib import decorators

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.tests.bases import backing_trait
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import evacuation
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import remains

TRAIT = 'trait:%s' % traits.FILE_BACKED
CONFIRM = 'confirm_resize_server'
REVERT = 'revert_resize_server'


class _BaseStoreMoveTest(base.BaseMoveTest):
    """From a file-backed host to another store, and to ordinary memory."""

    start_on = which.file_backed
    go_to = which.file_backed | which.no_page_size
    take = (which.among(which.file_backed, which.another_file_system)
            + which.among(~which.file_backed, which.first))
    flavor_ram_mib = 64

    def setUp(self):
        super().setUp()
        self.remains = remains.Remains(self)
        self.on_each_host(self.remains.note_space, hosts=[
            host for host in self.hosts if host.declared.file_backed])

    def destination(self, wanted):
        """Choose a host to go to, or skip the test.

        :param wanted: a which.Condition
        :returns: the compute_host.ComputeHost
        """
        for host in self.destinations:
            if wanted(host.declared):
                return host
        joined.skip(self, '%s beside %s' % (wanted, self.source.name))

    def start(self):
        super().start()
        self.here = self.source

    def check_here(self, host, departed):
        """Assert that the server has moved, all of it.

        :param host: the compute_host.ComputeHost where it must be
        :param departed: the compute_host.ComputeHost where it was
        """
        self.here = host
        self.check_moved(departed, host)
        self.remains.check_nowhere_else()
        self.on_each_host(self.remains.check_off, hosts=[
            each for each in self.hosts if each.name != host.name])


class _BaseDecidedTest(_BaseStoreMoveTest):
    """Moves that are confirmed or reverted."""

    def go(self, decision, find, method, *arguments, flavor=None, **kwargs):
        """Have the server moved, and decide whether it stays there.

        :param decision: CONFIRM or REVERT
        :param find: function that returns the compute_host.ComputeHost where
            it must be then
        :param method: name of a method of Tempest's servers client
        :param arguments: its arguments after the server's UUID
        :param flavor: the server's new flavor, if it gets one
        :param kwargs: its keyword arguments
        """
        departed, old_mib = self.here, self.server.ram_mib
        self.act('VERIFY_RESIZE', method, *arguments, **kwargs)
        host = find()
        self.server.ram_mib = flavor['ram'] if flavor else old_mib
        self.server.host = host.name
        self.check_evidence(host, 'VERIFY_RESIZE')
        self.remains.check_off(departed)
        self.act('ACTIVE', decision)
        if decision == CONFIRM:
            self.check_here(host, departed)
        else:
            self.server.ram_mib = old_mib
            self.check_here(departed, host)


class TestFileBackedColdMigration(_BaseDecidedTest):
    """From a file-backed host to another store, and to ordinary memory."""

    features = ('cold_migration',)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc01')
    def test_to_file_backed(self):
        """RAM is a file there, and here again after a revert"""
        destination = self.destination(which.file_backed)
        self.start()
        self._migrate(REVERT, destination)
        self._migrate(CONFIRM, destination)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc02')
    def test_to_ordinary_and_back(self):
        """RAM is in no file there, and in one here again"""
        destination = self.destination(~which.file_backed)
        self.start()
        self._migrate(CONFIRM, destination)
        self._migrate(CONFIRM, self.source)

    def _migrate(self, decision, host):
        self.go(decision, lambda: host, 'migrate_server',
                **self.nova.to(host.name))


class TestFileBackedResize(_BaseDecidedTest):
    """The scheduler chooses, among these hosts."""

    features = ('resize',)
    may_skip = (observed.NO_TRAIT,)
    # One that has twice the RAM.
    servers_on_host = 2

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        backing_trait.skip_unless_reported(cls)
        there = base.keep_to(cls, cls.destinations)
        cls.same = cls.create_flavor(
            {**base.keep_to(cls, [cls.source]), TRAIT: 'required'},
            cls.flavor_ram_mib)
        cls.larger = cls.create_flavor({**there, TRAIT: 'required'},
                                       2 * cls.flavor_ram_mib)
        cls.elsewhere = cls.create_flavor({**there, TRAIT: 'forbidden'},
                                          cls.flavor_ram_mib)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc03')
    def test_up_and_down(self):
        """The file has the size of the RAM, here again after a revert"""
        self.destination(which.file_backed)
        self.start()
        self._resize(REVERT, self.larger)
        self._resize(CONFIRM, self.larger)
        self._resize(CONFIRM, self.same)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc04')
    def test_to_ordinary_and_back(self):
        """A flavor decides by its trait whether RAM is a file"""
        self.destination(~which.file_backed)
        self.start()
        self._resize(REVERT, self.elsewhere)
        self._resize(CONFIRM, self.elsewhere)
        self._resize(CONFIRM, self.same)

    def _resize(self, decision, flavor):
        able = which.no_page_size & (
            ~which.file_backed if flavor is self.elsewhere
            else which.file_backed)
        self.go(decision, lambda: self.locate(able), 'resize_server',
                flavor['id'], flavor=flavor)


class TestFileBackedUnshelve(_BaseStoreMoveTest):
    """From a file-backed host to another store, and to ordinary memory."""

    features = ('shelve',)
    speaks = (servers.UNSHELVE_ON_HOST,)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc05')
    def test_unshelve_elsewhere(self):
        """RAM is a file there, or in none on an ordinary host"""
        self.start()
        for host in (*self.destinations, self.source):
            departed = self.here
            self.nova.shelve(self.server.uuid)
            self.check_absent(departed)
            self.nova.unshelve(self.server.uuid, 'ACTIVE', host.name)
            self.check_here(host, departed)


class TestFileBackedEvacuation(_BaseStoreMoveTest):
    """From a host that Nova takes for down, and that comes back."""

    promises = ('reconfigure_hosts',)
    start_on = which.reconfigurable
    alone_on = which.first
    harmful = True

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc06')
    def test_evacuate(self):
        """RAM is a file there; here no more when nova-compute comes back"""
        self._check_evacuated(self.destination(which.file_backed))

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc07')
    def test_evacuate_to_ordinary(self):
        """RAM is in no file there, and here no more either"""
        self._check_evacuated(self.destination(~which.file_backed))

    def _check_evacuated(self, host):
        self.start()
        evacuation.evacuate(self, host)
        self.check_here(host, self.source)
