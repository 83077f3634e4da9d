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


"""What an operation on a server does to its guest's memory."""

import dataclasses

from oslo_utils import units

from mempage_tempest_plugin.evidence import facts


@dataclasses.dataclass(frozen=True)
class Fate:
    """What has to become of the memory, and of the QEMU process that has it.

    :ivar same: whether both are the same as before; None if either both are
        or none of them is
    :ivar content: whether what was in the memory is in it still
    """

    same: bool | None
    content: bool


#: The guest was not touched.
KEPT = Fate(True, True)
#: It was saved and loaded.
RESTORED = Fate(False, True)
#: Either of them: by [workarounds] disable_libvirt_livesnapshot of Nova.
KEPT_OR_RESTORED = Fate(None, True)
#: It was booted anew.
NEW = Fate(False, False)


@dataclasses.dataclass(frozen=True)
class Memory:
    """Who has a guest's memory, and what it consists of.

    :ivar pids: the QEMU processes
    :ivar files: the files that have the RAM, as (path, inode). libvirt names
        them after the domain's number, which is another one at each start;
        some file systems give an inode's number again at once. Anonymous
        memory has none.
    :ivar boot: the boot ID of the host's kernel: the next one counts anew
    """

    pids: list
    files: list
    boot: str = ''


def look(host, guest):
    """Look who has a guest's memory.

    :param host: the compute_host.ComputeHost that has the guest
    :param guest: UUID of the guest
    :returns: a :class:`Memory`
    :raises HostError: if the host or its libvirt cannot be asked
    """
    sizes = {backend.size for backend in host.memory_backends(guest)}
    survey = host.survey(guests=[guest])
    processes = survey.processes.get(guest, [])
    return Memory(
        [process.pid for process in processes],
        sorted({(mapping.path, mapping.inode) for process in processes
                for mapping in process.mappings if not mapping.anonymous
                and mapping.size_kib * units.Ki in sizes}), survey.boot)


def compare(host, guest, operation, fate, before, now):
    """Compare who has a guest's memory with who had it.

    :param host: name of the host that has the guest
    :param guest: UUID of the guest
    :param operation: what was done with it
    :param fate: the :class:`Fate` that its memory must have
    :param before: a :class:`Memory`
    :param now: a :class:`Memory`, after the operation
    :returns: a facts.Comparison
    """
    comparison = facts.Comparison(
        'host %s, server %s, after %s' % (host, guest, operation), host,
        guest)
    if before.boot != now.boot:
        comparison.holds('kernel', 'QEMU processes', 'some, of another boot',
                         now.pids, now.pids and not fate.same)
        return comparison
    same = (before.pids == now.pids if fate.same is None else fate.same)
    _compare_identity(comparison, 'QEMU processes', same, before.pids,
                      now.pids)
    if before.files:
        _compare_identity(comparison, 'files with the RAM: path and inode',
                          same, before.files, now.files)
    return comparison


def _compare_identity(comparison, name, same, before, now):
    if same:
        comparison.equal('kernel', name, before, now)
    else:
        comparison.holds('kernel', name, 'some, but none of %s' % before, now,
                         now and set(now).isdisjoint(before))
