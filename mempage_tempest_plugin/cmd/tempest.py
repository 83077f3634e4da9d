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

"""The command mempage-tempest: what is not part of a run of the tests."""

import argparse
import contextlib
import os
import sys
import time

import fasteners
from oslo_concurrency import lockutils
from tempest import clients
from tempest.common import credentials_factory
from tempest import config
from tempest.lib.common import api_microversion_fixture
from tempest.lib import exceptions as lib_exc

from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin import inventory
from mempage_tempest_plugin import leftovers
from mempage_tempest_plugin import reconfiguration

CONF = config.CONF


def main(argv=None):
    """Run the command.

    :param argv: arguments; those of the process by default
    :returns: exit status: 0, or 1 if something could not be done
    """
    arguments = _parser().parse_args(argv)
    CONF.set_config_path(os.path.abspath(arguments.config_file))
    try:
        return arguments.function(arguments)
    except exceptions.MempageError as error:
        print('mempage-tempest: %s' % error, file=sys.stderr)
        return 1


def cleanup(arguments):
    """Remove what killed runs have left behind.

    :param arguments: of the command
    :returns: exit status
    :raises TestsRun: if tests are running
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
        return max(step(manager, hosts, arguments.dry_run)
                   for step in _CLEANUPS)


@contextlib.contextmanager
def _no_tests(wait):
    """Keep out all tests that share Tempest's locks.

    Tempest itself has a class of tests hold this lock, from before it makes
    anything until it has removed it.

    :param wait: seconds to wait for the end of those that run
    """
    locks = lockutils.get_lock_path(CONF)
    path = os.path.join(locks, 'tempest-serial-rw-lock')
    # Tests that come meanwhile wait at this gate, see BaseMemoryTest.
    gate = lockutils.external_lock('mempage-gate', lock_path=locks)
    lock = fasteners.InterProcessReaderWriterLock(path)
    deadline = time.monotonic() + wait
    if not gate.acquire(blocking=wait > 0, timeout=wait or None):
        raise exceptions.TestsRun(path)
    try:
        rest = max(deadline - time.monotonic(), 0)
        if not lock.acquire_write_lock(blocking=rest > 0,
                                       timeout=rest or None):
            raise exceptions.TestsRun(path)
    finally:
        gate.release()
    try:
        yield
    finally:
        lock.release_write_lock()


def _put_back_configurations(manager, hosts, dry_run):
    computes = reconfiguration.left(
        hosts, compute_services.ComputeServices(manager),
        CONF.compute.build_timeout)
    if not computes:
        print('All hosts have their original configuration.')
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


def _remove_left(manager, hosts, dry_run):
    status = 0
    for left in leftovers.find(manager, hosts, CONF.compute.build_timeout):
        if dry_run:
            print('would remove %s' % left.what)
            continue
        try:
            left.remove()
            print('removed %s' % left.what)
        except (lib_exc.TempestException, exceptions.MempageError) as error:
            print('cannot remove %s: %s' % (left.what, error))
            status = 1
    return status


# Each is told Tempest's clients, all hosts, and whether to say only what it
# would do. It says what it does, and returns an exit status.
_CLEANUPS = (_put_back_configurations, _remove_left)


def _parser():
    parser = argparse.ArgumentParser(
        prog='mempage-tempest',
        description='What is needed beside "tempest run".')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    command = commands.add_parser(
        'cleanup', help='remove what killed runs have left behind, while no '
                        'tests run')
    command.set_defaults(function=cleanup)
    command.add_argument(
        '--config-file', default='etc/tempest.conf', metavar='FILE',
        help='tempest.conf with administrator credentials; %(default)s if '
             'not given')
    command.add_argument(
        '--dry-run', action='store_true',
        help='only say what would be removed')
    command.add_argument(
        '--wait', type=int, default=0, metavar='SECONDS',
        help='wait for the end of classes of tests that run, instead of '
             'refusing; further ones wait for this command')
    return parser


if __name__ == '__main__':
    sys.exit(main())
