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


"""Live migrations that Nova begins, and libvirt refuses."""

import contextlib
import functools

from tempest import exceptions
from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin.cloud import actions
from mempage_tempest_plugin.evidence import refused_late

# Seconds that Nova may need to clean up after a migration that has failed.
ROLLBACK_TIMEOUT = 30
# Seconds until Nova 32 and later say ERROR of a server that they have called
# ACTIVE once more. With Nova 30 and 31 it stays ACTIVE.
ERROR_TIMEOUT = 15


class Attempt:
    """A live migration of a test's server, which may be refused late.

    :param test: a base.BaseMoveTest, whose source's log is declared
    :param destination: the compute_host.ComputeHost to which it goes
    """

    def __init__(self, test, destination):
        self._test = test
        self._destination = destination
        self._pids = test.source.pids(test.server.uuid)
        self._end = test.source.log.end()
        # It keeps a connection, which ends with the process that has it.
        destination.libvirt.hostname()
        # Its status is ERROR then, but for a moment, or with Nova before 32.
        with contextlib.suppress(exceptions.BuildErrorException):
            test.migrate_live(destination)

    def has_moved(self):
        """Tell whether the server is at its destination."""
        found = self._test.cloud.server(self._test.server.uuid)
        return found.host == self._destination.name

    def check_refused(self, words):
        """Assert that libvirt refused it, and that only the status suffers.

        :param words: texts, one of which the reason has to have
        """
        test = self._test
        test_utils.call_until_true(
            self._is_in_error, test.source.declared.limit(ERROR_TIMEOUT),
            test.nova.client.build_interval)
        test.assert_soon_agrees(test.source, functools.partial(
            self._compare_refused, words), ROLLBACK_TIMEOUT)
        test.check_absent(self._destination)
        if self._is_in_error():
            test.nova.client.reset_state(test.server.uuid, state='active')
            test.wait_until_active(test.source)
        test.check_unmoved(self._pids)

    def _is_in_error(self):
        return self._test.cloud.server(
            self._test.server.uuid).status == 'ERROR'

    def _compare_refused(self, words, source):
        uuid = self._test.server.uuid
        return refused_late.compare(
            source.name, uuid, (
                self._test.cloud.server(uuid).status,
                actions.migration_status(self._test.migrations_client, uuid)),
            source.log.about(uuid, self._end), words,
            self._destination.libvirt.is_cut_off)
