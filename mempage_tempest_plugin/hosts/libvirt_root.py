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

"""The root directory of libvirt, which has QEMU's files.

Where libvirt is in a container, whoever logs in on the host has another one.
The container has to have the host's PIDs, as those of kolla have.
"""

from mempage_tempest_plugin.hosts import scripts

SCRIPT = 'libvirt_root.sh'


def execute(ssh, command, **options):
    """Run a command as root, with libvirt's root directory.

    :param ssh: ssh.SSHConnection of the host
    :param command: list of words
    :param options: as of ssh.SSHConnection.execute
    :returns: an ssh.Result
    :raises HostError: if the host cannot be reached, or the command fails
    """
    return ssh.execute(['sh', '-c', scripts.read(SCRIPT), SCRIPT, *command],
                       root=True, **options)


def run(ssh, name, arguments=(), **values):
    """Run a shell script as root, with libvirt's root directory.

    :param ssh: ssh.SSHConnection of the host
    :param name: of the file, as of scripts.run
    :param arguments: its positional parameters
    :param values: texts of shell variables by their names
    :returns: what it printed
    :raises HostError: if the host cannot be reached, or the script fails
    """
    return execute(ssh, ['sh', '-s'], stdin=scripts.with_values(
        name, arguments, **values)).stdout
