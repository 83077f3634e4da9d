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

"""Run nova-compute with other options for a while."""

import atexit
import time

from oslo_log import log as logging

from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import configuration
from mempage_tempest_plugin.hosts import service_log

LOG = logging.getLogger(__name__)

POLL = 0.5
# Seconds: less than any service_down_time that tests could be run with.
RECENT = 10
_SHOWN = 4000
# What a host runs with whose original options are back.
_ORIGINAL = object()


class NovaCompute:
    """nova-compute on one host."""

    def __init__(self, host, services, timeout):
        """Look at nothing yet.

        :param host: compute_host.ComputeHost whose declaration says how to
            reconfigure nova-compute
        :param services: compute_services.ComputeServices
        :param timeout: seconds within which nova-compute has to start
        """
        self.host = host
        self.configuration = configuration.Configuration(host)
        self._services = services
        self._timeout = timeout
        self._log = service_log.ServiceLog(host.ssh,
                                           host.declared.compute_log)
        self._restarting = None

    def restart(self, check=True):
        """Begin to restart it; :meth:`wait_until_restarted` is next.

        :param check: whether it is an error if the inventory's command
            fails. Some service managers wait for the end of a service that
            refuses to start, and fail.
        """
        if self._restarting:
            self._restarting.wait(check=False)
        self._service = self._services.host_of(self.host.name)
        self._log_before = self._log.end()
        self._check = check
        command = self.host.declared.compute_service.restart
        # What fails may say so on any of both.
        self._restarting = self.host.ssh.start(
            ['sh', '-c', 'exec >&2; ' + command], root=True)

    def wait_until_restarted(self):
        """Wait until the process before is gone.

        :raises HostCommandFailed: if the inventory's command fails
        """
        if self._restarting is None:
            return
        restarting, self._restarting = self._restarting, None
        restarting.wait(self._check)
        # What has been reported, and how a process died, was before.
        self._last_report = self._services.report(self._service)
        self._log_after = self._log.end()

    def put_back(self):
        """Begin to restart it with its original configuration.

        The original is kept until :meth:`finish`: whoever is interrupted
        before that can begin again.
        """
        self.configuration.put_back()
        self.restart()

    def finish(self):
        """Wait until it is up with its original configuration."""
        self.wait_until_up()
        self.configuration.forget()

    def log(self):
        """Get its log since the last restart."""
        return self._log.since(self._log_before)

    def wait_until_up(self):
        """Wait until it answers Nova since the restart.

        Its next report would come seconds later. That is waited for where
        Nova would soon take it for down without.

        :raises ServiceNotUp: if it dies or says nothing in time
        :raises HostCommandFailed: if the inventory's command fails
        """
        reason = 'has not answered in %d s' % self._timeout
        for _ in self._moments():
            if (self._services.answers(self.host.name)
                    and self._counts_as_up_for_long()):
                return
            if ' CRITICAL ' in self._log.since(self._log_after):
                reason = 'dies when it starts'
                break
        raise exceptions.ServiceNotUp(self.host.name, reason,
                                      self.log()[-_SHOWN:])

    def wait_until_refused(self, words):
        """Wait until it has refused to start.

        :param words: what it has to write to its log
        :returns: the log since the restart
        :raises ServiceNotRefused: if it starts, or does not say that in time
        """
        reason = 'has not done so in %d s' % self._timeout
        for _ in self._moments():
            log = self.log()
            if words in log:
                return log
            if self._has_reported():
                reason = 'it started'
                break
        raise exceptions.ServiceNotRefused(self.host.name, words, reason,
                                           self.log()[-_SHOWN:])

    def wait_until_down(self):
        """Wait until nova knows that it is down.

        :raises ServiceNotDown: if nova does not in time
        """
        state = None
        for _ in self._moments():
            state = self._services.report(self._service).state
            if state == 'down':
                return
        raise exceptions.ServiceNotDown(self.host.name, state, self._timeout,
                                        self.log()[-_SHOWN:])

    def _moments(self):
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            yield
            time.sleep(POLL)

    def _counts_as_up_for_long(self):
        return (self._services.report(self._service).behind < RECENT
                or self._has_reported())

    def _has_reported(self):
        report = self._services.report(self._service)
        return (report.state == 'up'
                and report.updated_at != self._last_report.updated_at)


def restart(host, services, timeout):
    """Restart nova-compute with the configuration that it has.

    :param host: compute_host.ComputeHost whose declaration says how
    :param services: compute_services.ComputeServices
    :param timeout: seconds within which nova-compute has to start
    """
    compute = NovaCompute(host, services, timeout)
    compute.restart()
    compute.wait_until_restarted()


class Reconfiguration:
    """Hosts that run nova-compute with other options, until :meth:`restore`.

    What is still changed when the process ends is put back then. If it is
    killed, the originals are still on the hosts: see :func:`left`.
    """

    def __init__(self, services, timeout):
        """Change nothing yet.

        :param services: compute_services.ComputeServices
        :param timeout: seconds within which nova-compute has to start
        """
        self._services = services
        self._timeout = timeout
        self._computes = {}
        self._changes = {}

    def apply(self, changes):
        """Let some hosts run with other options, all others as they were.

        Nothing is restarted that runs with the same options already.

        :param changes: dict by compute_host.ComputeHost of dicts as of
            ini.edit; they change the original, not what was applied before
        :raises OriginalKept: if somebody else is reconfiguring a host
        :raises HostError: if nova-compute on a host does not start
        """
        leaving = [self._computes[host] for host in self._changes
                   if host not in changes]
        for compute in leaving:
            self._start_original(compute)
        started = [self._start(host, options)
                   for host, options in changes.items()
                   if self._changes.get(host) != options]
        for compute in leaving + started:
            compute.wait_until_restarted()
        for compute in started:
            compute.wait_until_up()
            self._changes[compute.host] = changes[compute.host]
        for compute in leaving:
            self._finish_original(compute)

    def apply_refused(self, refusals):
        """Give hosts options with which nova-compute must not start.

        So they stay until :meth:`restore`, or until they get other options.

        :param refusals: dict by compute_host.ComputeHost of pairs: a dict as
            of ini.edit, and what nova-compute has to write to its log
        :returns: dict by host of what disagrees: a HostError, or None if it
            refused to start and said that
        """
        computes = [self._start(host, options, check=False)
                    for host, (options, _) in refusals.items()]
        for compute in computes:
            compute.wait_until_restarted()
        return {compute.host: _error_of(compute.wait_until_refused,
                                        refusals[compute.host][1])
                for compute in computes}

    def wait_until_down(self, host):
        """Wait until nova knows that nova-compute is down.

        :param host: compute_host.ComputeHost that refused to start
        :returns: a HostError, or None if nova knew it in time
        """
        return _error_of(self._computes[host].wait_until_down)

    def log_of(self, host):
        """Get the log of nova-compute since it was restarted here.

        :param host: compute_host.ComputeHost that was reconfigured
        :returns: text
        """
        return self._computes[host].log()

    def _start(self, host, options, check=True):
        if not self._changes:
            atexit.register(self.restore)
        compute = self._computes.setdefault(
            host, NovaCompute(host, self._services, self._timeout))
        if host not in self._changes:
            compute.configuration.keep()
        # It is not known what it runs with before it is up.
        self._changes[host] = None
        compute.configuration.change(options)
        compute.restart(check)
        return compute

    def restore(self, hosts=None):
        """Let hosts run with their original options.

        :param hosts: list of compute_host.ComputeHost, if not all
        :raises: the error of the first host that failed; all are tried
        """
        failures = _on_each([self._computes[host] for host in self._changes
                             if hosts is None or host in hosts],
                            self._start_original,
                            NovaCompute.wait_until_restarted,
                            self._finish_original)
        for error in failures.values():
            raise error

    def _start_original(self, compute):
        if self._changes[compute.host] is not _ORIGINAL:
            compute.put_back()
            self._changes[compute.host] = _ORIGINAL

    def _finish_original(self, compute):
        compute.finish()
        del self._changes[compute.host]
        if not self._changes:
            atexit.unregister(self.restore)


def _error_of(wait, *arguments):
    """Wait for something, and return the error if it did not come."""
    try:
        wait(*arguments)
    except (exceptions.ServiceNotRefused, exceptions.ServiceNotDown) as error:
        return error
    return None


def left(hosts, services, timeout):
    """Find hosts whose original configuration somebody has left behind.

    :param hosts: list of compute_host.ComputeHost
    :param services: compute_services.ComputeServices
    :param timeout: seconds within which nova-compute has to start
    :returns: list of :class:`NovaCompute`, for :func:`put_back`
    :raises HostError: if a host cannot be reached
    """
    computes = [NovaCompute(host, services, timeout) for host in hosts
                if host.declared.compute_service]
    return [compute for compute in computes
            if compute.configuration.is_kept()]


def put_back(computes):
    """Put back original configurations, at the same time.

    :param computes: list of :class:`NovaCompute`
    :returns: dict by host name of the exceptions of those that failed
    """
    return _on_each(computes, NovaCompute.put_back,
                    NovaCompute.wait_until_restarted, NovaCompute.finish)


def _on_each(computes, *steps):
    """Take each step on all hosts that have not failed yet."""
    failures = {}
    for step in steps:
        for compute in computes:
            if compute.host.name in failures:
                continue
            try:
                step(compute)
            except Exception as error:
                LOG.exception('Putting back the configuration of %s',
                              compute.host.name)
                failures[compute.host.name] = error
    return failures
