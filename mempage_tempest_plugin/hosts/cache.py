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

"""How much of a backing file is in a host's page cache."""

import dataclasses
import json

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import libvirt_root
from mempage_tempest_plugin.hosts import scripts

SCRIPT = 'evict.py'
# How a shell ends that finds no such command, or none that it can run.
_NOT_FOUND = (126, 127)


@dataclasses.dataclass(frozen=True)
class Cached:
    """Pages of a file in the page cache.

    :ivar pages: of the whole file
    :ivar cached: of them, in the page cache
    :ivar method: the system call that told it
    :ivar fsync: the error that fsync met with, or None
    :ivar page: bytes of a page
    """

    pages: int
    cached: int
    method: str
    fsync: str | None
    page: int


def unable(host):
    """Tell why a host cannot push files out of its page cache.

    :param host: the compute_host.ComputeHost
    :returns: a sentence; None if it can
    :raises HostError: if the host cannot be reached, or asked
    """
    result = _execute(host, check=False)
    if result.status in _NOT_FOUND:
        return 'it has no python3: %s' % result.stderr.strip()
    if result.status:
        raise exceptions.HostCommandFailed(host.name, result)
    lacking = _parse(host, result)
    return 'its kernel lacks %s' % lacking if lacking else None


def look(host, path):
    """Look how much of a file is in the page cache.

    :param host: the compute_host.ComputeHost
    :param path: the file
    :returns: :class:`Cached`
    :raises HostError: if the host cannot tell
    """
    return _run(host, path, 'look')


def evict(host, path, pids):
    """Push a file out of the page cache, as far as the kernel lets it go.

    Pages that a process is just using stay: pause the guest before.

    :param host: the compute_host.ComputeHost
    :param path: the file
    :param pids: who has mapped it
    :returns: :class:`Cached`
    :raises HostError: if the host cannot do it
    """
    return _run(host, path, 'evict', *(str(pid) for pid in pids))


def _run(host, *arguments):
    found = _parse(host, _execute(host, *arguments))
    try:
        return Cached(**found)
    except TypeError as error:
        raise _unclear(host, found) from error


def _execute(host, *arguments, **options):
    return libvirt_root.execute(
        host.ssh, ['python3', '-', *arguments], stdin=scripts.read(SCRIPT),
        **options)


def _parse(host, result):
    try:
        return json.loads(result.stdout)
    except ValueError as error:
        raise _unclear(host, result.stdout) from error


def _unclear(host, found):
    return exceptions.FactsMissing(host.name,
                                   'the page cache: %.200r' % (found,))
