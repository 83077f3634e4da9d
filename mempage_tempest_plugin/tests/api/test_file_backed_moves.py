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

from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin import conditions
from mempage_tempest_plugin import policy
from mempage_tempest_plugin import reconfiguration
from mempage_tempest_plugin.tests import moving
from mempage_tempest_plugin.tests import reconfiguring
from mempage_tempest_plugin.tests import store_moves

CONF = config.CONF
TRAIT = 'trait:%s' % policy.TRAIT
CONFIRM = 'confirm_resize_server'
REVERT = 'revert_resize_server'


class _DecidedTest(store_moves.BaseStoreMoveTest):
    """file-backed hosts, another one or an ordinary one"""

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
        departed, old = self.here, self.flavor
        self.act('VERIFY_RESIZE', method, *arguments, **kwargs)
        host = find()
        self.flavor = flavor or old
        self.servers = {host.name: self.server}
        self.check_evidence(host, 'VERIFY_RESIZE')
        self.check_off(departed)
        self.act('ACTIVE', decision)
        if decision == CONFIRM:
            self.check_here(host, departed)
        else:
            self.flavor = old
            self.check_here(departed, host)


class TestFileBackedColdMigration(_DecidedTest):
    """file-backed hosts, another one or an ordinary one"""

    features = ('cold_migration',)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc01')
    def test_to_file_backed(self):
        """RAM is a file there, and here again after a revert"""
        destination = self.destination(file_backed=True)
        self.start()
        self._migrate(REVERT, destination)
        self._migrate(CONFIRM, destination)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc02')
    def test_to_ordinary_and_back(self):
        """RAM is in no file there, and in one here again"""
        destination = self.destination(file_backed=False)
        self.start()
        self._migrate(CONFIRM, destination)
        self._migrate(CONFIRM, self.source)

    def _migrate(self, decision, host):
        self.go(decision, lambda: host, 'migrate_server', **self.to(host))


class TestFileBackedResize(_DecidedTest):
    """file-backed hosts, another one or an ordinary one"""

    features = ('resize',)
    extra_specs = {TRAIT: 'required'}

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.larger = cls.create_flavor(cls.extra_specs,
                                       2 * cls.flavor_ram_mib)
        cls.elsewhere = cls.create_flavor({TRAIT: 'forbidden'},
                                          cls.flavor_ram_mib)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc03')
    def test_up_and_down(self):
        """The file has the size of the RAM, here again after a revert"""
        smaller = self.flavor
        self.destination(file_backed=True)
        self.start()
        self._resize(REVERT, self.larger)
        self._resize(CONFIRM, self.larger)
        self._resize(CONFIRM, smaller)

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc04')
    def test_to_ordinary_and_back(self):
        """A flavor decides by its trait whether RAM is a file"""
        required = self.flavor
        self.destination(file_backed=False)
        self.start()
        self._resize(REVERT, self.elsewhere)
        self._resize(CONFIRM, self.elsewhere)
        self._resize(CONFIRM, required)

    def _resize(self, decision, flavor):
        def able(host):
            return (moving.can_have(host, None)
                    and (host.file_backed is not None)
                    == (flavor is not self.elsewhere))

        self.go(decision, lambda: self.locate(able), 'resize_server',
                flavor['id'], flavor=flavor)


class TestFileBackedUnshelve(store_moves.BaseStoreMoveTest):
    """file-backed hosts, another one or an ordinary one"""

    features = ('shelve',)

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        moving.skip_unless_unshelved_on_host()

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc05')
    def test_unshelve_elsewhere(self):
        """RAM is a file there, or in none on an ordinary host"""
        self.start()
        for host in (*self.destinations, self.source):
            departed = self.here
            self.shelve()
            self.check_absent(departed)
            self.unshelve('ACTIVE', host)
            self.check_here(host, departed)


@decorators.serial
class TestFileBackedEvacuation(store_moves.BaseStoreMoveTest):
    """file-backed hosts, another one or an ordinary one"""

    promises = reconfiguring.ReconfiguringTest.promises

    @classmethod
    def is_about(cls, host):
        return super().is_about(host) and host.compute_service is not None

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc06')
    def test_evacuate(self):
        """RAM is a file there; here no more when nova-compute comes back"""
        self._check_evacuated(self.destination(file_backed=True))

    @decorators.idempotent_id('4a3d6f81-ae97-4c41-9d88-6c3a9f5ebc07')
    def test_evacuate_to_ordinary(self):
        """RAM is in no file there, and here no more either"""
        self._check_evacuated(self.destination(file_backed=False))

    def _check_evacuated(self, host):
        self.start()
        with conditions.ForcedDown(self.os_admin, self.services,
                                   self.source.name,
                                   CONF.compute.build_timeout):
            try:
                self.act('ACTIVE', 'evacuate_server', **self.to(host))
                self.servers = {host.name: self.server}
                # Nova says ACTIVE, and then where.
                self.assert_soon_agrees(host, self._compare,
                                        self.RELEASE_TIMEOUT)
            finally:
                # It is not up again for Nova without that.
                reconfiguration.restart(self.source, self.services,
                                        CONF.compute.build_timeout)
        self.check_here(host, self.source)
