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

"""Restarts of nova-compute."""

from tempest.lib.common.utils import test_utils

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import redact

POLL = 0.5
# Seconds until a process that is told to end is gone: systemd kills it after
# 90, and not all commands to restart it wait for that.
GONE_TIMEOUT = 120
_SHOWN = 4000


class NovaCompute:
    """nova-compute on one host."""

    def __init__(self, host, services, timeout):
        """Look at nothing yet.

        :param host: compute_host.ComputeHost whose declaration says how to
            restart nova-compute
        :param services: nova_services.ComputeServices
        :param timeout: seconds within which nova-compute has to start
        """
        self._host = host
        self._services = services
        self._timeout = timeout
        self._last = None

    def restart(self, check=True):
        """Begin to restart it, once an earlier restart is over.

        :param check: whether it is an error if the inventory's command
            fails. Some service managers wait for the end of a service that
            refuses to start, and fail.
        :returns: a :class:`Restart`
        """
        if self._last:
            self._last.end()
        self._last = Restart(self._host, self._services, self._timeout,
                             check)
        return self._last


class Restart:
    """A restart of nova-compute on one host, which goes on."""

    def __init__(self, host, services, timeout, check=True):
        """Begin it.

        :param host: compute_host.ComputeHost whose declaration says how
        :param services: nova_services.ComputeServices
        :param timeout: seconds within which nova-compute has to start on a
            host that is not declared to be slow
        :param check: as of :meth:`NovaCompute.restart`
        """
        self._host = host
        self._services = services
        self._timeout = host.declared.limit(timeout)
        self._check = check
        self._service = services.host_of(host.name)
        self._log = host.log
        self._begin = self._log.end()
        # What the process before has reported, and where its log ends.
        self._before = services.report(self._service)
        self._start = self._begin
        self._processes = self._running()
        # What fails may say so on any of both.
        self._command = host.ssh.start(
            ['sh', '-c',
             'exec >&2; ' + host.declared.compute_service.restart], root=True)

    def wait(self):
        """Wait until the process before is gone.

        The other methods that wait begin with that.

        :raises HostCommandFailed: if the inventory's command fails
        :raises ServiceNotRestarted: if it leaves the process alone
        """
        if self._command is None:
            return
        self._wait_for_command(self._check)
        if not test_utils.call_until_true(
                self._is_gone, self._host.declared.limit(GONE_TIMEOUT), POLL):
            raise exceptions.ServiceNotRestarted(
                self._host.name, nova_config.PROGRAM,
                self._host.declared.compute_service.restart,
                'the process of before (PID %s) is still there' % ', '.join(
                    pid for pid, _ in self._processes & self._running()))
        # It has reported, and perhaps died with words, until now.
        self._before = self._services.report(self._service)
        self._start = self._log.end()

    def end(self):
        """Wait until the inventory's command is over, whatever it did."""
        if self._command is not None:
            self._wait_for_command(check=False)

    def log(self):
        """Get what nova-compute has logged since this began.

        :returns: text
        """
        return self._log.since(self._begin)

    def wait_until_up(self):
        """Wait until it answers Nova, and counts as up.

        :raises ServiceNotUp: if it dies or says nothing in time
        :raises HostCommandFailed: if the inventory's command fails
        """
        if not self._wait_for(self._is_up):
            raise self._not_up('has not answered in %d s' % self._timeout)

    def wait_until_refused(self, words):
        """Wait until it has refused to start.

        :param words: what it has to write to its log
        :returns: the log since the restart
        :raises ServiceStarted: if it starts
        :raises ServiceNotRefused: if it does not say that in time
        """
        if not self._wait_for(self._says, words):
            raise exceptions.ServiceNotRefused(
                self._host.name, words,
                'has not done so in %d s' % self._timeout, self._end_of_log())
        return self.log()

    def wait_until_down(self):
        """Wait until nova knows that it is down.

        :raises ServiceNotDown: if nova does not in time
        """
        if not self._wait_for(self._is_down):
            raise exceptions.ServiceNotDown(
                self._host.name, self._report().state, self._timeout,
                self._end_of_log())

    def _wait_for_command(self, check):
        # It can be waited for only once, even if that fails.
        command, self._command = self._command, None
        command.wait(check)

    def _wait_for(self, ready, *arguments):
        self.wait()
        return test_utils.call_until_true(ready, self._timeout, POLL,
                                          *arguments)

    def _running(self):
        return {process.identity
                for process in nova_config.processes(self._host.ssh)}

    def _is_gone(self):
        return self._processes.isdisjoint(self._running())

    def _is_up(self):
        if self._services.is_up_again(self._host.name, self._before):
            return True
        if ' CRITICAL ' in self._log.since(self._start):
            raise self._not_up('dies when it starts')
        return False

    def _says(self, words):
        if words in self.log():
            return True
        if self._report().is_newer_than(self._before):
            raise exceptions.ServiceStarted(
                self._host.name, words, 'it started', self._end_of_log())
        return False

    def _is_down(self):
        return self._report().state == 'down'

    def _report(self):
        return self._services.report(self._service)

    def _not_up(self, reason):
        return exceptions.ServiceNotUp(self._host.name, reason,
                                       self._end_of_log())

    def _end_of_log(self):
        return redact.mask(self.log())[-_SHOWN:]


def restart(host, services, timeout):
    """Restart nova-compute with the configuration that it has.

    :param host: compute_host.ComputeHost whose declaration says how
    :param services: nova_services.ComputeServices
    :param timeout: seconds within which nova-compute has to start
    :raises HostCommandFailed: if the inventory's command fails
    :raises ServiceNotRestarted: if it leaves the process alone
    """
    Restart(host, services, timeout).wait()
