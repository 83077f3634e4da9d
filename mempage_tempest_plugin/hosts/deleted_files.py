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

"""Files of guests that have no name any more, and take space all the same."""

import re

from mempage_tempest_plugin.hosts import libvirt_root

# As the kernel names them in the links of who has them.
_FOUND = re.compile(r'^/proc/(\d+)/\w+/\S+ (/.*) \(deleted\)$', re.M)


def holders(ssh, directories):
    """Find processes that still have deleted files of guests.

    Their space is taken until these end. What comes before the directories
    of guests may be spelled otherwise, as QEMU and whoever else has mapped a
    file have mounts of their own.

    :param ssh: ssh.SSHConnection of the host
    :param directories: names of guests' directories, as 7-instance-0000002a,
        in which * and [] are those of the shell
    :returns: dict by path of sorted lists of PIDs, of those who have the file
        open, or mapped
    :raises HostError: if the host cannot be reached or asked
    """
    links = [word for name in directories
             for word in ('-o', '-lname', '*/%s/* (deleted)' % name)]
    # A status other than 0 means just a process that ended.
    found = libvirt_root.execute(ssh, [
        'find', '/proc', '-maxdepth', '3',
        '(', '-path', '/proc/[0-9]*/fd/*',
        '-o', '-path', '/proc/[0-9]*/map_files/*', ')',
        '(', *links[1:], ')', '-printf', r'%p %l\n'], check=False).stdout
    known = {}
    for pid, path in _FOUND.findall(found):
        known.setdefault(path, set()).add(int(pid))
    return {path: sorted(pids) for path, pids in known.items()}
