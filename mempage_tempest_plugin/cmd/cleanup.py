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

"""The command mempage-tempest cleanup: remove what killed runs have left."""

import contextlib
import functools
import os
import sys

import fasteners
from oslo_concurrency import lockutils
from oslo_utils import timeutils
from tempest import clients
from tempest.common import credentials_factory
from tempest import config
from tempest.lib.common import api_microversion_fixture
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin.changes import leases
from mempage_tempest_plugin.changes import leftovers
from mempage_tempest_plugin.changes import pool_size
from mempage_tempest_plugin.changes import reconfiguration
from mempage_tempest_plugin.cloud import nova_services
from mempage_tempest_plugin.cmd import argument_types
from mempage_tempest_plugin.declared import inventory
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import several

CONF = config.CONF


def add_parser(commands):
    """Add the parser of the command.

    :param commands: the subparsers of mempage-tempest
    """
    parser = commands.add_parser(
        'cleanup', help='remove what killed runs have left behind, while no '
                        'tests run')
    parser.set_defaults(function=cleanup)
    parser.add_argument(
        '--config-file', default='etc/tempest.conf', metavar='FILE',
        help='tempest.conf with administrator credentials; %(default)s if '
             'not given')
    parser.add_argument(
        '--dry-run', action='store_true',
        help='only say what would be removed')
    parser.add_argument(
        '--wait', type=argument_types.seconds, default=0, metavar='SECONDS',
        help='wait for the end of classes of tests that run, instead of '
             'refusing; further ones wait for this command')


def cleanup(arguments):
    """Remove what killed runs have left behind.

    :param arguments: the parsed command line
    :returns: exit status
    :raises TestsRunning: if tests are running
    """
    manager = clients.Manager(
        credentials_factory.get_configured_admin_credentials())
    hosts = [compute_host.get(declared, CONF.mempage.host_timeout)
             for declared in inventory.load(
                 CONF.mempage.host_inventory).hosts.values()]
    versions = api_microversion_fixture.APIMicroversionFixture(
        compute_microversion=leftovers.COMPUTE_MICROVERSION,
        placement_microversion=leftovers.PLACEMENT_MICROVERSION)
    with _no_tests(arguments.wait), versions:
        asked = AskedHosts(hosts)
        status = max(step(manager, asked, arguments.dry_run)
                     for step in _CLEANUPS)
    return int(bool(status or asked.lost))


class AskedHosts:
    """Hosts, and which of them do not answer.

    :ivar hosts: list of all compute_host.ComputeHost
    :ivar lost: names of those that have failed to answer
    """

    def __init__(self, hosts):
        self.hosts = hosts
        self.lost = []

    def ask(self, hosts, question):
        """Ask hosts at the same time; whoever does not answer is left out.

        :param hosts: some of the hosts
        :param question: function of one
        :returns: list of pairs of a host and its answer
        """
        return several.ask(
            [host for host in hosts if host.name not in self.lost], question,
            CONF.mempage.parallel_hosts, self._leave_out, _say)

    def _leave_out(self, host, error):
        print('left out: %s' % error)
        self.lost.append(host.name)


def _say(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _no_tests(wait):
    """Keep out all tests: ours by leases, others by Tempest's own lock.

    Tests take them in the same order.

    :param wait: seconds to wait for the end of those that run
    """
    lock_path = lockutils.get_lock_path(CONF)
    limit = timeutils.StopWatch(wait).start()
    with leases.Leases(
            lock_path, 'mempage-tempest cleanup (process %d)' % os.getpid(),
            say=_say) as everything:
        try:
            everything.take(leases.EVERYTHING, wait)
        except exceptions.LeaseTimeout as error:
            raise exceptions.TestsRunning(
                'their leases are ' + error.holders) from error
        with _no_other_tests(lock_path, limit.leftover()):
            yield


@contextlib.contextmanager
def _no_other_tests(lock_path, wait):
    """Keep out tests that know no leases.

    Tempest itself has each class of tests hold this lock, from before it
    makes anything until it has removed it.

    :param lock_path: directory of the lock
    :param wait: seconds to wait for the end of those that run
    """
    path = os.path.join(lock_path, 'tempest-serial-rw-lock')
    lock = fasteners.InterProcessReaderWriterLock(path)
    if not lock.acquire_write_lock(timeout=wait):
        raise exceptions.TestsRunning('they hold ' + path)
    try:
        yield
    finally:
        lock.release_write_lock()


def _put_back_pools(manager, asked, dry_run):
    return _do_each('put back', 'put back', (
        ('the numbers of large pages of host %s' % host.name,
         functools.partial(pool_size.put_back, host))
        for host, is_left in asked.ask(asked.hosts, pool_size.is_left)
        if is_left), dry_run)


def _put_back_configurations(manager, asked, dry_run):
    computes = reconfiguration.left(
        asked.hosts, nova_services.ComputeServices(manager),
        CONF.compute.build_timeout, asked.ask)
    if not computes:
        print('All hosts%s have their original configuration.' % (
            ' that answer' if asked.lost else ''))
    if dry_run:
        for compute in computes:
            print('would put back the configuration of host %s'
                  % compute.host.name)
        return 0
    failures = reconfiguration.put_back(computes)
    for compute in computes:
        name = compute.host.name
        print(failures.get(name, 'host %s: nova-compute runs with its '
                                 'original configuration again' % name))
    return int(bool(failures))


def _remove_left(manager, asked, dry_run):
    return _do_each('remove', 'removed', (
        (left.what, left.remove) for left in leftovers.find(
            manager, asked.hosts, CONF.compute.build_timeout,
            lockutils.get_lock_path(CONF), asked.ask)), dry_run)


def _do_each(do, done, cleanups, dry_run):
    """Clean up one after the other, whatever becomes of those before.

    :param do: what is done, for people
    :param done: the same, when it was done
    :param cleanups: iterable of pairs: what is cleaned up, and a function
    :returns: exit status
    """
    status = 0
    for what, function in cleanups:
        if dry_run:
            print('would %s %s' % (do, what))
            continue
        try:
            function()
            print('%s %s' % (done, what))
        except (lib_exc.TempestException, exceptions.MempageError) as error:
            print('cannot %s %s: %s' % (do, what, error))
            status = 1
    return status


# Each is told Tempest's clients, the AskedHosts, and whether to say only
# what it would do. It says what it does, and returns an exit status.
# nova-compute, which is restarted, looks at pools then and never again.
_CLEANUPS = (_put_back_pools, _put_back_configurations, _remove_left)
