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

"""What tests share that measure a backing store."""

import contextlib
import dataclasses
import datetime
import random

from tempest import config
from tempest.lib.common.utils import data_utils

from mempage_tempest_plugin.changes import anonymous_memory
from mempage_tempest_plugin.changes import foreign_data
from mempage_tempest_plugin.changes import names
from mempage_tempest_plugin.cloud import servers
from mempage_tempest_plugin.declared import which
from mempage_tempest_plugin.evidence import measurements
from mempage_tempest_plugin.guests import speed
from mempage_tempest_plugin.hosts import block_devices
from mempage_tempest_plugin.hosts import cache
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import fio
from mempage_tempest_plugin.hosts import machine
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.tests.bases import observed
from mempage_tempest_plugin.tests.bases import reachable

CONF = config.CONF

#: The attribute of tests that measure.
MEASUREMENT = 'measurement'


@dataclasses.dataclass
class Arm:
    """A guest that is measured.

    :ivar name: measurements.STORE or CONTROL
    :ivar memory: None if it need not be asked
    :ivar path: its backing file, for STORE
    :ivar others: servers that are measured together with it
    """

    name: str
    server: servers.RequestedServer
    memory: speed.Memory | None = None
    path: str | None = None
    others: tuple = ()


class BaseMeasuredTest(reachable.BaseReachableTest):
    """Tests that measure one host after the other, alone on each.

    A guest in the store, and one that differs from it only in that its
    memory is anonymous, are measured in turns.
    """

    about = which.file_backed
    promises = ('measure', 'run')
    may_skip = (observed.NO_TOOLS, observed.SHARED)
    alone_on = which.each
    harmful = True

    @classmethod
    def resource_setup(cls):
        super().resource_setup()
        observed.leave_out(cls, observed.NO_TOOLS, fio.unable)

    def begin(self, host, figures):
        """Boot the guests, and begin the figures of a host.

        :param host: the compute_host.ComputeHost
        :param figures: dict by ID of unit, better direction and what measures
            it: ioping and mbw in guests, libvirt, or the host's kernel
        :raises SkipException: if the guests cannot be measured
        """
        self.turn_to(host)
        requested = [self.boot_reachable(host) for _ in range(2)]
        for server in requested:
            self.nova.wait_until_active(server.uuid)
        store, control = requested
        self.skip_if_shared(control)
        self.make_control(control)
        self.arms = [
            Arm(measurements.STORE, store, self.fill(store),
                self.path_of(store)),
            Arm(measurements.CONTROL, control, self.fill(control))]
        self.began = self.new_figures(figures)

    def make_control(self, server):
        """Have a guest run in anonymous memory.

        :param server: the servers.RequestedServer, which is ACTIVE
        """
        # Its power is cut: what it has written must not be lost.
        self.connect(server).exec_command('sync')
        anonymous_memory.give(self.host, server.uuid)

    def begin_with_twins(self, host, figures):
        """Begin the figures of a host for which no guest has to be asked.

        :param host: as of :meth:`begin`
        :param figures: as of :meth:`begin`
        """
        self.turn_to(host)
        server = self.boot(host, image=self.create_image())
        self.nova.wait_until_active(server.uuid)
        self.arms = [
            Arm(measurements.STORE, server, path=self.path_of(server)),
            Arm(measurements.CONTROL, server)]
        self.began = self.new_figures(figures)

    def turn_to(self, host):
        """Begin with a host of which nothing is known yet.

        :param host: the compute_host.ComputeHost
        """
        self.host = host
        self._began_at = now()
        # As many as ioping and fio take.
        self.seed = random.SystemRandom().getrandbits(31)
        self.versions = {'kernel': machine.kernel(host),
                         'libvirt': host.libvirt.versions()[0]}

    def path_of(self, server):
        """Ask for the file that a guest's memory is in.

        :param server: the servers.RequestedServer, which is on the host
        :returns: its path
        """
        [backend] = self.host.memory_backends(server.uuid)
        return backend.mem_path

    def new_figures(self, figures):
        """Begin the figures.

        :param figures: as of :meth:`begin`
        :returns: dict of measurements.Measurement by ID
        """
        return {
            identity: measurements.Measurement(
                identity, unit, direction, self.host.name, CONF.mempage.run,
                self.seed, (tool, self.versions[tool]))
            for identity, (unit, direction, tool) in figures.items()}

    def fill(self, server, mib=None):
        """Have something in the memory of a guest, as soon as it answers.

        :param server: the servers.RequestedServer, which is ACTIVE
        :param mib: how much, if not what is usual for its RAM
        :returns: a speed.Memory
        :raises SkipException: if its image lacks what measures
        """
        memory = speed.Memory(self.connect(server),
                              mib or speed.size_mib(server.ram_mib))
        lacking = memory.lacking()
        if lacking:
            observed.skip(self, observed.NO_TOOLS, (
                'the image [compute] image_ref lacks %s' % (
                    ' and '.join(lacking))))
        self.versions.update(memory.versions())
        memory.fill()
        return memory

    def skip_if_shared(self, server):
        """Skip the test where others than QEMU need the guest's memory.

        :param server: the servers.RequestedServer, which is on the host
        """
        found = domain_xml.sharers(self.host.libvirt.xml(server.uuid))
        if found:
            observed.skip(self, observed.SHARED, 'host %s: guests have %s' % (
                self.host.name, ', '.join(found)))

    def measure_in_turns(self, take, swap=False):
        """Take all samples: of the store, of the control, and so on.

        :param take: function of an :class:`Arm` that returns a dict of values
            by figure
        :param swap: whether every other pair begins with the control, as a
            change from one to the other takes long
        """
        for pair in range(CONF.mempage.measure):
            for arm in self.arms[::-1 if swap and pair % 2 else 1]:
                started = now()
                values = take(arm)
                ended = now()
                for identity, value in values.items():
                    self.began[identity].sample(arm.name, value, started,
                                                ended)

    @contextlib.contextmanager
    def alone(self, arm=None):
        """Have all guests but one paused meanwhile: they write as well.

        :param arm: the :class:`Arm` whose guest runs; None if none does
        """
        others = [each.server.uuid for each in self.arms if each is not arm]
        for uuid in others:
            self.nova.act(uuid, 'pause_server', 'PAUSED')
        yield
        for uuid in others:
            self.nova.act(uuid, 'unpause_server', 'ACTIVE')

    def measure_limit(self, jobs, limits, mib=None):
        """Have fio measure what the store itself can do.

        :param jobs: list of fio.Job
        :param limits: function of a dict of fio.Done that returns a dict of
            values by figure; it is called while the file is there
        :param mib: size of fio's file, if not that of what is measured in
            guests
        """
        path = foreign_data.path(self.host.real(
            self.host.declared.file_backed.mount))
        started = now()
        try:
            version, done = fio.run(
                self.host, path, mib or self.arms[0].memory.mib, self.seed,
                jobs)
            values = limits(done)
        finally:
            foreign_data.remove(self.host)
        ended = now()
        for identity, value in values.items():
            self.began[identity].limit(value, ('fio', version), started,
                                       ended)

    def resident(self):
        """Look how much of the store's guest is in the page cache.

        Where a guest gives back what it does not use, its file has holes,
        which are nobody's memory.

        :returns: percent, and who says so
        """
        path = self.arms[0].path
        found = cache.look(self.host, path)
        allocated = self.host.survey(paths=[path]).files[path].allocated
        return (min(100, 100 * found.cached * found.page / allocated),
                found.method)

    def twin(self, arm):
        """Make the XML of a domain like that of a guest.

        It has as much memory, in a file or not as the arm has it, but neither
        disk nor network. What Nova and a guest's system add is the same
        whatever memory it has.

        :param arm: the :class:`Arm`
        :returns: UUID and XML
        """
        xml = self.host.libvirt.inactive_xml(arm.server.uuid)
        if not arm.path:
            xml = domain_xml.in_anonymous_memory(xml)
        uuid = data_utils.rand_uuid()
        return uuid, domain_xml.bare(xml, names.new('twin'), uuid)

    @staticmethod
    def store_mount(host):
        """Find the mount that a store is on.

        :param host: the compute_host.ComputeHost
        :returns: a mounts.Mount
        """
        return mounts.holding(host.survey().mounts, host.real(
            host.declared.file_backed.directory))

    def written(self):
        """Tell what was written to the store's own device, in bytes.

        What is to be written is written before.
        """
        return next(iter(block_devices.look(self.host).written.values()))

    def footprint(self):
        """Tell how much memory the guests have, divided by the host's."""
        ram_mib = sum(server.ram_mib for arm in self.arms
                      for server in (arm.server, *arm.others))
        return ram_mib / self.host.survey().memory_mib

    def keep_with_state(self):
        """Keep all figures with whatever is in the page cache now.

        The guests are not needed any more.
        """
        resident, witness = self.resident()
        self.keep_figures(measurements.state_of(resident), resident, witness)
        self.end()

    def keep_figures(self, state, resident_percent, witness):
        """Keep all figures of the host.

        :param state: as of measurements.Measurement.cache
        :param resident_percent: as there
        :param witness: as there
        """
        ended = now()
        footprint = self.footprint()
        for figure in self.began.values():
            figure.cache(state, resident_percent, witness, footprint)
            figure.took(self._began_at, ended)
            measurements.keep(self, figure)

    def end(self):
        """Delete the guests before the next host is measured."""
        self.delete_requested()


def uncounted(host):
    """Tell why nobody counts what is written to a store.

    :param host: the compute_host.ComputeHost
    :returns: a sentence; None if the kernel does
    """
    found = block_devices.look(host)
    return None if found.written else found.lacking


def now():
    """Tell the moment, an aware datetime."""
    return datetime.datetime.now(datetime.timezone.utc)
