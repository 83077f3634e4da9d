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

"""One kept libvirt connection to a compute host."""

import atexit
import dataclasses
import json
import threading
from xml.etree import ElementTree

import libvirt
import libvirt_qemu
from oslo_log import log as logging

from mempage_tempest_plugin import exceptions

LOG = logging.getLogger(__name__)

KEEPALIVE_INTERVAL = 5
KEEPALIVE_COUNT = 6
#: How domains end. QEMU that dies without a word of the guest's end has
#: crashed (processMonitorEOFEvent of libvirt).
ENDS = {libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN: 'shut down',
        libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED: 'destroyed',
        libvirt.VIR_DOMAIN_SHUTOFF_CRASHED: 'crashed'}
# How much of the name of a domain is in those of its directories:
# VIR_DOMAIN_SHORT_NAME_MAX of libvirt.
_SHORT_NAME = 20


@dataclasses.dataclass(frozen=True)
class Migration:
    """How long a live migration took, by the word of libvirt.

    :ivar elapsed: milliseconds; None if libvirt does not know
    :ivar downtime: for how many of them the guest stood still; None likewise
    """

    elapsed: int | None
    downtime: int | None


def _version(number):
    """Spell a version that libvirt tells as one number."""
    return '%d.%d.%d' % (number // 1000000, number // 1000 % 1000,
                         number % 1000)


class _EventLoop:
    """libvirt's event loop in a thread: without it no keepalive is sent.

    A call to a host that went away would otherwise wait for ever.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._thread = None
        self._running = False
        self._waker = None

    def start(self):
        with self._lock:
            if self._thread:
                return
            libvirt.virEventRegisterDefaultImpl()
            libvirt.registerErrorHandler(self._log, None)
            self._waker = libvirt.virEventAddTimeout(
                -1, lambda *args: None, None)
            self._running = True
            self._thread = threading.Thread(
                target=self._run, name='libvirt-events', daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def stop(self):
        # A thread inside libvirt while Python shuts down can crash it.
        self._running = False
        libvirt.virEventUpdateTimeout(self._waker, 0)
        self._thread.join(5)

    def _run(self):
        while self._running:
            libvirt.virEventRunDefaultImpl()

    @staticmethod
    def _log(_context, error):
        # libvirt prints to stderr whatever it also raises.
        LOG.debug('libvirt: %s', error[2])


_EVENTS = _EventLoop()


class LibvirtConnection:
    """What libvirt and QEMU on one host say about a domain."""

    def __init__(self, host):
        """Prepare a connection; it is opened when first needed.

        :param host: the host's declaration (inventory.Host)
        """
        self._host = host
        self._lock = threading.Lock()
        self._connection = None

    def xml(self, uuid):
        """Get the live XML of a domain.

        :param uuid: UUID of the domain, which is the server's
        :returns: the XML as text
        :raises DomainGone: if the host does not have that domain
        :raises HypervisorError: if libvirt cannot tell
        """
        return self._call(lambda: self._domain(uuid).XMLDesc(0))

    def inactive_xml(self, uuid):
        """Get the XML with which a domain will start the next time.

        :param uuid: UUID of the domain, which is the server's
        :returns: the XML as text
        :raises DomainGone: if the host does not have that domain
        :raises HypervisorError: if libvirt cannot tell
        """
        return self._call(lambda: self._domain(uuid).XMLDesc(
            libvirt.VIR_DOMAIN_XML_INACTIVE))

    def define(self, xml):
        """Change how a domain will start the next time.

        :param xml: its XML
        :raises HypervisorError: if libvirt refuses
        """
        self._call(lambda: self._open().defineXML(xml))

    def start(self, xml):
        """Start a domain that ends with this connection at the latest.

        It is paused: none of its CPUs runs.

        :param xml: its XML
        :raises HypervisorError: if libvirt refuses
        """
        flags = (libvirt.VIR_DOMAIN_START_PAUSED |
                 libvirt.VIR_DOMAIN_START_AUTODESTROY)
        self._call(lambda: self._open().createXML(xml, flags))

    def destroy(self, uuid):
        """End a domain at once, as if its power were cut.

        :param uuid: UUID of the domain
        :raises DomainGone: if the host does not have that domain
        :raises HypervisorError: if libvirt refuses
        """
        self._call(lambda: self._domain(uuid).destroy())

    def restart(self, uuid):
        """End a domain at once, and start it as it is defined.

        :param uuid: UUID of the domain
        :raises DomainGone: if the host does not have that domain
        :raises HypervisorError: if libvirt refuses
        """
        self._call(lambda: self._restart(self._domain(uuid)))

    @staticmethod
    def _restart(domain):
        domain.destroy()
        domain.create()

    def monitor(self, uuid, command, **arguments):
        """Ask QEMU itself.

        :param uuid: UUID of the domain
        :param command: name of a QMP command
        :param arguments: its arguments
        :returns: what QEMU returns, decoded
        :raises DomainGone: if the host does not have that domain
        :raises HypervisorError: if libvirt or QEMU refuses
        """
        request = json.dumps({'execute': command, 'arguments': arguments})
        answer = json.loads(self._call(
            lambda: libvirt_qemu.qemuMonitorCommand(
                self._domain(uuid), request, 0)))
        if 'error' in answer:
            raise exceptions.HypervisorError(
                self._host.name, 'QEMU of domain %s refuses %s: %s'
                % (uuid, request, answer['error'].get('desc')))
        return answer['return']

    def last_migration(self, uuid):
        """Tell how long the migration took that brought a domain.

        :param uuid: UUID of the domain
        :returns: a :class:`Migration`
        :raises DomainGone: if the host does not have that domain
        :raises HypervisorError: if libvirt cannot tell
        """
        flags = (libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED |
                 libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED)
        told = self._call(lambda: self._domain(uuid).jobStats(flags))
        return Migration(told.get(libvirt.VIR_DOMAIN_JOB_TIME_ELAPSED),
                         told.get(libvirt.VIR_DOMAIN_JOB_DOWNTIME))

    def versions(self):
        """Ask for the versions of the host's libvirt and of its QEMU.

        :returns: tuple of two texts
        :raises HypervisorError: if libvirt cannot tell
        """
        return self._call(lambda: (_version(self._open().getLibVersion()),
                                   _version(self._open().getVersion())))

    def security_models(self):
        """List what libvirt confines guests with: "apparmor", "dac" ...

        :raises HypervisorError: if libvirt cannot tell
        """
        xml = self._call(lambda: self._open().getCapabilities())
        return [model.text for model in ElementTree.fromstring(xml).findall(
            'host/secmodel/model')]

    def running(self):
        """List the domains that run.

        :returns: dict by UUID of how libvirt calls the directories of each
        :raises HypervisorError: if libvirt cannot tell
        """
        return self._call(lambda: {
            domain.UUIDString(): '%d-%s' % (
                domain.ID(), domain.name()[:_SHORT_NAME])
            for domain in self._open().listAllDomains(
                libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)})

    def end(self, uuid):
        """Tell how a domain that does not run has ended.

        :param uuid: UUID of the domain
        :returns: one of :data:`ENDS`; "running" or "other" if it is none
        :raises DomainGone: if the host does not have that domain
        :raises HypervisorError: if libvirt cannot tell
        """
        state, reason = self._call(lambda: self._domain(uuid).state())
        if state != libvirt.VIR_DOMAIN_SHUTOFF:
            return 'running'
        return ENDS.get(reason, 'other')

    def hostname(self):
        """Ask libvirt for the host's name, which is what nova reports.

        :returns: the name
        :raises HypervisorError: if libvirt cannot be reached
        """
        return self._call(lambda: self._open().getHostname())

    def is_cut_off(self):
        """Tell whether the process is gone that answered last.

        No connection outlives the daemon that it is with, whatever is between
        the two. The next question opens a new one.
        """
        with self._lock:
            if self._connection is None:
                return True
            try:
                self._connection.getHostname()
            except libvirt.libvirtError as error:
                LOG.debug('libvirt of %s: %s', self._host.name, error)
                return True
            return False

    def close(self):
        """Close the connection; the next question opens a new one."""
        with self._lock:
            if self._connection is not None:
                try:
                    self._connection.close()
                except libvirt.libvirtError as error:
                    LOG.debug('Closing libvirt of %s: %s', self._host.name,
                              error)
            self._connection = None

    def _domain(self, uuid):
        try:
            return self._open().lookupByUUIDString(uuid)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                raise exceptions.DomainGone(
                    self._host.name, 'libvirt has no domain %s' % uuid
                ) from error
            raise

    def _call(self, function):
        try:
            return function()
        except libvirt.libvirtError as error:
            raise exceptions.HypervisorError(
                self._host.name, 'libvirt at %s: %s'
                % (self._host.libvirt_uri, error)) from error

    def _open(self):
        with self._lock:
            if self._connection is not None and self._connection.isAlive():
                return self._connection
            _EVENTS.start()
            self._connection = libvirt.open(self._host.libvirt_uri)
            try:
                self._connection.setKeepAlive(KEEPALIVE_INTERVAL,
                                              KEEPALIVE_COUNT)
            except libvirt.libvirtError as error:
                # Local drivers have no connection to keep alive.
                LOG.debug('No keepalive for %s: %s', self._host.name, error)
            return self._connection
