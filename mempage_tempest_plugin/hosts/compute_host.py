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

"""What a test may ask of a compute host."""

import atexit
import dataclasses
import functools
import posixpath
import re
import threading

from oslo_log import log as logging

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import backing_directory
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import files
from mempage_tempest_plugin.hosts import libvirt_connection
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import mounts
from mempage_tempest_plugin.hosts import qemu
from mempage_tempest_plugin.hosts import redact
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import service_log
from mempage_tempest_plugin.hosts import ssh
from mempage_tempest_plugin.hosts import survey

# Counts patterns in files.
COUNT = 'count.sh'
#: How a line begins that tells what it is doing.
SEARCHED = '...'
# How many lines of nova-compute's log may have a server that just failed.
_LATELY = 1000
# What find would not take literally in a path.
_SPECIAL = re.compile(r'[][*?\\]')

LOG = logging.getLogger(__name__)

_hosts = {}
_hosts_lock = threading.Lock()


class ComputeHost:
    """A compute host: one SSH and one libvirt connection, both kept.

    It answers what takes more than one of them, or needs the declaration.

    :ivar declared: the host's declaration (inventory.Host)
    :ivar ssh: an ssh.SSHConnection
    :ivar libvirt: a libvirt_connection.LibvirtConnection
    """

    def __init__(self, declared, timeout):
        """Prepare the host; connections are opened when first needed.

        :param declared: the host's declaration (inventory.Host)
        :param timeout: seconds that a command may stay silent
        """
        self.declared = declared
        self.ssh = ssh.SSHConnection(declared, timeout)
        self.libvirt = libvirt_connection.LibvirtConnection(declared)

    @property
    def name(self):
        """The name that nova reports as hypervisor_hostname."""
        return self.declared.name

    @functools.cached_property
    def kernel(self):
        """The boot ID of the kernel.

        Hosts that have it in common are containers of one machine, and have
        its pools of large pages in common.
        """
        return self.ssh.execute(
            ['cat', '/proc/sys/kernel/random/boot_id']).stdout.strip()

    @functools.cached_property
    def real_paths(self):
        """The declared paths of the store, by these: without symbolic links.

        QEMU names what it was told, the kernel what that links to. Both are
        compared in this spelling.
        """
        store = self.declared.file_backed
        if store is None:
            return {}
        # libvirt's own directories may be links as well: the deepest first.
        return self._real(posixpath.join(store.directory, files.GUESTS),
                          store.directory, store.mount)

    def _real(self, *paths):
        """Ask where paths lead: a dict by these."""
        found = libvirt_root.execute(
            self.ssh, ['readlink', '-m', '--', *paths]).stdout
        return dict(zip(paths, found.splitlines()))

    @functools.cached_property
    def backing_directory(self):
        """Where guests' files are, or would be: without symbolic links.

        Where none are declared, libvirt is told all the same where to make
        them.
        """
        store = self.declared.file_backed
        if store:
            return self.real(store.directory)
        path, _ = backing_directory.configured(self.ssh, self.name)
        return self._real(path)[path]

    def real(self, path):
        """Spell a path of the store as the kernel does.

        :param path: an absolute path, as declared or as QEMU names it
        :returns: the path without the symbolic links that lead to the store
        :raises HostError: if the host cannot be reached or asked
        """
        path = posixpath.normpath(path)
        for declared, real in self.real_paths.items():
            if mounts.is_below(path, declared):
                return posixpath.normpath(
                    '%s/%s' % (real, path[len(declared):]))
        return path

    @functools.cached_property
    def log(self):
        """nova-compute's log (service_log.ServiceLog).

        None if the inventory does not say where that is.
        """
        declared = self.declared.compute_log
        return declared and service_log.ServiceLog(self.ssh, declared)

    def survey(self, guests=(), paths=()):
        """Look at the kernel and the file systems, in one round trip.

        :param guests: UUIDs of guests whose processes to look at
        :param paths: backing files to look at, as :meth:`real` spells them
        :returns: a survey.Survey
        :raises HostError: if the host cannot be reached or asked
        """
        store = self.declared.file_backed
        found = survey.take(
            self.ssh, self.name, self.backing_directory,
            store and self.real(store.mount), guests, paths)
        return dataclasses.replace(found, real_paths=self.real_paths)

    def survey_store(self):
        """Look at a host whose backing store is needed.

        :returns: a survey.Survey that has a store
        :raises StoreNotMounted: if nothing is mounted there
        :raises HostError: if the host cannot be reached or asked
        """
        found = self.survey()
        if found.store is None:
            raise exceptions.StoreNotMounted(
                self.name, self.declared.file_backed.mount)
        return found

    def survey_and_guests(self):
        """Look at a host, and at whose guests' memory is there.

        A domain that is off has no memory, and gets a directory of another
        name when it starts.

        :returns: a survey.Survey, and the set of the names of directories, as
            of libvirt_connection.LibvirtConnection.running, of guests that
            ran before or after it, as they may come and go meanwhile
        :raises HostError: if the host or its libvirt cannot be asked
        """
        before = self.libvirt.running().values()
        found = self.survey()
        return found, {*before, *self.libvirt.running().values()}

    def memory_backing(self, guest):
        """Get what libvirt says about a guest's memory.

        :param guest: UUID of the guest
        :returns: a domain_xml.MemoryBacking
        :raises HypervisorError: if there is no such domain
        """
        return domain_xml.parse(self.libvirt.xml(guest))

    def next_memory_backing(self, guest):
        """Get what libvirt will make of a guest's memory at its next start.

        :param guest: UUID of the guest
        :returns: a domain_xml.MemoryBacking
        :raises HypervisorError: if there is no such domain
        """
        return domain_xml.parse(self.libvirt.inactive_xml(guest))

    def memory_backends(self, guest):
        """Get what QEMU itself says about a guest's memory.

        :param guest: UUID of the guest
        :returns: list of qemu.MemoryBackend, with paths as :meth:`real`
            spells them
        :raises HypervisorError: if the guest does not run
        """
        found = qemu.memory_backends(self._monitor(guest))
        return [dataclasses.replace(
            backend, mem_path=backend.mem_path and self.real(backend.mem_path))
            for backend in found]

    def read_memory(self, guest, offset, size):
        """Read what a guest has in its RAM, as QEMU sees it.

        :param guest: UUID of the guest
        :param offset: as of qemu.read_memory
        :param size: how many bytes
        :returns: bytes
        :raises HypervisorError: if the guest does not run
        """
        return qemu.read_memory(self._monitor(guest), offset, size)

    def _monitor(self, guest):
        """Make the function that asks a guest's QEMU."""
        return functools.partial(self.libvirt.monitor, guest)

    def write_memory(self, guest, offset, data):
        """Write into a guest's RAM, as the guest itself would.

        :param guest: UUID of the guest
        :param offset: as of qemu.read_memory
        :param data: text
        :raises FactsMissing: if QEMU has no RAM there
        :raises HostError: if the host cannot be reached, or refuses
        """
        address = qemu.host_address(self._monitor(guest), offset)
        pids = self.pids(guest)
        if address is None or len(pids) != 1:
            raise exceptions.FactsMissing(
                self.name, 'where guest %s has its RAM: QEMU processes %s, '
                'address %s' % (guest, pids, address))
        self.ssh.execute(
            ['dd', 'of=/proc/%d/mem' % pids[0], 'bs=1M', 'conv=notrunc',
             'oflag=seek_bytes', 'seek=%d' % address, 'status=none'],
            root=True, stdin=data)

    def overwrite(self, path, place_mib, text='', operands=()):
        """Write into a file where libvirt has it, which stays as large.

        :param path: the file
        :param place_mib: how far from its beginning
        :param text: what is written
        :param operands: further ones of dd, as for what else is written
        :raises HostError: if the host cannot be reached, or refuses
        """
        libvirt_root.execute(
            self.ssh, ['dd', 'of=' + path, 'conv=notrunc', 'bs=1M',
                       'status=none', 'seek=%d' % place_mib, *operands],
            stdin=text)

    def count_in_memory(self, pid, paths, patterns):
        """Count texts in what a process has mapped of files.

        It does not matter whether these still have a name.

        :param pid: the process
        :param paths: of the files, as smaps.Mapping has them
        :param patterns: as of :meth:`count_in_files`
        :returns: as of :meth:`count_in_files`, by the path of the mapping
        :raises HostError: as of :meth:`count_in_files`
        """
        return self._count(_find_mapped(pid, paths), patterns)

    def mapped(self, pid, paths):
        """Find what a process has mapped of files.

        :param pid: the process
        :param paths: as of :meth:`count_in_memory`
        :returns: list of paths at which these can be opened, even if they
            have no name any more
        :raises HostError: if the host cannot be reached or asked
        """
        return self.ssh.execute(_find_mapped(pid, paths),
                                root=True).stdout.splitlines()

    def count_in_files(self, patterns, guests):
        """Count texts in files below the backing directory.

        Those of other guests that run are left out: they are not ours to
        read, and may be large. What no guest has that runs is looked at,
        whosever it was. Pages that were not in the page cache are not there
        after it either.

        :param patterns: texts without NUL, line breaks and blanks
        :param guests: UUIDs of the guests that the test has
        :returns: dict by path of dicts of counts by pattern, without
            those that are 0
        :raises HostError: if the host cannot be reached or asked, or a file
            that is still there cannot be read
        """
        directory = self.real(self.declared.file_backed.directory)
        return self._count(
            ['find', directory, *self._without_others(directory, guests),
             '-type', 'f'], patterns)

    def _count(self, find, patterns):
        """Count texts in the files that a command finds."""
        result = libvirt_root.execute(
            self.ssh, [*find, '-exec', 'bash', '-c', scripts.read(COUNT),
                       '\n'.join(patterns), '{}', '+'],
            check=False, heard=self._say_searched)
        # A status other than 0 may mean just a file that went away.
        counts = {}
        for line in result.stdout.splitlines():
            word, _, rest = line.partition(' ')
            if word == '===':
                path, found = rest, counts.setdefault(rest, {})
            elif word == SEARCHED:
                continue
            elif word == '!!!':
                raise exceptions.FactsMissing(
                    self.name, 'what is in %s: %s' % (path, result.stderr))
            else:
                found[rest] = int(word)
        return {path: found for path, found in counts.items() if found}

    def _without_others(self, directory, guests):
        """Make the arguments of find that leave out others' files."""
        others = [name for guest, name in self.libvirt.running().items()
                  if guest not in guests]
        paths = [posixpath.join(directory, place, name)
                 for name in others for place in (files.GUESTS, '')]
        return [word for path in paths for word in (
            '-path', _SPECIAL.sub(r'\\\g<0>', path), '-prune', '-o')]

    def _say_searched(self, line):
        word, _, rest = line.partition(' ')
        if word == SEARCHED:
            LOG.info('Host %s: searching %s', self.name, rest)

    def pids(self, guest):
        """Find the QEMU processes of a guest.

        :param guest: UUID of the server
        :returns: list of PIDs
        :raises HostError: if the host cannot be reached or asked
        """
        found = self.survey(guests=[guest]).processes.get(guest, [])
        return [process.pid for process in found]

    def compute_log(self, lines):
        """Get the end of nova-compute's log.

        :param lines: how many lines
        :returns: the lines, or a sentence that says why there are none
        :raises HostError: if the host cannot be reached or asked
        """
        log = self.declared.compute_log
        if log is None:
            return ('The inventory does not say where nova-compute logs to '
                    '(services.nova-compute.log or .journal).')
        if log.file:
            command = ['tail', '-n', str(lines), '--', log.file]
        else:
            command = ['journalctl', '--no-pager', '-n', str(lines), '-u',
                       log.unit]
        return self.ssh.execute(command, root=True).stdout

    def errors_of(self, server):
        """Get what nova-compute has logged lately that went wrong.

        :param server: UUID of the server that it went wrong with
        :returns: list of texts, or why the host cannot be asked
        """
        try:
            return service_log.errors_of(
                redact.mask(self.compute_log(_LATELY)), server)
        except exceptions.HostError as error:
            return [str(error)]

    def close(self):
        """Close both connections."""
        self.libvirt.close()
        self.ssh.close()


def _find_mapped(pid, paths):
    """Make the command that finds what a process has mapped of files."""
    names = [word for path in paths for word in (
        '-o', '-lname', _SPECIAL.sub(r'\\\g<0>', path) + '*')]
    return ['find', '/proc/%d/map_files' % pid, '(', *names[1:], ')']


def get(declared, timeout):
    """Get a host; all callers in a process share its connections.

    :param declared: the host's declaration (inventory.Host)
    :param timeout: seconds that a command may stay silent on a host that is
        not declared to be slow
    :returns: a :class:`ComputeHost`
    """
    with _hosts_lock:
        if not _hosts:
            atexit.register(close_all)
        if declared not in _hosts:
            _hosts[declared] = ComputeHost(declared, declared.limit(timeout))
        return _hosts[declared]


def close_all():
    """Close the connections to all hosts."""
    with _hosts_lock:
        for host in _hosts.values():
            host.close()
        _hosts.clear()
