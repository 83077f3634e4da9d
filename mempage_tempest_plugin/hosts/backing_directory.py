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

"""Where libvirt makes the files that guests' memory is, by its own options."""

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import virconf

QEMU_CONF = '/etc/libvirt/qemu.conf'
#: libvirt's own, if it is told of no other.
DEFAULT = '/var/lib/libvirt/qemu/ram'


def configured(ssh, host):
    """Read which directory libvirt is told to take.

    :param ssh: ssh.SSHConnection of the host
    :param host: name of the host, for errors
    :returns: the path, or :data:`DEFAULT`; and whether :data:`QEMU_CONF` can
        be read
    :raises ConfigurationUnclear: if libvirt would refuse it
    :raises HostError: if the host cannot be reached
    """
    found = libvirt_root.execute(ssh, ['cat', QEMU_CONF], check=False)
    if found.status:
        return DEFAULT, False
    try:
        options = virconf.strings(found.stdout)
    except ValueError as error:
        raise exceptions.ConfigurationUnclear(
            host, '%s, %s' % (QEMU_CONF, error)) from error
    directory = options.get('memory_backing_dir', DEFAULT)
    if not directory or not directory.startswith('/'):
        raise exceptions.ConfigurationUnclear(
            host, '%s: memory_backing_dir is no absolute path' % QEMU_CONF)
    return directory, True
