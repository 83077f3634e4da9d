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

"""Running commands."""

import subprocess

from mempage_lab import errors

PATH = '/usr/sbin:/usr/bin:/sbin:/bin'


def run(*command, **kwargs):
    """Run a command and return what it printed.

    :param command: the words of the command
    :param kwargs: passed on to :func:`subprocess.run`
    :returns: standard output and standard error together, as text
    :raises CommandFailed: if it ends with a non-zero status
    """
    command = [str(word) for word in command]
    kwargs.setdefault('stdin',
                      None if 'input' in kwargs else subprocess.DEVNULL)
    if kwargs['stdin'] is None:
        del kwargs['stdin']
    result = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, **kwargs)
    if result.returncode:
        raise errors.CommandFailed(command, result.returncode, result.stdout)
    return result.stdout
