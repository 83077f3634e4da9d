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
import threading

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import connection
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import domains
from mempage_tempest_plugin.hosts import qemu
from mempage_tempest_plugin.hosts import survey

# $0 are the patterns, one on a line; the arguments are files. They are read
# past the page cache, where what was there or not is another test's business;
# a file system without a device below may not offer that. grep takes NUL for
# the end of a line: lines of guest memory could else be as long as it.
_COUNT = """
for file; do
    printf '=== %s\\n' "$file"
    direct=
    dd if="$file" iflag=direct count=0 2>/dev/null && direct=iflag=direct
    dd if="$file" $direct bs=1M status=none |
        LC_ALL=C grep -zaoF -e "$0" | tr '\\000' '\\n' |
        awk '{ n[$0]++ } END { for (p in n) print n[p], p }'
    [ "${PIPESTATUS[0]}" = 0 ] || [ ! -e "$file" ] || echo '!!!'
done
"""

_hosts = {}
_hosts_lock = threading.Lock()


class ComputeHost:
    """A compute host: one SSH and one libvirt connection, both kept."""

    def __init__(self, declared, timeout):
        """Prepare the host; connections are opened when first needed.

        :param declared: the host's declaration (inventory.Host)
        :param timeout: seconds that a command may stay silent
        """
        self.declared = declared
        self.ssh = connection.SSHConnection(declared, timeout)
        self.libvirt = domains.LibvirtConnection(declared)

    @property
    def name(self):
        """The name that nova reports as hypervisor_hostname."""
        return self.declared.name

    def survey(self, guests=(), paths=()):
        """Look at the kernel and the file systems, in one round trip.

        :param guests: UUIDs of guests whose processes to look at
        :param paths: backing files to look at
        :returns: a survey.Survey
        :raises HostError: if the host cannot be reached or asked
        """
        store = self.declared.file_backed
        text = survey.script(store and store.directory, store and store.mount,
                             guests, paths)
        result = self.ssh.execute(['sh', '-s'], stdin=text, root=True)
        return survey.parse(self.name, result.stdout)

    def domain_xml(self, guest):
        """Get the live XML of a guest's domain.

        :param guest: UUID of the guest
        :returns: the XML as text
        :raises HypervisorError: if there is none
        """
        return self.libvirt.xml(guest)

    def memory_backing(self, guest):
        """Get what libvirt says about a guest's memory.

        :param guest: UUID of the guest
        :returns: a domain_xml.MemoryBacking
        :raises HypervisorError: if there is no such domain
        """
        return domain_xml.parse(self.domain_xml(guest))

    def memory_backends(self, guest):
        """Get what QEMU itself says about a guest's memory.

        :param guest: UUID of the guest
        :returns: list of qemu.MemoryBackend
        :raises HypervisorError: if the guest does not run
        """
        return qemu.memory_backends(
            lambda command, **arguments: self.libvirt.monitor(
                guest, command, **arguments))

    def count_in_files(self, patterns):
        """Count texts in every file below the backing directory.

        Pages that were not in the page cache are not there after it either.

        :param patterns: texts without NUL, line breaks and blanks
        :returns: dict by path of dicts of counts by pattern, without
            those that are 0
        :raises HostError: if the host cannot be reached or asked, or a file
            that is still there cannot be read
        """
        result = self.ssh.execute(
            ['find', self.declared.file_backed.directory, '-type', 'f',
             '-exec', 'bash', '-c', _COUNT, '\n'.join(patterns), '{}', '+'],
            root=True, check=False)
        # A status other than 0 may mean just a file that went away.
        counts = {}
        for line in result.stdout.splitlines():
            word, _, rest = line.partition(' ')
            if word == '===':
                path, found = rest, counts.setdefault(rest, {})
            elif word == '!!!':
                raise exceptions.FactsMissing(
                    self.name, 'what is in %s: %s' % (path, result.stderr))
            else:
                found[rest] = int(word)
        return {path: found for path, found in counts.items() if found}

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

    def close(self):
        """Close both connections."""
        self.libvirt.close()
        self.ssh.close()


def get(declared, timeout):
    """Get a host; all callers in a process share its connections.

    :param declared: the host's declaration (inventory.Host)
    :param timeout: seconds that a command may stay silent
    :returns: a :class:`ComputeHost`
    """
    with _hosts_lock:
        if not _hosts:
            atexit.register(close_all)
        if declared not in _hosts:
            _hosts[declared] = ComputeHost(declared, timeout)
        return _hosts[declared]


def close_all():
    """Close the connections to all hosts."""
    with _hosts_lock:
        for host in _hosts.values():
            host.close()
        _hosts.clear()
