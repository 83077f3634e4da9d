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

"""Scripts that run on hosts."""

import os
import shlex

DIRECTORY = os.path.dirname(__file__)


def read(name):
    """Get a script's text.

    :param name: of the file in :data:`DIRECTORY`
    """
    with open(os.path.join(DIRECTORY, name), encoding='utf-8') as stream:
        return stream.read()


def with_values(name, arguments=(), **values):
    """Get a shell script that knows some values.

    :param name: of the file in :data:`DIRECTORY`
    :param arguments: its positional parameters
    :param values: texts of shell variables by their names
    :returns: text for the standard input of a shell
    """
    lines = ['%s=%s' % (variable, shlex.quote(value))
             for variable, value in values.items()]
    return '\n'.join([*lines, 'set -- ' + shlex.join(arguments), read(name)])


def run(ssh, name, arguments=(), **values):
    """Run a shell script on a host, as root.

    It is not in the arguments of its process, where a search among processes
    would find it.

    :param ssh: ssh.SSHConnection of the host
    :param name: of the file in :data:`DIRECTORY`
    :param arguments: its positional parameters
    :param values: texts of shell variables by their names
    :returns: what it printed
    :raises HostError: if the host cannot be reached, or the script fails
    """
    return ssh.execute(
        ['sh', '-s'], stdin=with_values(name, arguments, **values),
        root=True).stdout
