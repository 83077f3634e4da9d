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

"""What is left of guests' memory when their host boots again."""

from tempest import config
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators

from mempage_tempest_plugin.changes import power
from mempage_tempest_plugin.declared import page_sizes
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import fates
from mempage_tempest_plugin.evidence import host_state
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import remains
from mempage_tempest_plugin.tests.bases import survival

CONF = config.CONF
# Seconds that a host may take to boot.
BOOT_LIMIT = 600
# A host that refuses guests without page size may have no pages for others.
_WITH_MEMORY = which.no_page_size | which.large_pages


class _BasePowerTest(base.BaseMemoryTest):
    """Tests that boot hosts again, with a guest that was there."""

    alone_on = which.each
    harmful = True
    promises = ('fault_injection',)
    needs_system = False

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        #: Flavors by whether guests may ask for no page size there.
        cls._flavors = {True: cls.flavor}
        if not all(map(which.no_page_size, cls.declared)):
            cls._flavors[False] = cls.create_flavor(
                {}, request=page_sizes.LARGE)

    def check_booted(self, command):
        """Boot hosts again, and assert that they are as they were.

        :param command: function of a host's declaration that returns the
            command line
        """
        left = remains.Remains(self)
        self.memory = survival.Survival(self)
        with_files = [host for host in self.hosts
                      if host.declared.file_backed]
        self.on_each_host(self.check_host, self._boot, self.wait_until_active)
        self.on_each_host(self._note_memory)
        self.on_each_host(left.note_files, hosts=with_files)
        self._before = {host.name: self.services.report(
            self.services.host_of(host.name)) for host in self.hosts}
        self.on_each_host(
            lambda host: power.run(host, command(host.declared),
                                   host.declared.limit(BOOT_LIMIT)),
            self.wait_until_up, self.check_host, self.check_capacity,
            self._wait_until_over, self._start, self.wait_until_active,
            self.check_evidence,
            self.memory.check('a boot of the host', fates.NEW), self.delete,
            self.wait_until_deleted)
        self.on_each_host(self._check_no_files, hosts=with_files)

    def _note_memory(self, host):
        """Write into memory that could be there afterwards."""
        if host.declared.file_backed or self.page_kib(host):
            self.memory.mark(host)
        else:
            self.memory.note(host)

    @base.in_turn
    def wait_until_up(self, host):
        """Wait until nova-compute works again."""
        self.assertTrue(test_utils.call_until_true(
            self.services.is_up_again,
            host.declared.limit(CONF.compute.build_timeout), 1, host.name,
            self._before[host.name]), 'nova-compute on host %s is not up '
            'again after the host has booted' % host.name)

    def _boot(self, host):
        """Request a server that takes what the host has for guests."""
        declared = host.declared
        ordinary = which.no_page_size(declared)
        server = self.boot(host, flavor=self._flavors[ordinary])
        if not ordinary:
            server.size_kib = page_sizes.granted(
                declared, page_sizes.LARGE, server.ram_mib)

    def page_kib(self, host):
        return self.server_on(host).size_kib

    def _wait_until_over(self, host):
        """Wait until Nova knows that the guest ended, or starts it anew.

        It does that before nova-compute is up, where it is told to by
        resume_guests_state_on_host_boot.
        """
        server = self.server_on(host).uuid
        if not host.pids(server):
            self.nova.wait_for(server, 'SHUTOFF')
            # Nobody starts it unasked afterwards.
            self.assertEqual([], host.pids(server))

    def _start(self, host):
        """Start the guest, unless Nova has."""
        server = self.server_on(host).uuid
        if not host.pids(server):
            self.nova.client.start_server(server)

    def _check_no_files(self, host):
        """A persistent store keeps no file of a guest that is gone."""
        test_utils.call_until_true(
            lambda: not self._files(host),
            host.declared.limit(remains.RELEASE_TIMEOUT), 1)
        self.assertEqual([], self._files(host), 'host %s: files in its store '
                         'though its guests are gone' % host.name)

    @staticmethod
    def _files(host):
        """List the files of guests, whether these run or not."""
        return sorted(host_state.owners(host.survey()))


class TestReboot(_BasePowerTest):
    """Hosts that can be rebooted."""

    about = which.rebootable & _WITH_MEMORY

    @decorators.idempotent_id('b42f83e9-8534-4d68-8f3e-f4af2dc55e5c')
    def test_reboot(self):
        """Store and pools are there again before the guest is started"""
        self.check_booted(lambda declared: declared.power.reboot)


class TestPowerCut(_BasePowerTest):
    """Hosts whose power can be cut."""

    about = which.power_can_be_cut & _WITH_MEMORY

    @decorators.idempotent_id('4a21f400-0242-4d2f-aea6-ed4aec965e94')
    def test_power_cut(self):
        """Store and pools are there again, and no file of the guest"""
        self.check_booted(lambda declared: declared.power.cut)
