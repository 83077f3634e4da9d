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

"""What becomes of guests when the device below their memory fails, or waits.

The device mapper makes the device do so, where the kernel has it: otherwise
than a full or a short file, it fails as a device does.
"""

from oslo_utils import units
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators
from testtools import content
from testtools import matchers

from mempage_tempest_plugin.changes import mapped_store
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.tests.bases import faults

# How long each write takes on a slow device.
DELAY_MS = 200


class TestMappedStore(faults.BaseFaultTest):
    """A file-backed host whose kernel has the device mapper."""

    take = which.last
    alone_on = which.each

    def setUp(self):
        super().setUp()
        [self.host] = self.hosts
        missing = mapped_store.missing_targets(self.host)
        if missing:
            self.skipTest('The device mapper of host %s has no %s' % (
                self.host.name, ', '.join(missing)))
        self.check_host(self.host)
        self.store = self.useFixture(mapped_store.MappedStore(
            self.host, self.flavor['ram'] + faults.SPARE_MIB))

    def _boot(self):
        self.boot_noted(self.host)
        # The server has to be gone before its store is.
        self.addCleanup(self._remove)
        self.wait_until_active(self.host)
        self.remains.note_files(self.host)

    def _remove(self):
        test_utils.call_and_ignore_notfound_exc(self.delete, self.host)
        self.wait_until_deleted(self.host)

    def _evict(self):
        return cache.evict(self.host, self.path(self.host),
                           self.pids(self.host))

    def _complaints(self):
        said = '\n'.join(self.store.complaints())
        self.addDetailUniqueName('kernel', content.text_content(said + '\n'))
        return said

    @decorators.idempotent_id('2e27523e-ff2a-4198-b55e-ece54f200a3d')
    def test_writes_fail(self):
        """Hazard: the guest runs on, only fsync and the kernel's log tell"""
        self._boot()
        pids = self.pids(self.host)
        self._evict()
        self.store.break_writing()
        self._dirty()
        cached = self._evict()
        self.assertEqual(pids, self.pids(self.host))
        self.assertEqual('ACTIVE', self.cloud.server(
            self.server_on(self.host).uuid).status)
        self.assertIsNotNone(cached.fsync, 'fsync met with no error')
        self.assertThat(self._complaints(), matchers.MatchesRegex(faults.LOST),
                        'the kernel\'s log does not tell of lost writes')

    @decorators.idempotent_id('b68839ab-1859-4072-a20a-344e78713d89')
    def test_device_is_gone(self):
        """QEMU dies rather than go on with wrong memory, and Nova tells"""
        self._boot()
        self.nova.act(self.server_on(self.host).uuid, 'pause_server',
                      'PAUSED')
        cached = self._evict()
        self.assertEqual((0, None), (cached.cached, cached.fsync))
        self.store.break_all()
        self._read()
        self.wait_until_shut_off(self.host)
        self.assertEqual([], self.pids(self.host))
        self.assertThat(self._complaints(),
                        matchers.MatchesRegex('(?s).*I/O error'))

    @decorators.idempotent_id('c4361715-c210-4990-b871-de7938d6269f')
    def test_writes_are_slow(self):
        """A guest comes and goes, and all of its memory is where it belongs"""
        self.store.delay_writing(DELAY_MS)
        self._boot()
        self.check_evidence(self.host)
        self.delete(self.host)
        self.wait_until_deleted(self.host)
        self.remains.check_none(self.host)

    def _dirty(self):
        """Write into the guest's memory, as the guest itself would."""
        self.host.ssh.execute(
            ['dd', 'of=' + self.path(self.host), 'conv=notrunc', 'bs=1M',
             'if=/dev/urandom', 'count=4',
             'seek=%d' % (self.flavor['ram'] // 2)], root=True)

    def _read(self):
        """Have QEMU read the guest's memory, as the guest itself would."""
        try:
            self.host.libvirt.monitor(
                self.server_on(self.host).uuid, 'human-monitor-command',
                **{'command-line': 'xp /1xb 0x%x' % (
                    self.flavor['ram'] * units.Mi // 2)})
        except exceptions.HypervisorError as error:
            # It dies of the question.
            self.addDetailUniqueName('qemu', content.text_content(
                '%s\n' % error))
