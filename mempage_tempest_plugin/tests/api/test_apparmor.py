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

"""AppArmor lets guests have their memory in files."""

from tempest import config
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.hosts import several
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import observed

CONF = config.CONF

# What the kernel logs of what it refused to a guest.
DENIED = 'apparmor="DENIED".*profile="libvirt-%s"'
# Where that is instead if auditd runs.
AUDIT_LOG = '/var/log/audit/audit.log'
NOTHING = ('Neither the kernel\'s log nor %s tells that it was refused '
           'anything; a rule that begins with "deny" refuses in silence, see '
           '/etc/apparmor.d/abstractions/libvirt-qemu' % AUDIT_LOG)


class TestAppArmor(base.BaseMemoryTest):
    """File-backed hosts whose guests AppArmor confines."""

    about = which.file_backed
    may_skip = (observed.NOT_CONFINED,)
    needs_system = False

    @decorators.idempotent_id('c91a9da1-eca8-4ca5-8e68-fb43dfe98910')
    def test_confined_guest_has_its_file(self):
        """A guest that AppArmor confines has its memory in a file"""
        confining = [host for host, confines in several.ask(
            self.hosts, self._confines, CONF.mempage.parallel_hosts)
            if confines]
        if not confining:
            observed.skip(
                self, observed.NOT_CONFINED, 'libvirt says so on %s' %
                ', '.join(host.name for host in self.hosts))
        self.on_each_host(self.check_host, self.boot, self._wait_until_active,
                          self._check_confined, self.check_evidence,
                          hosts=confining)

    def _confines(self, host):
        """Tell whether libvirt says that AppArmor confines guests there."""
        return 'apparmor' in host.libvirt.security_models()

    def _wait_until_active(self, host):
        try:
            self.wait_until_active(host)
        except lib_exc.TempestException as error:
            raise self.failureException(
                'A guest that AppArmor confines did not start on host %s. '
                '%s\n%s' % (host.name, self._denied(host), error)) from error

    def _denied(self, host):
        """Tell what AppArmor refused to the host's server."""
        return host.ssh.execute(
            ['sh', '-c', '{ dmesg; cat "$1"; } 2>/dev/null | grep -E "$0"',
             DENIED % self.server_on(host).uuid, AUDIT_LOG], root=True,
            check=False).stdout or NOTHING

    def _check_confined(self, host):
        """Assert that it is confined indeed, and nothing only complains."""
        uuid = self.server_on(host).uuid
        comparison = facts.Comparison(
            'host %s, server %s' % (host.name, uuid), host.name, uuid)
        for pid in host.pids(uuid):
            said = host.ssh.execute(
                ['cat', '/proc/%d/attr/current' % pid], root=True).stdout
            comparison.equal('kernel', 'profile of QEMU',
                             'libvirt-%s (enforce)' % uuid, said.strip())
        self.assert_agrees(comparison)
