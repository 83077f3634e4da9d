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
import enum
import functools

from oslo_concurrency import lockutils
from oslo_log import log as logging

from mempage_tempest_plugin.changes import configuration
from mempage_tempest_plugin.changes import nova_compute
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import nova_config
from mempage_tempest_plugin.hosts import several

LOG = logging.getLogger(__name__)


class State(enum.Enum):
    """What is configured on a host."""

    #: What the operator has configured; nothing else is kept.
    ORIGINAL = enum.auto()
    #: Other options. nova-compute may be up with them, or refuse them.
    CHANGED = enum.auto()
    #: The original again; nova-compute is not known to be up with it.
    PUT_BACK = enum.auto()


class ReconfiguredHost:
    """A host whose nova-compute runs with other options for a while.

    :ivar host: the compute_host.ComputeHost
    :ivar state: a :class:`State`
    :ivar options: those with which it is known to be up, as of ini.edit;
        None for none
    """

    def __init__(self, host, services, timeout):
        """Look at nothing yet.

        :param host: compute_host.ComputeHost whose declaration says how to
            reconfigure nova-compute
        :param services: nova_services.ComputeServices
        :param timeout: seconds within which nova-compute has to start
        """
        self.host = host
        self.state = State.ORIGINAL
        self.options = None
        self._configuration = configuration.Configuration(host)
        self._compute = nova_compute.NovaCompute(host, services, timeout)
        self._restart = None

    def is_left(self):
        """Tell whether somebody has changed it and not put it back."""
        return self._configuration.is_kept()

    def keep(self):
        """Keep the original, before the first change.

        :raises OriginalKept: if somebody else has changed it and not put it
            back
        """
        if self.state is State.ORIGINAL:
            self._configuration.keep()
            self.state = State.CHANGED

    def change(self, options, check=True):
        """Begin to restart nova-compute with other options.

        :param options: dict as of ini.edit
        :param check: as of nova_compute.NovaCompute.restart
        """
        self.state = State.CHANGED
        self.options = None
        self._configuration.change(options)
        self._restart = self._compute.restart(check)

    def put_back(self):
        """Begin to restart nova-compute with its original configuration.

        The original is kept until :meth:`finish`: whoever is interrupted
        before that can begin again.
        """
        self.options = None
        if self.state is not State.PUT_BACK:
            self._configuration.put_back()
            self._restart = self._compute.restart()
            self.state = State.PUT_BACK

    def wait_until_restarted(self):
        """Wait until the process with other options is gone."""
        self._restart.wait()

    def wait_until_up(self, options):
        """Wait until nova-compute is up, with its options.

        :param options: what it was given with :meth:`change`
        :raises OptionNotRead: if it reads others
        """
        self._restart.wait_until_up()
        self._check_read(options)
        self.options = options

    def _check_read(self, options):
        if options:
            nova_config.check_read(
                self.host.ssh, self.host.name,
                self.host.declared.compute_service.config, options)

    def finish(self):
        """Wait until nova-compute is up with its original configuration."""
        self._restart.wait_until_up()
        self._configuration.forget()
        self.state = State.ORIGINAL

    def wait_until_refused(self, options, words):
        """Wait until nova-compute has refused its options.

        :param options: what it was given with :meth:`change`
        :param words: what it has to write to its log
        :returns: a HostError, or None if it did
        """
        return _error_of(self._wait_until_refused, options, words)

    def _wait_until_refused(self, options, words):
        try:
            self._restart.wait_until_refused(words)
        except exceptions.ServiceStarted:
            # Perhaps with others.
            self._check_read(options)
            raise

    def wait_until_down(self):
        """Wait until nova knows that nova-compute is down.

        :returns: a HostError, or None if nova knew it in time
        """
        return _error_of(self._restart.wait_until_down)

    def log(self):
        """Get the log of nova-compute since the last restart.

        :returns: text
        """
        return self._restart.log()


class Reconfiguration:
    """Hosts that run nova-compute with other options, until :meth:`restore`.

    What is still changed when the process ends is put back then. If it is
    killed, the originals are still on the hosts: see :func:`left`.
    """

    def __init__(self, services, timeout):
        """Change nothing yet.

        :param services: nova_services.ComputeServices
        :param timeout: seconds within which nova-compute has to start
        """
        self._services = services
        self._timeout = timeout
        self._hosts = {}

    def apply(self, changes):
        """Let some hosts run with other options, all others as they were.

        Nothing is restarted that runs with the same options already.

        :param changes: dict by compute_host.ComputeHost of dicts as of
            ini.edit; they change the original, not what was applied before
        :raises OriginalKept: if somebody else is reconfiguring a host
        :raises OptionNotRead: if another file of a host says otherwise
        :raises HostError: if nova-compute on a host does not start
        """
        leaving = [changed for changed in self._changed()
                   if changed.host not in changes]
        for changed in leaving:
            changed.put_back()
        starting = [self._change(host, options)
                    for host, options in changes.items()
                    if not self._runs_with(host, options)]
        for changed in leaving + starting:
            changed.wait_until_restarted()
        for changed in starting:
            changed.wait_until_up(changes[changed.host])
        for changed in leaving:
            self._finish(changed)

    def apply_refused(self, refusals):
        """Give hosts options with which nova-compute must not start.

        So they stay until :meth:`restore`, or until they get other options.

        :param refusals: dict by compute_host.ComputeHost of pairs: a dict as
            of ini.edit, and what nova-compute has to write to its log
        :returns: dict by host of what disagrees: a HostError, or None if it
            refused to start and said that
        """
        starting = [self._change(host, options, check=False)
                    for host, (options, _) in refusals.items()]
        for changed in starting:
            changed.wait_until_restarted()
        return {changed.host: changed.wait_until_refused(
            *refusals[changed.host]) for changed in starting}

    def wait_until_down(self, host):
        """Wait until nova knows that nova-compute is down.

        :param host: compute_host.ComputeHost that refused to start
        :returns: a HostError, or None if nova knew it in time
        """
        return self._hosts[host].wait_until_down()

    def log_of(self, host):
        """Get the log of nova-compute since it was restarted here.

        :param host: compute_host.ComputeHost that was reconfigured
        :returns: text
        """
        return self._hosts[host].log()

    def restore(self, hosts=None):
        """Let hosts run with their original options.

        :param hosts: list of compute_host.ComputeHost, if not all
        :raises: the error of the host that failed, or
            fixtures.MultipleExceptions if several did; all are tried
        """
        exceptions.raise_all(_on_each(
            [changed for changed in self._changed()
             if hosts is None or changed.host in hosts],
            ReconfiguredHost.put_back, ReconfiguredHost.wait_until_restarted,
            self._finish).values())

    def _changed(self):
        return [each for each in self._hosts.values()
                if each.state is not State.ORIGINAL]

    def _runs_with(self, host, options):
        return host in self._hosts and self._hosts[host].options == options

    def _change(self, host, options, check=True):
        if not self._changed():
            atexit.register(self.restore)
        changed = self._hosts.get(host) or ReconfiguredHost(
            host, self._services, self._timeout)
        changed.keep()
        # From here on it has to be put back.
        self._hosts[host] = changed
        changed.change(options, check)
        return changed

    def _finish(self, changed):
        changed.finish()
        if not self._changed():
            atexit.unregister(self.restore)


def _error_of(wait, *arguments):
    """Wait for something, and return the error if it did not come."""
    try:
        wait(*arguments)
    except (exceptions.ServiceNotRefused, exceptions.ServiceNotDown,
            exceptions.OptionNotRead) as error:
        return error
    return None


def left(hosts, services, timeout, ask):
    """Find hosts whose original configuration somebody has left behind.

    :param hosts: list of compute_host.ComputeHost
    :param services: nova_services.ComputeServices
    :param timeout: seconds within which nova-compute has to start
    :param ask: several.ask, with the arguments that are the caller's
    :returns: list of :class:`ReconfiguredHost`, for :func:`put_back`
    """
    found = {host: ReconfiguredHost(host, services, timeout)
             for host in hosts if host.declared.compute_service}
    answers = ask(list(found), lambda host: found[host].is_left())
    return [found[host] for host, is_left in answers if is_left]


def put_back(found):
    """Put back original configurations, at the same time.

    :param found: list of :class:`ReconfiguredHost`
    :returns: dict by host name of the exceptions of those that failed
    """
    return _on_each(found, ReconfiguredHost.put_back,
                    ReconfiguredHost.wait_until_restarted,
                    ReconfiguredHost.finish)


def put_back_left(hosts, services, timeout, lock_path, limit):
    """Put back what a killed run has changed on hosts.

    :param hosts: list of compute_host.ComputeHost
    :param services: nova_services.ComputeServices
    :param timeout: seconds within which nova-compute has to start
    :param lock_path: directory of the lock that keeps others from doing so
        at the same time
    :param limit: how many hosts may be asked at the same time
    :raises HostError: if a host cannot be reached
    :raises MultipleExceptions: if some could not be put back
    """
    with lockutils.lock('mempage-put-back', external=True,
                        lock_path=lock_path):
        failures = put_back(left(
            hosts, services, timeout,
            functools.partial(several.ask, limit=limit)))
    exceptions.raise_all(failures.values())


def _on_each(found, *steps):
    """Take each step on all hosts that have not failed yet."""
    failures = {}
    for step in steps:
        for each in found:
            if each.host.name in failures:
                continue
            try:
                step(each)
            except Exception as error:
                LOG.exception('Putting back the configuration of %s',
                              each.host.name)
                failures[each.host.name] = error
    return failures
