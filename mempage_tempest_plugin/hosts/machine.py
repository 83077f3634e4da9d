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

"""What a host is made of, beside its store."""

import dataclasses
import re

from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import scripts
from mempage_tempest_plugin.hosts import sections

SCRIPT = 'machine.sh'
#: What runs guests' instructions, by [libvirt] virt_type of Nova.
ACCELERATORS = {'kvm': 'kvm', 'qemu': 'tcg'}
_CHOSEN = re.compile(r'\[(\w+)\]')


@dataclasses.dataclass(frozen=True)
class Machine:
    """Facts of a host.

    :ivar accelerator: kvm, or tcg, which emulates the CPU; None if Nova is
        told something else
    :ivar nested: whether it is a guest itself
    :ivar kernel: its version
    :ivar nova: the version of Nova; empty if it cannot be told
    :ivar cpu: the name of the CPU
    :ivar numa_nodes: how many there are
    :ivar transparent_hugepages: always, madvise, never; none if the kernel
        has none
    :ivar dirty: dict of the kernel's vm.dirty_*, without that prefix
    """

    accelerator: str | None
    nested: bool
    kernel: str
    nova: str
    cpu: str
    numa_nodes: int
    transparent_hugepages: str
    dirty: dict


def look(host):
    """Look what a host is made of.

    :param host: the compute_host.ComputeHost
    :returns: a :class:`Machine`
    :raises ConfigurationUnclear: if nobody could read nova-compute's
        configuration
    :raises HostError: if the host cannot be reached or asked
    """
    running = nova_config.processes(host.ssh)
    kind = nova_config.read(host.ssh, host.name, running).virt_type
    return parse(scripts.run(host.ssh, SCRIPT, nova=(
        running[0].pid if running else '')), ACCELERATORS.get(kind))


def kernel(host):
    """Ask for the version of a host's kernel.

    :param host: the compute_host.ComputeHost
    :returns: text
    :raises HostError: if the host cannot be reached or asked
    """
    return host.ssh.execute(['uname', '-r']).stdout.strip()


def parse(text, accelerator=None):
    """Read what the script printed.

    :param text: the output
    :param accelerator: what runs guests' instructions
    :returns: a :class:`Machine`
    """
    found = {name: body.strip() for name, body in sections.split(text).items()}
    return Machine(
        accelerator, bool(found.get('nested')), found['kernel'],
        found.get('nova', ''), found.get('cpu', ''),
        int(found.get('nodes') or 1), _chosen(found.get('huge', '')),
        _dirty(found['dirty']))


def _chosen(text):
    found = _CHOSEN.search(text)
    return found[1] if found else 'none'


def _dirty(text):
    values = dict(line.split() for line in text.splitlines())
    return {name.removeprefix('dirty_'): int(value)
            for name, value in values.items()}
