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

"""Who else uses a guest's memory, beside who may: switch and virtiofsd."""

from mempage_tempest_plugin.declared import traits
from mempage_tempest_plugin.evidence import facts

#: Who serves shares, as in /proc/PID/comm.
VIRTIOFSD = 'virtiofsd'
VHOST_USER = 'vhostuser'
# The first libvirt that refuses a vhost-user port without shared memory, and
# how it does so. It has warned in its own log before.
_REFUSES_SINCE = (11, 2, 0)
_REFUSED = "'interface' requires shared memory"


def compare_switch(declared, runs):
    """Compare the switch of a host with what is declared of it.

    :param declared: the host's declaration (inventory.Host), with a switch
    :param runs: whether a process has its name
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, its switch' % declared.name,
                                  declared.name)
    comparison.equal('kernel', '%s runs' % declared.switch.program, True,
                     runs)
    return comparison


def compare_ports(host, server, interfaces):
    """Compare the ports of a server that has one with what they have to be.

    :param host: name of the host
    :param server: UUID of the server
    :param interfaces: as of domain_xml.interfaces
    :returns: a facts.Comparison
    """
    comparison = _of(host, server, 'its port')
    comparison.equal('libvirt', 'types of interfaces', [VHOST_USER],
                     interfaces)
    return comparison


def refuses_private_memory(version):
    """Tell whether libvirt refuses a guest that a switch could not map.

    :param version: its version, such as 11.3.0
    """
    return tuple(map(int, version.split('.'))) >= _REFUSES_SINCE


def compare_refused(host, server, errors, left):
    """Compare what became of a server that libvirt has to refuse.

    :param host: name of the host
    :param server: the servers.RequestedServer
    :param errors: texts that nova-compute has logged of it
    :param left: as of actions.left_allocated
    :returns: a facts.Comparison
    """
    comparison = _of(host, server.uuid, 'without shared memory')
    comparison.equal('nova', 'status', 'ERROR', server.status)
    comparison.holds('nova-compute', 'why libvirt refuses it', _REFUSED,
                     errors, any(_REFUSED in error for error in errors))
    # Users are told only where the scheduler never tries another host
    # (max_attempts = 1).
    comparison.holds('nova', 'fault', 'no word of memory, or libvirt\'s own',
                     server.fault, server.fault and (
                         'memory' not in server.fault
                         or _REFUSED in server.fault))
    comparison.equal('placement', 'MEMORY_MB allocated', {}, left)
    return comparison


def compare_holders(declared, server, holders, pids, programs):
    """Compare who has mapped a guest's memory with who has to.

    :param declared: the host's declaration (inventory.Host)
    :param server: UUID of the server
    :param holders: list of page_holders.Holder
    :param pids: the QEMU processes of the server
    :param programs: names of those who have to, beside QEMU, once for each
        process; nobody else may
    :returns: a facts.Comparison
    """
    comparison = _of(declared.name, server, 'who has mapped its memory')
    comparison.equal('kernel', 'QEMU that has mapped the memory', pids, [
        holder.pid for holder in holders if holder.pid in pids])
    comparison.equal(
        'kernel', 'memory mapped by others than QEMU', sorted(programs),
        sorted(_named(holder, programs) for holder in holders
               if holder.pid not in pids))
    return comparison


def _named(holder, programs):
    """Name a stranger so that it can be found."""
    return (holder.program if holder.program in programs
            else '%s (PID %d)' % (holder.program, holder.pid))


def compare_attachable(declared, provider):
    """Compare the traits by which Nova attaches shares with the declaration.

    It asks for that of files only where a server has no large pages.

    :param declared: the host's declaration (inventory.Host)
    :param provider: the host's cloud.Provider; None if there is none
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison('host %s, shares' % declared.name,
                                  declared.name)
    reported = provider.traits if provider else ()
    comparison.equal('placement', 'trait %s' % traits.VIRTIOFS, True,
                     traits.VIRTIOFS in reported)
    comparison.equal('placement', 'trait %s' % traits.FILE_BACKED,
                     bool(declared.file_backed),
                     traits.FILE_BACKED in reported)
    return comparison


def compare_shares(host, server, tags, found):
    """Compare the shares that a guest can mount with those attached.

    :param host: name of the host
    :param server: UUID of the server
    :param tags: of the shares that are attached
    :param found: as of domain_xml.shares
    :returns: a facts.Comparison
    """
    comparison = _of(host, server, 'its shares')
    comparison.equal('libvirt', 'tags of shares', sorted(tags), sorted(found))
    return comparison


def compare_nothing_shared(host, server, directory, found):
    """Compare what a host has of a share with nothing.

    :param host: name of the host
    :param server: UUID of the server that had it
    :param directory: where the host had it mounted
    :param found: a shared_directory.State
    :returns: a facts.Comparison
    """
    comparison = _of(host, server, 'what is left of its share')
    comparison.equal('kernel', 'mounts at %s' % directory, [], found.mounts)
    comparison.equal('kernel', 'processes that serve it', [],
                     found.processes)
    comparison.equal('file system', 'is %s there' % directory, False,
                     found.there)
    return comparison


def compare_ended(host, server, pids):
    """Compare the processes of a deleted server with none.

    :param host: name of the host where it was
    :param server: UUID of the server
    :param pids: its QEMU processes
    :returns: a facts.Comparison
    """
    comparison = _of(host, server, 'deleted')
    comparison.equal('kernel', 'QEMU processes', [], pids)
    return comparison


def compare_access(host, server, access):
    """Compare who may mount a share with nobody.

    :param host: name of the host of the server that had it
    :param server: UUID of the server
    :param access: as of shares.Client.list_access
    :returns: a facts.Comparison
    """
    comparison = _of(host, server, 'what is left of its share')
    comparison.equal('Manila', 'who may mount it', [], access)
    return comparison


def _of(host, server, what):
    return facts.Comparison('host %s, server %s, %s' % (host, server, what),
                            host, server)
