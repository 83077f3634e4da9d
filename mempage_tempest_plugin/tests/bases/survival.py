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


"""Whether an operation really happened, and what is left in the memory."""

from oslo_utils import units
from tempest.lib.common.utils import data_utils

from mempage_tempest_plugin.evidence import fates

# Where the mark is in large RAM, from its first byte: where QEMU can be asked.
_OFFSET = units.Gi


def write_mark(host, server):
    """Write a text into a guest's memory that is nowhere else.

    No guest may use it: one with an operating system would crash.

    :param host: the compute_host.ComputeHost where the guest runs
    :param server: the servers.RequestedServer
    :returns: the text
    """
    mark = 'MARK-' + data_utils.rand_uuid_hex()
    host.write_memory(server.uuid, _offset(server), mark)
    return mark


def read_mark(host, server, mark):
    """Read what is in a guest's memory where a mark was written.

    :param host: the compute_host.ComputeHost where the guest runs
    :param server: the servers.RequestedServer
    :param mark: what :func:`write_mark` returned
    :returns: a text of the same length
    """
    return host.read_memory(server.uuid, _offset(server), len(mark)).decode(
        'ascii', 'replace')


def find(host, memory, text, guests):
    """Look where a text is: in a guest's memory, and in files of a store.

    :param host: the compute_host.ComputeHost where the guest runs
    :param memory: the guest's fates.Memory
    :param text: the text
    :param guests: UUIDs of guests in whose files it may be looked for
    :returns: dict of numbers of copies by path
    """
    found = host.count_in_memory(
        memory.pids[0], [path for path, _ in memory.files], [text]
    ) if memory.files else {}
    if host.declared.file_backed:
        found |= host.count_in_files([text], guests)
    return {path: counts[text] for path, counts in found.items()}


def _offset(server):
    return min(server.ram_mib * units.Mi // 2, _OFFSET)


class Survival:
    """The memory of guests without operating system over operations.

    Its methods are steps of a test, or make some: functions of a
    compute_host.ComputeHost.

    :param test: a base.BaseMemoryTest
    """

    def __init__(self, test):
        self._test = test
        self._before = {}
        # Texts in the guests' memory by the host's name.
        self._marks = {}

    def note(self, host):
        """Remember who has the memory of the host's server."""
        self._before[host.name] = fates.look(host, self._uuid(host))

    def mark(self, host):
        """Write something into the memory of the host's server, too.

        As of :func:`write_mark`.
        """
        self.note(host)
        self._write_mark(host)

    def check(self, operation, fate):
        """Make the step that looks at the memory after an operation.

        :param operation: what was done with the servers, for people
        :param fate: the fates.Fate that their memory must have
        :returns: a function of a compute_host.ComputeHost
        """
        def check(host):
            before = self._before[host.name]
            self.note(host)
            comparison = fates.compare(
                host.name, self._uuid(host), operation, fate, before,
                self._before[host.name])
            mark = self._marks.get(host.name)
            if mark:
                self._compare_content(comparison, host, mark, fate)
            self._test.assert_agrees(comparison)
            if mark and not fate.content:
                self._write_mark(host)

        check.__name__ = 'memory after %s' % operation
        return check

    def checks(self, step):
        """Make the steps that look at the memory after a steps.Step.

        :param step: the steps.Step
        :returns: as of :meth:`check`, in a list; empty if no guest runs then
        """
        return [self.check(step.method, step.fate)] if step.runs else []

    def _uuid(self, host):
        return self._test.server_on(host).uuid

    def _write_mark(self, host):
        mark = self._marks[host.name] = write_mark(
            host, self._test.server_on(host))
        # What cannot find it now could never tell that it is gone.
        self._test.assertNotEqual(
            {}, self._found(host, mark), 'mark in the memory of server %s on '
            'host %s' % (self._uuid(host), host.name))

    def _compare_content(self, comparison, host, mark, fate):
        if fate.content:
            comparison.equal(
                'QEMU', 'what was written into the memory', mark,
                read_mark(host, self._test.server_on(host), mark))
        else:
            comparison.equal('kernel', 'what was written into the memory is '
                             'found in', {}, self._found(host, mark))

    def _found(self, host, mark):
        return find(host, self._before[host.name], mark,
                    [server.uuid for server in self._test.servers])
