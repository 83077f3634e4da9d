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

"""A server whose guest has its memory in no file, though its host is made so.

Nova gives guests no anonymous memory there. It is Nova's server all the same:
what Nova does to it, from the next start that Nova does not define anew, is
done to a domain that differs from Nova's in its memory alone. When it is
deleted, nothing is left of that.
"""

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import domain_xml

_IN_FILES = 'memory-backend-file'


def give(host, nova, server):
    """Have a guest run in anonymous memory.

    Its system has to shut down when it is asked to: Nova defines a domain
    anew that it has to switch off.

    :param host: the compute_host.ComputeHost
    :param nova: a servers.Servers
    :param server: UUID of the server, which is ACTIVE
    :raises FactsMissing: if its memory is in a file afterwards
    :raises HypervisorError: if libvirt refuses
    """
    host.libvirt.define(domain_xml.in_anonymous_memory(
        host.libvirt.inactive_xml(server)))
    nova.act(server, 'reboot_server', 'ACTIVE', type='SOFT')
    found = [backend.mem_path for backend in host.memory_backends(server)
             if backend.type == _IN_FILES]
    if found:
        raise exceptions.FactsMissing(
            host.name, 'server %s in anonymous memory: after a soft reboot '
            'it is in %s. Its system has to shut down when it is asked to, '
            'within [libvirt] wait_soft_reboot_seconds of nova.conf' % (
                server, ', '.join(map(str, found))))
