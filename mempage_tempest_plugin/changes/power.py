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

"""Boots hosts again, in order or by cutting their power."""

import subprocess

from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin import exceptions


def run(host, command, limit):
    """Run a command that boots a host again, and wait until ssh answers.

    :param host: the compute_host.ComputeHost
    :param command: a command line for the shell of this machine
    :param limit: seconds until the command has ended, and again until the
        host answers
    :raises HostError: if the command fails, takes longer, or the host has not
        booted
    """
    before = host.survey().boot
    host.close()
    try:
        done = subprocess.run(command, shell=True, timeout=limit, text=True,
                              stdin=subprocess.DEVNULL, errors='replace',
                              capture_output=True)
    except subprocess.TimeoutExpired as error:
        raise exceptions.HostError(host.name, '%s: has not ended in %d s' % (
            command, limit)) from error
    if done.returncode:
        raise exceptions.HostError(host.name, '%s: status %d: %s' % (
            command, done.returncode, done.stdout + done.stderr))
    if not test_utils.call_until_true(_answers, limit, 1, host):
        raise exceptions.HostError(
            host.name, '%s: no answer in %d s' % (command, limit))
    if host.survey().boot == before:
        raise exceptions.HostError(
            host.name, '%s: has not booted again' % command)


def _answers(host):
    try:
        host.survey()
    except exceptions.HostUnreachable:
        return False
    return True
