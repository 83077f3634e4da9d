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

"""How long live migrations to a store take, and stop the guests."""

from tempest.common import utils
from tempest import config
from tempest.lib import decorators

from mempage_tempest_plugin.changes import anonymous_memory
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import measured
from mempage_tempest_plugin.tests.bases import reconfigured

CONF = config.CONF

TIME = 'migration.time'
DOWNTIME = 'migration.downtime'
MIGRATION = {TIME: ('s', 'lower', 'libvirt'),
             DOWNTIME: ('ms', 'lower', 'libvirt')}

SLOWEST = 99.9
JOBS = [fio.Job('write', {'rw': 'write', 'bs': '1m', 'overwrite': 0})]
# Nova gives guests that come the memory that its own host gives.
ORDINARY = {('libvirt', 'file_backed_memory'): '0'}


class TestMeasureMigration(measured.BaseMeasuredTest):
    """Guests leave their host for another one with a store, and come back.

    Between two stores, Nova moves no guest that is in none. So both hosts are
    ordinary ones, to Nova, while it is the turn of the control.
    """

    about = which.reconfigurable
    promises = ('reconfigure_hosts',)
    features = ('live_migration',)
    needs_all_hosts = True

    @classmethod
    def choose(cls, hosts, peers):
        able = joined.choose(cls, [*hosts, *peers])
        used = [each for host in able if host in hosts
                for each in (host, another(host, able)) if another(host, able)]
        if not used:
            joined.skip(cls, 'two hosts of one group: %s' % which.all_of(
                joined.values(cls, 'about')))
        return list(dict.fromkeys(used))

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        cls.reconfiguration = reconfigured.begin(cls)

    @decorators.idempotent_id('660e6ed7-39cc-44c1-b963-df9990a07889')
    @decorators.attr(type=measured.MEASUREMENT)
    @utils.services('compute', 'network')
    def test_migration(self):
        """Time and downtime of a live migration, from store to store"""
        self.on_each_host(self._measure_migration, hosts=[
            host for host in self.hosts
            if host.name in (CONF.mempage.hosts or self.inventory.hosts)])

    @base.in_turn
    def _measure_migration(self, host):
        self.turn_to(host)
        self._other = another(host.declared, self.hosts,
                              lambda each: each.declared)
        self.arms = [self._boot(name) for name in (
            measurements.STORE, measurements.CONTROL)]
        self.began = self.new_figures({
            # A guest that is paused is not stopped.
            identity: told for identity, told in MIGRATION.items()
            if identity == TIME or CONF.mempage.live_migrate_running_guests})
        self.measure_limit(JOBS, self._limits, self.flavor['ram'])
        self.measure_in_turns(self._take, swap=True)
        self.arms[0].path = self.path_of(self.arms[0].server)
        self.keep_with_state()

    def _boot(self, name):
        """Have a guest of whichever memory Nova gives it."""
        self._have_hosts(name)
        server = self.boot_reachable(self.host)
        self.nova.wait_until_active(server.uuid)
        self.skip_if_shared(server)
        arm = measured.Arm(name, server, self.fill(server))
        self._check_memory(arm)
        return arm

    def _have_hosts(self, name):
        self.reconfiguration.apply(
            {} if name == measurements.STORE
            else dict.fromkeys((self.host, self._other), ORDINARY))

    def _check_memory(self, arm):
        if arm.name == measurements.STORE:
            self.assertTrue(self.path_of(arm.server))
        else:
            anonymous_memory.check(self.host, arm.server.uuid)

    def _take(self, arm):
        self._have_hosts(arm.name)
        for host in (self._other, self.host):
            self._go(arm.server.uuid, host)
        self._check_memory(arm)
        took = self.host.libvirt.last_migration(arm.server.uuid)
        if None in (took.elapsed, took.downtime):
            raise exceptions.FactsMissing(
                self.host.name, 'the time of the migration of server %s, '
                'which libvirt does not tell' % arm.server.uuid)
        values = {TIME: took.elapsed / 1000, DOWNTIME: took.downtime}
        return {identity: values[identity] for identity in self.began}

    def _go(self, uuid, host):
        runs = CONF.mempage.live_migrate_running_guests
        if not runs:
            self.nova.act(uuid, 'pause_server', 'PAUSED')
        self.nova.act(uuid, 'live_migrate_server',
                      'ACTIVE' if runs else 'PAUSED',
                      **self.nova.to_live(host.name))
        if not runs:
            self.nova.act(uuid, 'unpause_server', 'ACTIVE')
        self.assertEqual(host.name, self.cloud.server(uuid).host,
                         'where server %s is' % uuid)

    def _limits(self, done):
        """Tell how long the store needs for the file, and for any part."""
        values = {TIME: done['write'].seconds,
                  DOWNTIME: done['write'].latency_ns[SLOWEST] / 10 ** 6}
        return {identity: values[identity] for identity in self.began}


def another(host, hosts, declared=lambda each: each):
    """Find a host to which guests of another one may go.

    :param host: the declaration (inventory.Host) of that one
    :param hosts: list of hosts
    :param declared: function of one of them that returns its declaration
    :returns: one of them; None if none is in the same group
    """
    return next((each for each in hosts
                 if declared(each).name != host.name
                 and declared(each).group == host.group), None)
