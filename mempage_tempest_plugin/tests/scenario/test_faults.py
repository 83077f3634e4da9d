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

"""What guests, Nova and the operator see when something breaks."""

from oslo_utils import units
from tempest.common import utils
from tempest import config
from tempest.lib.common.utils import test_utils
from tempest.lib import decorators
from testtools import content

from mempage_tempest_plugin.changes import faulty_store
from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.changes import nova_compute
from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import facts
from mempage_tempest_plugin.evidence import fates
from mempage_tempest_plugin.evidence import silent_loss
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import redact
from mempage_tempest_plugin.hosts import several
from mempage_tempest_plugin.tests.bases import base
from mempage_tempest_plugin.tests.bases import ends
from mempage_tempest_plugin.tests.bases import joined
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import reachable
from mempage_tempest_plugin.tests.bases import remains
from mempage_tempest_plugin.tests.bases import stores
from mempage_tempest_plugin.tests.bases import survival

CONF = config.CONF

# Seconds that QEMU, libvirt and Nova may need to notice what happened.
NOTICE_TIMEOUT = 60
# Room beside a guest's RAM in a store made for a test: the file system itself.
SPARE_MIB = 64
# What nova-compute logs of a server on a store that it cannot write to.
_READ_ONLY = 'Read-only file system'
# How long each write takes on a slow device.
DELAY_MS = 200


class _BaseFaultTest(base.BaseMemoryTest):
    """Tests that break something on hosts, and put it back."""

    about = which.file_backed
    promises = ('fault_injection',)
    harmful = True
    needs_system = False

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        # Nobody has such a store now: whoever does has leased the host alone.
        several.ask(cls.hosts, faulty_store.remove_left,
                    CONF.mempage.parallel_hosts)

    def setUp(self):
        super().setUp()
        self.remains = remains.Remains(self, NOTICE_TIMEOUT)

    def boot_noted(self, host):
        """Request a server, and note the space before."""
        self.remains.note_space(host)
        self.boot(host)

    def path(self, host):
        """The only backing file of the host's server."""
        [path] = self.remains.paths[host.name]
        return path

    def pids(self, host):
        """The QEMU processes of the host's server."""
        return host.pids(self.server_on(host).uuid)

    def wait_until_crashed(self, host):
        """Wait until Nova knows that the host's guest has crashed."""
        ends.wait_until_crashed(self, host)


class TestQemuKilled(_BaseFaultTest):
    """Every file-backed host of the inventory."""

    @decorators.idempotent_id('8f3b2e5c-b17a-4e4a-ac65-309d72e6fb58')
    def test_killed_and_started(self):
        """Nova sees the end, no file is left, and the server starts anew"""
        self._kill_marked()
        self.on_each_host(self._start, self.wait_until_active,
                          self.check_evidence, self._check_no_mark)

    @decorators.idempotent_id('0e514675-a384-41bb-9a44-b5c162cdff74')
    def test_next_guest_finds_nothing(self):
        """No byte of a guest that was killed is in the memory of the next"""
        self._kill_marked()
        self.on_each_host(self.boot, self.wait_until_active,
                          self.check_evidence, self._check_no_mark)

    def _kill_marked(self):
        self.marks = {}
        self.on_each_host(
            self.check_host, self.boot_noted, self.wait_until_active,
            self.remains.note_files, self._mark, self._kill,
            self.wait_until_crashed, self.remains.check_none)

    def _kill(self, host):
        """End QEMU as the kernel does when memory is short."""
        pids = self.pids(host)
        self.assertNotEqual([], pids)
        host.ssh.execute(['kill', '-9', *(str(pid) for pid in pids)],
                         root=True)

    def _mark(self, host):
        """Write into the guest's memory, which is its file."""
        self.marks[host.name] = 'MARK-OF-' + self.server_on(host).uuid
        host.overwrite(self.path(host), self.flavor['ram'] // 2,
                       self.marks[host.name])
        self.assertNotEqual({}, self._marked(host))

    def _marked(self, host):
        return host.count_in_files(
            [self.marks[host.name]],
            [server.uuid for server in self.servers])

    def _start(self, host):
        self.nova.client.start_server(self.server_on(host).uuid)

    def _check_no_mark(self, host):
        comparison = facts.Comparison(
            'backing files on host %s' % host.name, host.name)
        comparison.equal(
            'file system', 'what the killed guest had in memory is found in',
            {}, self._marked(host))
        self.assert_agrees(comparison)


class TestDaemonsRestarted(_BaseFaultTest):
    """File-backed hosts that can be reconfigured."""

    about = which.reconfigurable
    alone_on = which.each

    @decorators.idempotent_id('904c3f6d-c28b-4f5b-bd76-41ae83f70c69')
    def test_nova_compute(self):
        """The guest runs on with its file, and is deleted without a trace"""
        self._check_restart(self.hosts, self._restart_nova_compute)

    @decorators.idempotent_id('a15d407e-d39c-4a6c-8e87-52bf94a81d7a')
    def test_libvirt(self):
        """The guest runs on with its file, and is deleted without a trace"""
        hosts = [host for host in self.hosts
                 if which.libvirt_restartable(host.declared)]
        if not hosts:
            joined.skip(self, which.libvirt_restartable)
        self._check_restart(hosts, self._restart_libvirt)

    def _check_restart(self, hosts, restart):
        memory = survival.Survival(self)
        self.on_each_host(
            self.boot_noted, self.wait_until_active, self.remains.note_files,
            memory.note, restart, memory.check('a restart', fates.KEPT),
            self.check_evidence,
            self.delete, self.wait_until_deleted, self.remains.check_none,
            hosts=hosts)

    def _restart_nova_compute(self, host):
        # Whoever is not seen is not seen to be another one, either.
        self.assertNotEqual([], nova_config.processes(host.ssh))
        nova_compute.NovaCompute(
            host, self.services, CONF.compute.build_timeout
        ).restart().wait_until_up()

    def _restart_libvirt(self, host):
        # It keeps a connection, which ends with the process that has it.
        host.libvirt.hostname()
        host.ssh.execute(
            ['sh', '-c', 'exec >&2; ' + host.declared.libvirt_restart],
            root=True)
        timeout = host.declared.limit(NOTICE_TIMEOUT)
        if not test_utils.call_until_true(host.libvirt.is_cut_off, timeout, 1):
            raise exceptions.ServiceNotRestarted(
                host.name, 'libvirt', host.declared.libvirt_restart,
                'the libvirt that answers at %s is still that of before'
                % host.declared.libvirt_uri)
        self.assertTrue(test_utils.call_until_true(
            lambda: self._answers(host), timeout, 1),
            'libvirt did not answer again')

    def _answers(self, host):
        try:
            return host.libvirt.hostname()
        except exceptions.HypervisorError:
            return False


class _BaseBrokenStoreTest(_BaseFaultTest):
    """Tests that put a store that can be broken in place of a host's own."""

    take = which.last
    alone_on = which.each
    may_skip = (observed.NO_TARGET, observed.CANNOT_EVICT)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        [cls.host] = cls.hosts

    def need_mapper(self, store):
        """Skip the test unless the host can have a kind of store.

        :param store: the class of faulty_store
        """
        missing = faulty_store.missing_targets(self.host, store)
        if missing:
            observed.skip(self, observed.NO_TARGET, 'host %s has no %s' % (
                self.host.name, ', '.join(missing)))

    def need_eviction(self):
        """Skip the test unless the host can push files out of its cache."""
        reason = cache.unable(self.host)
        if reason:
            observed.skip(self, observed.CANNOT_EVICT, 'host %s: %s' % (
                self.host.name, reason))

    def put_in_place(self, store):
        """Put a store in place of the host's own, until the test ends.

        A guest that starts meanwhile has its memory there.

        :param store: the faulty_store.FaultyStore
        :returns: the same
        :raises SkipException: if guests of others have come there
        """
        observed.skip_if_occupied(self, self.host)
        return self.useFixture(store)

    def boot_on_store(self):
        """Have a server on the store that is there for this test only."""
        self.boot_noted(self.host)
        # The server has to be gone before its store is.
        self.addCleanup(self.remove)
        self.wait_until_active(self.host)
        self.remains.note_files(self.host)

    def remove(self):
        """Delete the server, and wait until it is gone."""
        test_utils.call_and_ignore_notfound_exc(self.delete, self.host)
        self.wait_until_deleted(self.host)

    def report(self, name, text):
        """Attach a text to the test's result."""
        self.addDetailUniqueName(name, content.text_content(text + '\n'))

    def evict(self):
        """Push the server's file out of the page cache, to the store."""
        return cache.evict(self.host, self.path(self.host),
                           self.pids(self.host))

    def check_silent_loss(self, store, pids, cached):
        """Assert that only those who ask find that memory was lost.

        :param store: the faulty_store.FaultyStore
        :param pids: the QEMU processes before
        :param cached: what :meth:`evict` returned
        """
        said = '\n'.join(store.complaints())
        self.report('hazard', '%d of %d pages stayed in the page cache; '
                    'fsync: %s; kernel:\n%s' % (
                        cached.cached, cached.pages, cached.fsync, said))
        server = self.server_on(self.host).uuid
        self.assert_agrees(silent_loss.compare(
            self.host.name, server, pids == self.pids(self.host),
            self.cloud.server(server).status, cached.fsync, said))

    def check_unreadable(self, store):
        """Assert that QEMU ends when it cannot read the guest's memory.

        :param store: the faulty_store.FaultyStore that the server is on
        """
        server = self.server_on(self.host).uuid
        self.nova.act(server, 'pause_server', 'PAUSED')
        self.assert_agrees(silent_loss.compare_evicted(
            self.host.name, server, self.evict()))
        store.break_reading()
        self._touch()
        self.wait_until_crashed(self.host)
        said = '\n'.join(store.complaints())
        self.report('kernel', said)
        self.assert_agrees(silent_loss.compare_unreadable(
            self.host.name, server, said))

    def _touch(self):
        """Have QEMU read the guest's memory, as the guest itself would."""
        try:
            self.host.read_memory(self.server_on(self.host).uuid,
                                  self.flavor['ram'] * units.Mi // 2, 1)
        except exceptions.HypervisorError as error:
            # It dies of the question.
            self.report('qemu', str(error))


class TestBrokenStore(_BaseBrokenStoreTest):
    """A file-backed host; its store is broken on purpose."""

    def _store(self, room_mib):
        """Have a store that is there for this test only.

        :param room_mib: what it can really keep
        :returns: the faulty_store.FaultyStore
        """
        # The file system needs room for itself.
        return self.put_in_place(faulty_store.FaultyStore(
            self.host, self.flavor['ram'] + SPARE_MIB, room_mib + SPARE_MIB))

    @decorators.idempotent_id('b26e518f-e4ad-4b7d-9f98-63c0a5b92e8b')
    def test_write_errors_are_silent_but_found(self):
        """Hazard: memory is lost and only fsync and the kernel's log tell"""
        self.need_eviction()
        store = self._store(self.flavor['ram'] // 4)
        self.boot_on_store()
        pids = self.pids(self.host)
        self.check_silent_loss(store, pids, self.evict())

    @decorators.idempotent_id('c37f6290-f5be-4c8e-80a9-74d1b6ca3f9c')
    def test_read_errors_end_the_guest(self):
        """QEMU dies rather than go on with wrong memory, and Nova tells"""
        self.need_eviction()
        store = self._store(self.flavor['ram'])
        self.boot_on_store()
        self.check_unreadable(store)

    @decorators.idempotent_id('d480739a-06cf-4d9f-91ba-85e2c7db40ad')
    def test_read_only_store(self):
        """A new server is refused, and nova-compute's log names the cause"""
        [host] = self.hosts
        if not which.logs(host.declared):
            joined.skip(self, which.file_backed & which.logs)
        self._store(self.flavor['ram']).make_read_only()
        begin = self.host.log.end()
        self.boot_noted(self.host)
        server = self.server_on(self.host)
        self.nova.settle([server])
        self.report('fault', server.fault)
        # It never had a file there.
        server.host = self.host.name
        said = '\n'.join(self.host.log.about(server.uuid, begin))
        self.report('nova-compute.log', redact.mask(said))
        comparison = facts.Comparison(
            'server %s, booted on a store that is read-only' % server.uuid,
            self.host.name, server.uuid)
        comparison.equal('nova', 'status', 'ERROR', server.status)
        found = [line for line in said.splitlines() if _READ_ONLY in line]
        comparison.holds('nova-compute', 'why it did not boot', _READ_ONLY,
                         found, found)
        self.assert_agrees(comparison)
        self.remains.paths[self.host.name] = []
        self.remains.check_none(self.host)
        self.assertEqual({}, actions.left_allocated(
            server.uuid, self.cloud, self.inventory.limit))
        self.remove()


class TestMappedStore(_BaseBrokenStoreTest):
    """A file-backed host whose kernel has the device mapper."""

    def setUp(self):
        super().setUp()
        self.need_eviction()
        self.need_mapper(faulty_store.MappedStore)
        self.check_host(self.host)
        self.store = self.put_in_place(faulty_store.MappedStore(
            self.host, self.flavor['ram'] + SPARE_MIB))

    @decorators.idempotent_id('2e27523e-ff2a-4198-b55e-ece54f200a3d')
    def test_writes_fail(self):
        """Hazard: the guest runs on, only fsync and the kernel's log tell"""
        self.boot_on_store()
        pids = self.pids(self.host)
        self.evict()
        self.store.break_writing()
        self._dirty()
        self.check_silent_loss(self.store, pids, self.evict())

    @decorators.idempotent_id('b68839ab-1859-4072-a20a-344e78713d89')
    def test_device_is_gone(self):
        """QEMU dies rather than go on with wrong memory, and Nova tells"""
        self.boot_on_store()
        self.check_unreadable(self.store)

    @decorators.idempotent_id('c4361715-c210-4990-b871-de7938d6269f')
    def test_writes_are_slow(self):
        """A guest comes and goes, and all of its memory is where it belongs"""
        self.store.delay_writing(DELAY_MS)
        took, least = self.store.time_writing(), DELAY_MS * 9 // 10
        comparison = facts.Comparison(
            'slow store of host %s' % self.host.name, self.host.name)
        comparison.holds('kernel', 'milliseconds that a write takes',
                         'more than %d' % least, took, took > least)
        self.assert_agrees(comparison)
        self.boot_on_store()
        self.check_evidence(self.host, declared=self.store.declared)
        self.delete(self.host)
        self.wait_until_deleted(self.host)
        self.remains.check_none(self.host)

    def _dirty(self):
        """Write into the guest's memory, as the guest itself would."""
        self.host.overwrite(
            self.path(self.host), self.flavor['ram'] // 2,
            operands=['if=/dev/urandom', 'count=4'])


class TestThinStore(_BaseBrokenStoreTest):
    """A file-backed host whose kernel has thin pools."""

    @decorators.idempotent_id('47367bef-4e3a-44a6-86c1-131500431646')
    def test_pool_is_full(self):
        """Hazard: the file system has room, and what it is on has none"""
        self.need_eviction()
        self.need_mapper(faulty_store.ThinStore)
        store = self.put_in_place(faulty_store.ThinStore(
            self.host, self.flavor['ram'] + SPARE_MIB,
            self.flavor['ram'] // 4 + SPARE_MIB))
        self.boot_on_store()
        pids = self.pids(self.host)
        self.check_silent_loss(store, pids, self.evict())


class TestFullStore(reachable.BaseFilledTest):
    """A file-backed host; its store is filled on purpose."""

    about = which.file_backed
    take = which.last
    alone_on = which.each
    harmful = True
    promises = ('fault_injection', 'fill_stores')
    may_skip = (observed.NOT_GIVEN_BACK, observed.STORE_IN_MEMORY)

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        stores.leave_out_larger_than_memory(cls)
        [cls.host] = cls.hosts

    @decorators.idempotent_id('0d5825fa-8ebc-42bc-97a0-52807e5be276')
    @utils.services('compute', 'network')
    def test_memory_given_back_is_gone(self):
        """Hazard: QEMU dies if others have the space of free guest memory"""
        server = self.boot_reachable(self.host)
        guest = self.enter(server)
        self.skip_unless_asked(self.host, server)
        [backend] = self.host.memory_backends(server.uuid)
        self._wait_until_given_back(backend.mem_path)
        # It cannot be told to begin when there is no memory to listen with.
        guest.fill_slowly(self.filled_mib)
        observed.skip_if_occupied(self, self.host)
        self.useFixture(foreign_data.ForeignData(self.host))
        ends.wait_until_crashed(self, self.host)
        foreign_data.remove(self.host)
        self.nova.client.start_server(server.uuid)
        self.wait_until_active(self.host)
        self.check_evidence(self.host)

    def _wait_until_given_back(self, path):
        if not test_utils.call_until_true(
                lambda: self._given_back(path) >= self.filled_mib // 2,
                self.host.declared.limit(NOTICE_TIMEOUT), 1):
            self.fail(reachable.KEEPS_ALL)

    def _given_back(self, path):
        """Tell how many MiB of the guest's RAM are not in its file."""
        file = self.host.survey(paths=[path]).files[path]
        return (file.size - file.allocated) // units.Mi
