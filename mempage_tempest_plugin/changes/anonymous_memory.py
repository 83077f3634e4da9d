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
what Nova does to it, until it defines the domain anew, is done to one that
differs from Nova's in its memory alone. When it is deleted, nothing is left
of that.
"""

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import domain_xml

_IN_FILES = 'memory-backend-file'


def give(host, server):
    """Have a guest run in anonymous memory.

    Its power is cut, and it boots again at once. Nova does not see that: it
    waits 15 s whether a domain that has stopped starts again
    (nova.virt.libvirt.host.Host._event_emit_delayed). Asking Nova for a soft
    reboot would not do: it defines the domains of guests anew whose system
    does not shut down when it is asked to.

    :param host: the compute_host.ComputeHost
    :param server: UUID of the server, which is ACTIVE
    :raises FactsMissing: if its memory is in a file afterwards
    :raises HypervisorError: if libvirt refuses
    """
    host.libvirt.define(domain_xml.in_anonymous_memory(
        host.libvirt.inactive_xml(server)))
    host.libvirt.restart(server)
    check(host, server)


def check(host, server):
    """Make sure that a guest's memory is in no file.

    :param host: the compute_host.ComputeHost where it runs
    :param server: UUID of the server
    :raises FactsMissing: if it is in one
    """
    found = [backend.mem_path for backend in host.memory_backends(server)
             if backend.type == _IN_FILES]
    if found:
        raise exceptions.FactsMissing(
            host.name, 'server %s in anonymous memory: it was started anew, '
            'and is in %s' % (server, ', '.join(map(str, found))))
