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

"""What five independent witnesses say about one server's memory."""

import dataclasses

from mempage_tempest_plugin.cloud import cloud
from mempage_tempest_plugin.hosts import domain_xml
from mempage_tempest_plugin.hosts import qemu
from mempage_tempest_plugin.hosts import survey


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Everything known about one server's memory at one moment.

    :ivar host: name of the host that was asked
    :ivar server: the server, as nova shows it
    :ivar ram_mib: the RAM of the server's flavor
    :ivar provider: the host in placement, or None
    :ivar allocated: the server's memory in MiB by provider
    :ivar xml: libvirt's word
    :ivar backends: QEMU's own word
    :ivar survey: the kernel's and the file systems' word
    :ivar next_xml: libvirt's word of the guest's next start
    """

    host: str
    server: cloud.Server
    ram_mib: int
    provider: cloud.Provider | None
    allocated: dict[str, int]
    xml: domain_xml.MemoryBacking
    backends: list[qemu.MemoryBackend]
    survey: survey.Survey
    next_xml: domain_xml.MemoryBacking | None = None

    @property
    def processes(self):
        """The QEMU processes of the server."""
        return self.survey.processes.get(self.server.uuid, [])


def collect(host, server, ram_mib, api):
    """Ask all witnesses about a server.

    :param host: the compute_host.ComputeHost that should have the server
    :param server: UUID of the server
    :param ram_mib: the RAM of the server's flavor
    :param api: a cloud.Cloud
    :returns: :class:`Evidence`
    :raises HostError: if the host or its libvirt cannot be asked
    """
    backends = host.memory_backends(server)
    paths = [backend.mem_path for backend in backends if backend.mem_path]
    return Evidence(
        host=host.name, server=api.server(server), ram_mib=ram_mib,
        provider=api.provider(host.name),
        allocated=api.allocated_memory(server),
        xml=host.memory_backing(server), backends=backends,
        survey=host.survey(guests=[server], paths=paths),
        next_xml=host.next_memory_backing(server))
