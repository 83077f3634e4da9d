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

"""Tests of what is asked of servers with shares."""

from unittest import mock

import ddt
import fixtures
from oslotest import base as test_base
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.guests import memory
from mempage_tempest_plugin.hosts import page_holders
from mempage_tempest_plugin.hosts import shared_directory
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import shared
from mempage_tempest_plugin.tests.scenario import test_shares
from tests.plugin.bases import cases
from tests.plugin import samples

SHARE = '4e5b1f62-0f62-4c1b-8a55-5d3d8ba8c9e7'
XML = '''<domain><devices><filesystem type='mount'><driver type='virtiofs'/>
<source dir='/var/lib/nova/mnt/x'/><target dir='mempage-4e5b1f62'/>
</filesystem></devices></domain>'''
NOTHING = shared_directory.State([], [], False)


class SharedTestCase(test_base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.conf = self.useFixture(fixtures.MockPatchObject(
            shared, 'CONF')).mock
        self.conf.mempage = cases.options().mempage
        self.conf.compute.build_timeout = 0.1
        self.useFixture(fixtures.MockPatchObject(
            shared, 'GONE_TIMEOUT', 0.1))
        self.useFixture(fixtures.MockPatchObject(
            shared.connected, 'ANSWER_TIMEOUT', 0.1))
        self.manila = self.useFixture(fixtures.MockPatchObject(
            shared.shares, 'connect')).mock.return_value
        self.attachments = self.useFixture(fixtures.MockPatchObject(
            shared.shares, 'Attachments')).mock.return_value
        self.host = cases.host('a', declared=samples.FILE_BACKED)
        self.host.pids.return_value = [samples.PID]
        self.host.libvirt.xml.return_value = XML
        self.case = self.make(base.BaseMemoryTest)
        self.shared = shared.Shared(self.case)
        self.useFixture(fixtures.MockPatchObject(
            shared.Shared, 'check_memory'))

    def make(self, cls, method='on_each_host', **attributes):
        case = cases.make(cls, method, hosts=[self.host], nova=mock.Mock(),
                          os_admin=mock.Mock(), **attributes)
        case.servers = [servers.RequestedServer('1', 64, host='a')]
        return case

    def assert_fails(self, words, function, *arguments):
        error = cases.assert_fails(self, function, *arguments)
        self.assertIn(words, str(error))


@ddt.ddt
class TurnsTest(SharedTestCase):
    """Classes with shares wait for each other where Nova has one name."""

    def setUp(self):
        super().setUp()
        self.lock = self.useFixture(fixtures.MockPatchObject(
            shared.lockutils, 'external_lock')).mock.return_value
        self.cls = mock.Mock()

    def test_one_after_the_other(self):
        self.conf.mempage.share_protocol = 'CEPHFS'
        self.cls.services.knows.return_value = False
        shared.take_turns(self.cls)
        self.lock.acquire.assert_called_once_with()
        self.cls.services.knows.assert_called_once_with('2.104')
        self.cls.addClassResourceCleanup.assert_called_once_with(
            self.lock.release)

    @ddt.data(('CEPHFS', True), ('NFS', False))
    @ddt.unpack
    def test_beside_each_other(self, protocol, known):
        self.conf.mempage.share_protocol = protocol
        self.cls.services.knows.return_value = known
        shared.take_turns(self.cls)
        self.lock.acquire.assert_not_called()

    @ddt.data(test_shares.TestSharesInFiles,
              test_shares.TestSharesMovedInPages)
    def test_classes(self, cls):
        with mock.patch.object(shared, 'take_turns') as take, \
                mock.patch.object(base.BaseMemoryTest, 'resource_setup'), \
                mock.patch.object(base.BaseMoveTest, 'resource_setup'):
            cls.resource_setup()
        take.assert_called_once_with(cls)


class AttachTest(SharedTestCase):

    def test_create(self):
        self.manila.create_share.return_value = SHARE
        self.manila.show_share.return_value = {'status': 'available'}
        self.assertEqual(SHARE, self.shared.create())
        self.assertEqual('NFS', self.manila.create_share.call_args.args[1])

    def test_share_that_a_server_has_is_used(self):
        self._attach()
        self.assertTrue(self.shared._is_used(SHARE))
        self.assertFalse(self.shared._is_used('other'))
        self.attachments.statuses.side_effect = lib_exc.NotFound
        self.assertFalse(self.shared._is_used(SHARE))

    def test_share_that_manila_cannot_make(self):
        self.manila.create_share.return_value = SHARE
        self.manila.show_share.return_value = {'status': 'error'}
        error = self.assertRaises(lib_exc.TimeoutException,
                                  self.shared.create)
        self.assertIn('share %s is not available' % SHARE, str(error))
        self.assertIn('share message list --resource-id', str(error))

    def _attach(self):
        self.attachments.statuses.return_value = {SHARE: 'inactive'}
        self.shared.attach(self.host, SHARE)

    def test_attach(self):
        self._attach()
        self.attachments.attach.assert_called_once_with(
            '1', SHARE, 'mempage-4e5b1f62')

    def test_nova_that_may_not_give_access(self):
        self.attachments.statuses.return_value = {SHARE: 'error'}
        error = self.assertRaises(lib_exc.TimeoutException,
                                  self.shared.attach, self.host, SHARE)
        self.assertIn('but error: the log of nova-compute on a tells why',
                      str(error))

    def test_attached(self):
        self._attach()
        self.attachments.statuses.return_value = {SHARE: 'active'}
        self.shared.check_attached(self.host)
        self.assertEqual({'1': '/var/lib/nova/mnt/x'},
                         self.shared.directories)

    def test_attached_but_not_served(self):
        self._attach()
        self.attachments.statuses.return_value = {SHARE: 'active'}
        self.host.libvirt.xml.return_value = '<domain/>'
        self.assert_fails('tags of shares', self.shared.check_attached,
                          self.host)

    def test_detached(self):
        self._attach()
        self.attachments.statuses.return_value = {}
        self.shared.detach(self.host)
        self.attachments.detach.assert_called_once_with('1', SHARE)

    def test_not_detached(self):
        self._attach()
        self.assert_fails('shares of server 1', self.shared.detach, self.host)


@ddt.ddt
class NothingLeftTest(SharedTestCase):

    def setUp(self):
        super().setUp()
        self.shared.of_server['1'] = SHARE
        self.shared.directories['1'] = '/mnt/x'
        self.look = self.useFixture(fixtures.MockPatchObject(
            shared_directory, 'look', return_value=NOTHING)).mock
        self.manila.list_access.return_value = []

    def test_nothing(self):
        self.shared.check_nothing_left(self.host)

    @ddt.data(
        (shared_directory.State(['ceph a:/b'], [], True), 'mounts at /mnt/x'),
        (shared_directory.State([], ['9 virtiofsd'], False),
         'processes that serve it'))
    @ddt.unpack
    def test_something(self, state, words):
        self.look.return_value = state
        self.assert_fails(words, self.shared.check_nothing_left, self.host)

    def test_access(self):
        self.manila.list_access.return_value = ['nova-1']
        self.assert_fails('who may mount it', self.shared.check_nothing_left,
                          self.host)


@ddt.ddt
class BothSidesTest(SharedTestCase):

    def setUp(self):
        super().setUp()
        self.find = self.useFixture(fixtures.MockPatchObject(
            shared.connected.memory_holders, 'find', return_value=[
                page_holders.Holder(samples.PID, 'qemu-system-x86'),
                page_holders.Holder(8, 'virtiofsd')])).mock
        self.share = self.useFixture(fixtures.MockPatchObject(
            shared.share, 'Share')).mock.return_value
        self.useFixture(fixtures.MockPatchObject(
            shared.data_utils, 'rand_uuid_hex', side_effect=['g', 'h']))
        self.write = self.useFixture(fixtures.MockPatchObject(
            shared_directory, 'write')).mock
        self.of_host = self.useFixture(fixtures.MockPatchObject(
            shared_directory, 'digest',
            return_value=memory.digest('g', 256))).mock
        self.share.digest.return_value = memory.digest('h', 256)
        self.shared.of_server['1'] = SHARE
        self.shared.directories['1'] = '/mnt/x'

    def test_both(self):
        self.shared.mount(self.host, 'client')
        self.shared.check_both_sides(self.host)
        self.assertEqual('/mnt/x/by-host', self.write.call_args.args[1])

    def test_what_the_host_reads_is_wrong(self):
        self.of_host.return_value = 'other'
        self.shared.mount(self.host, 'client')
        self.assert_fails('digest of what the guest has written',
                          self.shared.check_both_sides, self.host)

    def test_what_the_guest_reads_is_wrong(self):
        self.share.digest.return_value = ''
        self.shared.mount(self.host, 'client')
        self.assert_fails('digest of what the host has written',
                          self.shared.check_both_sides, self.host)

    def test_nobody_has_mapped_the_memory(self):
        self.find.return_value.pop()
        self.assert_fails('expected virtiofsd, kernel says none',
                          self.shared.mount, self.host, 'client')


class RefusedTest(SharedTestCase):

    def setUp(self):
        super().setUp()
        self.case = self.make(test_shares.TestSharesRefused, '_attach')
        self.case.shared = shared.Shared(self.case)
        self.case._share = SHARE
        self.attachments.statuses.return_value = {}

    def test_right_words(self):
        self.attachments.attach.side_effect = lib_exc.Conflict(
            shared.NOT_ATTACHABLE)
        self.case._attach(self.host)

    def test_other_words(self):
        self.attachments.attach.side_effect = lib_exc.Conflict('busy')
        self.assert_fails('reason', self.case._attach, self.host)

    def test_accepted(self):
        self.attachments.statuses.return_value = {SHARE: 'inactive'}
        self.assert_fails('it was accepted', self.case._attach, self.host)
