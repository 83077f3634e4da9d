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
import os
import sys

from tempest import clients
from tempest.common import credentials_factory
from tempest import config

from mempage_tempest_plugin import aggregates
from mempage_tempest_plugin import compute_services
from mempage_tempest_plugin import exceptions
from mempage_tempest_plugin.hosts import compute_host
from mempage_tempest_plugin.hosts import faulty_store
from mempage_tempest_plugin import inventory
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
        return arguments.function()
    except exceptions.MempageError as error:
        print('mempage-tempest: %s' % error, file=sys.stderr)
        return 1


def cleanup():
    """Remove what killed runs have left behind.

    :returns: exit status
    """
    manager = clients.Manager(
        credentials_factory.get_configured_admin_credentials())
    hosts = [compute_host.get(declared, CONF.mempage.host_timeout)
             for declared in inventory.load(
                 CONF.mempage.host_inventory).hosts.values()]
    return max(step(manager, hosts) for step in _CLEANUPS)


def _put_back_configurations(manager, hosts):
    computes = reconfiguration.left(
        hosts, compute_services.ComputeServices(manager),
        CONF.compute.build_timeout)
    failures = reconfiguration.put_back(computes)
    for compute in computes:
        name = compute.host.name
        print(failures.get(name, 'host %s: nova-compute runs with its '
                                 'original configuration again' % name))
    if not computes:
        print('All hosts have their original configuration.')
    return int(bool(failures))


def _remove_aggregates(manager, hosts):
    for name in aggregates.remove_left(manager.aggregates_client):
        print('removed aggregate %s' % name)
    return 0


def _remove_stores(manager, hosts):
    for host in hosts:
        if host.declared.file_backed and faulty_store.remove_left(host):
            print('host %s: removed the backing store of a test' % host.name)
    return 0


# Each is told Tempest's clients and all hosts, says what it does, and returns
# an exit status.
_CLEANUPS = (_put_back_configurations, _remove_aggregates, _remove_stores)


def _parser():
    parser = argparse.ArgumentParser(
        prog='mempage-tempest',
        description='What is needed beside "tempest run".')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    command = commands.add_parser(
        'cleanup', help='remove what killed runs have left behind; only '
                        'while no tests run')
    command.set_defaults(function=cleanup)
    command.add_argument(
        '--config-file', default='etc/tempest.conf', metavar='FILE',
        help='tempest.conf with administrator credentials; %(default)s if '
             'not given')
    return parser


if __name__ == '__main__':
    sys.exit(main())
