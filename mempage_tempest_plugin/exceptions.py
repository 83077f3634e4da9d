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

"""Errors that name the host or the file they are about."""

import fixtures
from tempest.lib import exceptions as lib_exc


class MempageError(lib_exc.TempestException):
    """Base of all errors of this plugin."""

    # So a message may have percent signs.
    message = '%(message)s'

    def __init__(self, message):
        super().__init__(message=message)


class InventoryError(MempageError):
    """The host inventory cannot be used."""

    def __init__(self, path, problems):
        self.path = path
        self.problems = problems
        super().__init__('host inventory %s: %s'
                         % (path, '; '.join(problems)))


class DocumentError(MempageError):
    """A document is not what it should be."""

    def __init__(self, what, problem):
        super().__init__('%s: %s' % (what, problem))


class ResultsError(MempageError):
    """Results of a run do not tell what they are asked for."""

    def __init__(self, path, problem):
        self.path = path
        super().__init__('results %s: %s' % (path, problem))


class RunError(MempageError):
    """A run of each host cannot begin as it was asked for."""


class TestsRunning(MempageError):
    """Tests are running that must not be disturbed."""

    def __init__(self, who):
        self.who = who
        super().__init__(
            'tests are running, %s: what they use would be removed. Wait for '
            'their end' % who)


class LeaseTimeout(MempageError):
    """Others have leases of a resource, and keep them for too long."""

    def __init__(self, resource, kind, holders, seconds):
        self.resource = resource
        self.kind = kind
        self.holders = holders
        self.seconds = seconds
        super().__init__('no %s lease of %s within %d s: it is %s' % (
            kind, resource, seconds, holders))


class QuotaNotLifted(MempageError):
    """A service does not let its quotas be lifted."""

    def __init__(self, service, project, limits):
        self.limits = limits
        super().__init__(
            'tests need more servers at the same time than project %s may '
            'have, and the %s service ignores that its quotas are lifted '
            '(limits still: %s). With [quota] driver = '
            'nova.quota.UnifiedLimitsDriver, Nova takes them from Keystone: '
            'set the registered limits of servers, class:VCPU and '
            'class:MEMORY_MB to -1 for these tests, or run them on fewer '
            'hosts ([mempage] hosts)' % (project, service, ', '.join(
                '%s %s' % item for item in sorted(limits.items()))))


class HostError(MempageError):
    """Something is wrong with one compute host."""

    def __init__(self, host, message):
        self.host = host
        super().__init__('host %s: %s' % (host, message))


class HostUnreachable(HostError):
    """A compute host does not answer, or is not who it claims to be."""

    def __init__(self, host, address, reason):
        self.address = address
        self.reason = reason
        super().__init__(host, 'unreachable at %s: %s' % (address, reason))


class HostCommandFailed(HostError):
    """A command on a compute host ended with a status other than 0."""

    def __init__(self, host, result):
        self.result = result
        super().__init__(host, 'command %r ended with status %d: %s' % (
            result.command, result.status,
            result.stderr.strip() or 'no error output'))


class HostCommandTimeout(HostError):
    """A command on a compute host stayed silent for too long."""

    def __init__(self, host, command, timeout):
        self.command = command
        self.timeout = timeout
        super().__init__(host, 'command %r was silent for %d s'
                         % (command, timeout))


class HypervisorError(HostError):
    """libvirt on a compute host refuses or cannot be reached."""


class DomainGone(HypervisorError):
    """libvirt on a compute host has no such domain."""


class FactsMissing(HostError):
    """An answer from a compute host lacks what was asked for."""


class ConfigurationUnclear(HostError):
    """A service on a compute host would refuse its configuration."""

    def __init__(self, host, problem):
        super().__init__(host, 'its configuration cannot be understood: %s'
                         % problem)


class StoreNotMounted(HostError):
    """The declared backing store of a compute host is not there."""

    def __init__(self, host, mount):
        self.mount = mount
        super().__init__(host, 'nothing is mounted at %s, where the backing '
                         'store is declared' % mount)


class OriginalKept(HostError):
    """Somebody else has changed the configuration of a host."""

    def __init__(self, host, config):
        self.config = config
        super().__init__(host, (
            '%(config)s was changed, and its original is still kept in '
            '%(config)s.mempage-original. Either other tests are changing it '
            'now, or they were killed: "mempage-tempest cleanup" puts it back'
            % {'config': config}))


class OptionNotRead(HostError):
    """nova-compute reads another value than its configuration was given."""

    def __init__(self, host, option, changed, wanted, found, files):
        self.option = option
        self.files = files
        super().__init__(host, (
            '%s was %s in %s (services.nova-compute.config of the '
            'inventory), but nova-compute reads %s. %s' % (
                option, 'removed' if wanted is None
                else 'set to %s' % _values(wanted), changed,
                _values(found), _advice(files, changed))))


class ServiceNotRestarted(HostError):
    """The command to restart a service has restarted something else."""

    def __init__(self, host, service, command, who):
        super().__init__(host, (
            'services.%s.restart of the inventory, %r, has ended, but %s: '
            'it restarts something else, or nothing' % (
                service, command, who)))


class ServiceNotUp(HostError):
    """nova-compute did not start with the configuration that it was given."""

    def __init__(self, host, reason, log):
        self.log = log
        super().__init__(host, 'nova-compute %s; the end of its log:\n%s' % (
            reason, log))


class ServiceNotRefused(HostError):
    """nova-compute did not refuse the configuration that it was given."""

    def __init__(self, host, words, reason, log):
        self.log = log
        super().__init__(host, (
            'nova-compute was expected to refuse to start and to log %r, but '
            '%s; the end of its log:\n%s' % (words, reason, log)))


class ServiceStarted(ServiceNotRefused):
    """nova-compute started with a configuration that it has to refuse."""


class ServiceNotDown(HostError):
    """nova-compute refused to start, and nova does not know it."""

    def __init__(self, host, state, timeout, log):
        self.log = log
        super().__init__(host, (
            'nova-compute refuses to start, but nova takes it to be %s after '
            '%d s; the end of its log:\n%s' % (state, timeout, log)))


class GuestError(MempageError):
    """A guest cannot do what a test needs."""

    def __init__(self, message):
        super().__init__('the guest: %s' % message)


def _values(values):
    if isinstance(values, str):
        values = [values]
    return ', '.join(repr(value) for value in values) or 'none'


def _advice(files, changed):
    others = [file for file in files if file != changed]
    if others:
        return ('It is set in %s: remove it from there, or declare the file '
                'that is read last' % ', '.join(others))
    return ('It does not read that file, or reads it as it was: declare the '
            'one that it reads when services.nova-compute.restart starts it')


def raise_all(errors):
    """Raise what went wrong on several hosts.

    :param errors: exceptions; nothing happens without any
    :raises fixtures.MultipleExceptions: if there are several; one is raised
        as it is
    """
    errors = list(errors)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise fixtures.MultipleExceptions(*(
            (type(error), error, error.__traceback__) for error in errors))
